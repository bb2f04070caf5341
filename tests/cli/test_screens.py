"""What terminals of several widths show.

To take over what was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/cli/test_screens.py``, then read the diff.
"""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.screen import Shown

SCREENS = Path(__file__).with_name("screens")
WIDTHS = (40, 80, 120)
CHECK = ("check", "server1.raw", "--target")
COMMANDS: dict[str, Sequence[str]] = {
    "stops": (*CHECK, "vmware:lsilogic"),
    "boots": (*CHECK, "vmware:ide"),
    "two-findings": (*CHECK, "xen:pv"),
    "all-targets": ("check", "server1.raw"),
    "inspect": ("inspect", "server1.raw"),
    "dry-run": ("repair", "server1.raw", "--target", "vmware:lsilogic", "--drivers", "donor.raw", "--dry-run"),
    "targets": ("targets",),
    "usage": ("repair", "server1.raw"),
    "explain": ("explain", "device-binding-missing"),
}
OnTerminal = Callable[..., Shown]


@pytest.fixture
def folder(server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path) -> Path:
    for machine in (server1, donor):
        image = machine.disk
        (tmp_path / image.name).symlink_to(image)
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_terminal_shows(name: str, folder: Path, on_terminal: OnTerminal) -> None:
    for width in WIDTHS:
        shown = on_terminal(*COMMANDS[name], columns=width, cwd=folder).text
        golden = SCREENS / f"{name}-{width}.txt"
        if "WRITE_GOLDENS" in os.environ:
            golden.write_text(shown, encoding="utf-8")
        assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80])
def test_a_command_is_one_line_however_narrow_the_terminal(width: int, folder: Path, on_terminal: OnTerminal) -> None:
    written = on_terminal(*COMMANDS["stops"], columns=width, cwd=folder, NO_COLOR="1").written.decode()
    assert "\r\n    bootgraft repair server1.raw --target vmware:lsilogic --drivers SOURCE\r\n" in written
    assert (
        on_terminal(*COMMANDS["usage"], columns=width, cwd=folder, NO_COLOR="1")
        .written.decode()
        .endswith("\r\n      bootgraft check server1.raw\r\n")
    )


@pytest.mark.parametrize(
    ("name", "words", "colour"),
    [
        ("stops", "Microsoft Windows", "red"),
        ("stops", "blocker:", "red"),
        ("stops", "no driver for PCI", "default"),
        ("stops", "bootgraft repair", "cyan"),
        ("boots", "Microsoft Windows", "green"),
        ("all-targets", "Microsoft Windows", "green"),
        ("all-targets", "vmware:ide    ", "green"),
        ("all-targets", "vmware:pvscsi", "brown"),
        ("all-targets", "hyperv:gen2", "red"),
        ("inspect", "Microsoft Windows", "default"),
        ("inspect", "ok  ", "green"),
        ("dry-run", "Dry run", "green"),
        ("dry-run", "before:", "red"),
        ("dry-run", "after:", "green"),
        ("usage", "bootgraft: --target", "red"),
    ],
)
def test_bad_news_is_not_in_the_colour_of_good_news(
    name: str, words: str, colour: str, folder: Path, on_terminal: OnTerminal
) -> None:
    assert on_terminal(*COMMANDS[name], columns=120, cwd=folder).colour_of(words) == colour


def test_that_no_windows_was_found_is_bad_news(tmp_path: Path, on_terminal: OnTerminal) -> None:
    (tmp_path / "empty.raw").write_bytes(bytes(1 << 20))
    shown = on_terminal("inspect", "empty.raw", columns=80)
    assert (shown.status, shown.colour_of("No Windows was found"), shown.colour_of("BROKEN  ")) == (0, "red", "red")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_no_colours_where_none_are_wanted_but_the_width_of_the_terminal(
    environment: dict[str, str], folder: Path, on_terminal: OnTerminal
) -> None:
    shown = on_terminal(*COMMANDS["stops"], columns=40, cwd=folder, **environment)
    assert b"\x1b" not in shown.written
    assert shown.text == (SCREENS / "stops-40.txt").read_text(encoding="utf-8")


