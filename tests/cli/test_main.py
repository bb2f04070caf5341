"""Arguments in, exit status out: the contract that scripts rely on."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.report.contract import faults

from bootgraft import __version__
from bootgraft.cli.main import main

Command = Callable[..., CommandResult]

USAGE = [
    ([], "required: COMMAND"),
    (["heal", "x.raw"], "invalid choice: 'heal'"),
    (["check"], "required: IMAGE"),
    (["check", "x.raw", "--nope"], "unrecognized arguments: --nope"),
    (["check", "x.raw", "--verb"], "unrecognized arguments: --verb"),
    (["check", "x.raw", "--target"], "expected one argument"),
    (["check", "x.raw", "--format", "iso"], "invalid choice: 'iso'"),
    (["check", "x.raw", "--quiet", "--verbose"], "not allowed with argument"),
    (["check", "x.raw", "--target", "bochs:lsilogic"], "no such target: 'bochs:lsilogic'"),
    (["inspect", "x.raw", "--target", "vmware:lsilogic"], "unrecognized arguments"),
    (["undo", "x.raw", "--target", "vmware:lsilogic"], "unrecognized arguments"),
    (["targets", "x.raw"], "unrecognized arguments"),
    (["repair", "x.raw"], "repair needs to know which controller"),
    (["repair", "x.raw", "--target", "vmware:nope"], "no such target: 'vmware:nope'"),
    (["repair", "x.raw", "--target", "vmware:lsilogic", "--file", "a.sys"], "--file goes with --reg"),
    (["check", "x.raw", "--vm", "a.vmx", "--vm", "b.vmx"], "argument --vm: given twice, as a.vmx and as b.vmx"),
    (["repair", "x.raw", "--target", "vmware:ide", "--secure-boot", "on", "--secure-boot", "off"], "given twice"),
    (["kit", "--target", "vmware:ide", "--target", "kvm:ide", "--out", "x"], "argument --target: given twice"),
    (["drivers", "show", "x", "--target", "vmware:ide", "--target", "kvm:ide"], "argument --target: given twice"),
    (["reg", "query", "x", "HKLM", "--value", "a", "--value", "b"], "argument --value: given twice"),
    (["check", "x.raw", "--target", "kvm:ide", "--target", "xen:ide", "--symptom", "7b"], "several targets are given"),
]


@pytest.mark.parametrize(("words", "said"), USAGE, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_wrong_command_line_exits_2_and_says_why(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("bootgraft: ")
    assert all(line.startswith("  ") for line in err.splitlines()[1:])
    assert not re.search(r"^ +bootgraft .*[.;:]$", err, re.MULTILINE)


@pytest.mark.parametrize(("words", "said"), USAGE, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_with_json_the_error_is_the_one_document(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--json"]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert faults(document, "error") == []
    assert document["error"]["exit_status"] == 2
    assert said in document["error"]["what"]
    assert err == ""


def test_an_image_that_is_not_there_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "nope.vmdk")
    for words in (
        ["inspect", missing],
        ["check", missing],
        ["repair", missing, "--target", "vmware:lsilogic"],
        ["undo", missing],
    ):
        assert main(words) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert missing in err
        assert main([*words, "--json"]) == 3
        out, err = capsys.readouterr()
        assert faults(json.loads(out), "error") == []
        assert err == ""


def test_help_names_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "exit status:" in out
    for command in ("inspect", "check", "repair", "undo", "history", "targets", "doctor"):
        assert f"    {command} " in out


def test_an_error_in_hostile_words_cannot_write_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "a\x1b]0;owned\x07b\u202e.raw")]) == 3
    err = capsys.readouterr().err
    assert not any(each in err for each in "\x1b\x07\u202e")


def run_python(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **more)


def imported(*arguments: str, status: int = 0) -> set[str]:
    done = run_python("-X", "importtime", "-m", "bootgraft.cli.main", *arguments)
    assert done.returncode == status, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_the_version_and_how_little_it_takes() -> None:
    done = run_python("-m", "bootgraft.cli.main", "--version")
    assert (done.returncode, done.stdout) == (0, f"bootgraft {__version__}\n")
    heavy = {
        "pefile",
        "cffi",
        "_cffi_backend",
        "subprocess",
        "socket",
        "asyncio",
        "ctypes",
        "logging",
        "ssl",
        "multiprocessing",
        "msgspec",
    }
    modules = imported("--version")
    assert not modules & heavy
    ours = {module for module in modules if module.startswith("bootgraft")}
    assert ours <= {"bootgraft", "bootgraft.cli", "bootgraft.cli.process", "bootgraft.errors", "bootgraft.version"}


def test_the_parent_of_a_check_loads_no_parser_of_hostile_files(server1: BuiltMachine) -> None:
    arguments = ["check", str(server1.disk), "--target", "vmware:lsilogic"]
    script = "import sys; from bootgraft.cli.main import main; print(main({})); print(*sys.modules, file=sys.stderr)"
    done = run_python("-c", script.format(arguments))
    assert done.stdout.splitlines()[-1] == "1"
    modules = set(done.stderr.split())
    assert "bootgraft.worker.ipc.parent" in modules
    parsers = {
        "pefile",
        "bootgraft.registry.hive",
        "bootgraft.filesystems.ntfs.volume",
        "bootgraft.filesystems.fat.volume",
        "bootgraft.machine",
    }
    assert not modules & parsers


class Interrupted:
    """A command that is interrupted."""

    @staticmethod
    def run(_options: object) -> int:
        raise KeyboardInterrupt


def test_the_same_value_twice_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "x.raw", "--format", "raw", "--format", "raw"]) == 3  # no such file
    assert "given twice" not in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.import_module", lambda _name: Interrupted)
    assert main(["targets"]) == 130
    assert capsys.readouterr() == ("", "bootgraft: interrupted.\n")


def heed_interrupts() -> None:
    """Undo what a background job of a shell inherits: there SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_both_processes_without_a_traceback(server1: BuiltMachine) -> None:
    # A FIFO keeps the donor's opening waiting, so that the interrupt comes in the middle of the work.
    waiting = server1.disk.parent / "reg"
    os.mkfifo(waiting)
    command = [sys.executable, "-m", "bootgraft.cli.main", "repair", str(server1.disk)]
    command += ["--target", "vmware:lsilogic", "--dry-run", "--reg", str(waiting), "--verbose"]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "driver sources" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()  # to its end: nobody holds it any longer, the child neither
        assert process.wait() == 130
    assert "Traceback" not in rest


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_reader_that_goes_away_does_not_change_the_exit_status(extra: list[str]) -> None:
    command = [sys.executable, "-m", "bootgraft.cli.main", "targets", *extra]
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_an_answer_that_finds_no_room_does_not_change_the_exit_status(extra: list[str]) -> None:
    command = [sys.executable, "-m", "bootgraft.cli.main", "targets", *extra]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == "bootgraft: the answer could not be written to standard output (No space left on device).\n"


def test_a_terminal_that_knows_only_ascii(bootgraft: Command) -> None:
    done = bootgraft("targets", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.status == 0


def test_the_formats_that_can_be_named_are_the_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", "--format", "nbd", "x"]) == 2
    said = capsys.readouterr().err.replace("'", "")  # argparse quotes them before Python 3.12 only
    assert "(choose from raw, vmdk, vhd, vhdx, vdi, qcow2)" in said
    for name in ("raw", "qcow2"):
        assert main(["check", "--format", name, str(tmp_path / "missing")]) == 3
