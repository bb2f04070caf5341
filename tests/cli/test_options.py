"""The command line as options."""

from pathlib import Path

from bootgraft.cli.main import _parser
from bootgraft.cli.options import Options


def parsed(*words: str) -> Options:
    return Options.from_arguments(_parser(words).parse_args(words))


def test_what_a_command_does_not_have_keeps_its_default() -> None:
    assert parsed("targets") == Options("targets")
    assert parsed("inspect", "a.raw") == Options("inspect", images=("a.raw",))


def test_one_target_for_check_and_several_for_repair() -> None:
    assert parsed("check", "a", "--target", "kvm:lsi").targets == ("kvm:lsi",)
    assert parsed("check", "a").targets == ()
    assert parsed("repair", "a", "--target", "kvm:lsi", "--target", "kvm:nvme").targets == ("kvm:lsi", "kvm:nvme")


def test_everything_that_repair_takes() -> None:
    words = [
        "repair",
        "d0",
        "d1",
        "--target",
        "t",
        "--windows",
        "W",
        "--drivers",
        "a",
        "--drivers",
        "b",
        "--reg",
        "r",
        "--file",
        "f",
        "--dry-run",
        "--resume",
        "--json",
    ]
    words += [
        "--overlay",
        "o.qcow2",
        "--journal",
        "j",
        "--format",
        "raw",
        "--allow-path",
        "/x",
        "--allow-path",
        "y",
        "-q",
    ]
    assert parsed(*words) == Options(
        "repair", json=True, quiet=True, images=("d0", "d1"), format="raw", allow_path=(Path("/x"), Path("y")),
        journal=Path("j"), targets=("t",), windows="W", drivers=("a", "b"), reg=("r",), file=("f",), dry_run=True,
        overlay=Path("o.qcow2"), resume=True,
    )  # fmt: skip


def test_options_may_stand_before_and_after_the_images() -> None:
    assert parsed("check", "--target", "t", "a", "-v") == parsed("check", "a", "--verbose", "--target", "t")


def test_an_image_may_look_like_an_option() -> None:
    """Commands that are printed with its name can be typed as they are."""
    assert parsed("inspect", "--", "--json").images == ("./--json",)