def test_of_a_quiet_answer_the_first_line_is_wrapped(folder: Path, on_terminal: OnTerminal) -> None:
    shown = on_terminal(*COMMANDS["stops"], "--quiet", columns=40, cwd=folder)
    assert shown.lines == (SCREENS / "stops-40.txt").read_text(encoding="utf-8").split("\n")[:4]


def test_lines_for_programs_are_not_laid_out(folder: Path, on_terminal: OnTerminal) -> None:
    written = on_terminal(*COMMANDS["dry-run"], "--events", columns=40, cwd=folder).written.decode()
    assert len([line for line in written.split("\r\n") if line.startswith('{"') and line.endswith("}")]) > 1
    written = on_terminal(*COMMANDS["boots"], "--json", columns=40, cwd=folder).written.decode()
    assert written.count("\n") == 1


def test_a_log_is_explained_in_its_cage(tmp_path: Path) -> None:
    """In a process of its own, as from there nothing is loaded that is not this system's or bootgraft's."""
    (tmp_path / "v2v.log").write_text(f"virt-v2v: error: no such thing {'is known ' * 20}\n")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "bootgraft.cli.main", "explain-log", "v2v.log"]
    with os.fdopen(ours, "rb", buffering=0) as screen:
        plain = {**os.environ, "NO_COLOR": "1"}
        with subprocess.Popen(words, cwd=tmp_path, env=plain, stdout=theirs, stderr=subprocess.PIPE) as process:
            os.close(theirs)
            assert process.stderr is not None
            assert process.stderr.read() == b""
        assert process.returncode == 1
        written = bytearray()
        with suppress(OSError):  # that is how a terminal ends
            while piece := screen.read(4096):
                written += piece
    lines = written.decode().split("\r\n")
    assert max(map(len, lines)) <= 80
    assert "with an error that bootgraft does not know:" in " ".join(lines)


def test_history_and_its_commands(
    folder: Path, bootgraft: Callable[..., CommandResult], on_terminal: OnTerminal
) -> None:
    image = folder / "server1.raw"
    repair = ("repair", image, "--target", "vmware:lsilogic", "--drivers", folder / "donor.raw")
    assert bootgraft(*repair).status == 0
    shown = on_terminal("history", image, columns=40, NO_COLOR="1")
    assert f"\r\n    bootgraft undo {image}\r\n" in shown.written.decode()
    assert "1 file and 32 registry changes" in " ".join(each.strip() for each in shown.lines)


@pytest.mark.parametrize("name", ["stops", "usage"])
def test_nothing_that_goes_into_a_pipe_waits_for_what_only_terminals_need(name: str, folder: Path) -> None:
    program = (
        "import sys; from bootgraft.cli.main import main; status = main(sys.argv[1:]); "
        "sys.exit(status if not {'rich', 'pygments'} & set(sys.modules) else 99)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS[name]], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == {"stops": 1, "usage": 2}[name]
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_reg_file_is_readable_on_a_terminal_and_regedits_in_a_pipe(
    folder: Path, on_terminal: OnTerminal, bootgraft: Callable[..., CommandResult]
) -> None:
    words = ("reg", "export", "server1.raw", "HKLM\\SYSTEM\\Select")
    shown = on_terminal(*words, columns=80, cwd=folder)
    assert shown.lines[:3] == ["Windows Registry Editor Version 5.00", "", "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]"]
    assert shown.written.decode().startswith("Windows Registry")
    old = on_terminal(*words, "--ansi", columns=80, cwd=folder)
    assert old.lines[:3] == ["REGEDIT4", "", "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]"]
    assert bootgraft(*words, "--out", "select.reg", cwd=folder).status == 0
    exported = (folder / "select.reg").read_bytes()
    assert exported.startswith(b"\xff\xfeW\0i\0")
    assert exported.decode("utf-16").replace("\r\n", "\n") == shown.written.decode().replace("\r\n", "\n")
