"""``repair`` as it is typed: in place, dry, and as an overlay."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm
from tests.machines.oracles import container_is_consistent, export_hive_of, ntfs_is_consistent, sha256
from tests.report.contract import faults

from bootgraft.cli.images.destination import undo_command
from bootgraft.cli.main import _parser
from bootgraft.cli.options import Options

Command = Callable[..., CommandResult]
LSI = ("--target", "vmware:lsilogic")
SYSTEM = "\\WINDOWS\\system32\\config\\system"


@pytest.fixture
def repair(bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine) -> Command:
    return lambda *more: bootgraft("repair", server1.disk, *LSI, "--drivers", donor.disk, *more)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_repair_in_place(bootgraft: Command, repair: Command, server1: BuiltMachine) -> None:
    done = repair()
    assert done.status == 0
    assert done.stdout.startswith(
        f"Repaired: 1 file and 32 registry changes, proven before written to {server1.disk}.\n"
    )
    assert f"bootgraft undo {server1.disk}\n" in done.stdout
    assert bootgraft("check", server1.disk, *LSI).status == 0
    ntfs_is_consistent(server1.disk, server1.span(1))
    for number in (1, 2):
        key = f"ControlSet{number:03d}\\Services\\symmpi"
        found = export_hive_of(server1.disk, server1.span(1), SYSTEM, key)
        assert found[key]["Start"] == "dword:00000000"


def test_a_second_repair_changes_nothing_and_says_so(repair: Command, server1: BuiltMachine) -> None:
    assert repair().status == 0
    before, files = sha256(server1.disk), names(server1.disk.parent)
    done = repair()
    assert done.status == 0
    assert done.stdout.startswith("Nothing to do: nothing was changed.\n")
    assert (sha256(server1.disk), names(server1.disk.parent)) == (before, files)


def test_a_repair_for_programs(repair: Command, server1: BuiltMachine) -> None:
    done = repair("--json")
    assert done.status == 0
    assert faults(done.json, "repair") == []
    assert (done.json["committed"], done.json["overlays"]) == (True, [])
    assert Path(done.json["journal"]).is_file()
    assert [each["verdict"] for each in done.json["before"] + done.json["after"]] == ["blocked", "boots"]


@pytest.mark.parametrize("more", [(), ("--json",), ("--overlay", "out.qcow2")])
def test_a_dry_run_shows_and_writes_nothing(
    repair: Command, server1: BuiltMachine, tmp_path: Path, more: tuple[str, ...]
) -> None:
    before = sha256(server1.disk)
    done = repair("--dry-run", *more)
    assert done.status == 0
    assert sha256(server1.disk) == before
    assert names(server1.disk.parent) == {server1.disk.name}
    assert not (tmp_path / "out.qcow2").exists()
    if "--json" in more:
        assert faults(done.json, "repair") == []
        assert (done.json["committed"], done.json["journal"], done.json["overlays"]) == (False, None, [])
    else:
        assert done.stdout.startswith("Dry run: 1 file and 32 registry changes would make it boot;")
        assert "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\symmpi]" in done.stdout


def test_a_dry_run_needs_no_right_to_write(bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine) -> None:
    server1.disk.chmod(0o400)
    assert bootgraft("repair", server1.disk, *LSI, "--drivers", donor.disk, "--dry-run").status == 0


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE, ImageForm.STREAM_OPTIMIZED])
def test_an_overlay_leaves_the_image_alone(
    bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path],
    tmp_path: Path, form: ImageForm,
) -> None:  # fmt: skip
    image = convert_image(server1.disk, form)
    before, out = sha256(image), tmp_path / "out.qcow2"
    done = bootgraft("repair", image, *LSI, "--drivers", donor.disk, "--overlay", out, "--json")
    assert (done.status, done.json["overlays"], done.json["journal"]) == (0, [str(out)], None), done.stderr
    assert faults(done.json, "repair") == []
    assert sha256(image) == before
    container_is_consistent(out, "qcow2")
    assert bootgraft("check", out, *LSI, "--allow-path", image.parent).status == 0
    assert bootgraft("check", image, *LSI).status == 1


def test_where_nothing_is_to_be_changed_no_overlay_is_made_and_that_is_said(
    bootgraft: Command, donor: BuiltMachine, tmp_path: Path
) -> None:
    out = tmp_path / "out.qcow2"
    done = bootgraft("repair", donor.disk, *LSI, "--overlay", out)
    assert done.status == 0
    assert done.stdout.startswith("Nothing to do: nothing was changed.")
    assert done.stdout.endswith(f"{out} was not made, as nothing is to be changed: use {donor.disk}.\n")
    assert not out.exists()


def test_an_overlay_is_never_written_over(bootgraft: Command, server1: BuiltMachine, tmp_path: Path) -> None:
    out = tmp_path / "out.qcow2"
    out.write_bytes(b"precious")
    done = bootgraft("repair", server1.disk, *LSI, "--overlay", out)
    assert done.status == 2
    assert out.read_bytes() == b"precious"


def test_an_image_that_cannot_be_written_says_what_can_be_done(
    bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path]
) -> None:
    image = convert_image(server1.disk, ImageForm.STREAM_OPTIMIZED)
    done = bootgraft("repair", image, *LSI, "--drivers", donor.disk)
    assert done.status == 3
    assert "--overlay OUT.qcow2" in done.stderr


def test_without_a_source_nothing_is_written(bootgraft: Command, server1: BuiltMachine) -> None:
    before = sha256(server1.disk)
    done = bootgraft("repair", server1.disk, *LSI)
    assert done.status == 1
    assert done.stdout.startswith("Nothing was written.\n")
    assert sha256(server1.disk) == before
    assert names(server1.disk.parent) == {server1.disk.name}


def test_a_donor_that_is_not_there(bootgraft: Command, server1: BuiltMachine, tmp_path: Path) -> None:
    done = bootgraft("repair", server1.disk, *LSI, "--drivers", tmp_path / "nope.vmdk")
    assert done.status == 3
    assert "nope.vmdk" in done.stderr


def test_steps_are_told_when_asked(repair: Command) -> None:
    done = repair("--verbose", "--dry-run")
    assert "bootgraft: reading the machine\n" in done.stderr
    assert "bootgraft: proving the result on the overlay, mounted again\n" in done.stderr


def test_a_journal_elsewhere(bootgraft: Command, repair: Command, server1: BuiltMachine, tmp_path: Path) -> None:
    journal = tmp_path / "kept" / "server1.journal"
    journal.parent.mkdir()
    before = sha256(server1.disk)
    done = repair("--journal", journal, "--json")
    assert done.json["journal"] == str(journal)
    assert bootgraft("undo", server1.disk, "--journal", journal).status == 0
    assert sha256(server1.disk) == before


def test_the_command_that_undoes_can_be_typed_as_it_stands() -> None:
    words = ["repair", "my disk.raw", "d2.raw", "--target", "t", "--journal", "/a b/j"]
    options = Options.from_arguments(_parser(words).parse_args(words))
    assert undo_command(options) == "bootgraft undo 'my disk.raw' d2.raw --journal '/a b/j'"
    words = ["repair", "d.vmdk", "--target", "t", "--format", "vmdk", "--allow-path", "/b", "--allow-path", "/c"]
    options = Options.from_arguments(_parser(words).parse_args(words))
    assert undo_command(options) == "bootgraft undo d.vmdk --format vmdk --allow-path /b --allow-path /c"


def test_from_a_folder_that_is_gone_the_answer_still_comes(
    server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path
) -> None:
    script = f'mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir ../gone && exec "$@"'
    words = ["repair", str(server1.disk), *LSI, "--drivers", str(donor.disk)]
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "bootgraft.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr  # on a busy machine it tells its steps there
    assert f"Undo journal: {server1.disk}.bootgraft-1.journal" in done.stdout


def test_a_disk_whose_changed_blocks_vmware_tracks(
    bootgraft: Command, server1: BuiltMachine, donor: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path]
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_FLAT)
    head, comment, rest = image.read_text().partition("# Extent description")
    image.write_text(f'{head}changeTrackPath="server1-ctk.vmdk"\n{comment}{rest}')
    words = ("repair", image, *LSI, "--drivers", donor.disk, "--quiet")
    for done in (bootgraft(*words, "--dry-run"), bootgraft(*words), bootgraft("undo", image, "--quiet")):
        assert done.status == 0
        assert done.stderr.startswith(f"bootgraft: {image}: VMware tracks this disk's changed blocks")
        assert done.stderr.count("\n") == 1
    assert bootgraft("check", image, *LSI, "--quiet").stderr == ""


def test_two_ways_to_give_the_driver_are_one_too_many(repair: Command) -> None:
    done = repair("--reg", "symmpi.reg", "--file", "symmpi.sys")
    assert done.status == 2
    assert "--drivers and --reg are two ways" in done.stderr
