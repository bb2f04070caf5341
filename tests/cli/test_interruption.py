"""Ctrl-C and time limits at any moment: the image is as it was, or the way back is named; nothing is left behind."""

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.machines.build import BuiltMachine
from tests.storage.nbdservers import nbdkit

from bootgraft.cli.main import main
from bootgraft.storage.devices import nbd, rawfile
from bootgraft.storage.journal import commit, journalfile
from bootgraft.worker.ipc import parent
from bootgraft.worker.ipc.channel import Channel

BLOCK = 4096
TARGET = ["--target", "vmware:lsilogic"]


class Hook:
    """Sends this process a signal at one of the calls of a function, before or ``after`` it; counts them."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        owner: Any,
        name: str,
        at: int,
        number: int,
        *,
        after: bool = False,
    ) -> None:
        self.calls = 0
        self.at = at
        original = getattr(owner, name)

        def hooked(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            now = self.calls == self.at
            if now and not after:
                signal.raise_signal(number)
            result = original(*arguments, **named)
            if now and after:
                signal.raise_signal(number)
            return result

        monkeypatch.setattr(owner, name, hooked)

    @property
    def fired(self) -> bool:
        return self.calls >= self.at


@pytest.fixture(autouse=True)
def heeded_interrupts() -> Any:
    """Undo what a background job of a shell inherits: there SIGINT is ignored."""
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, kept)


@pytest.fixture
def disk(server1: BuiltMachine) -> Path:
    return server1.disk


@pytest.fixture
def repair(disk: Path, donor: BuiltMachine) -> list[str]:
    return ["repair", str(disk), *TARGET, "--drivers", str(donor.disk), "-q"]


def beside(disk: Path) -> list[str]:
    return sorted(each.name for each in disk.parent.iterdir() if each != disk)


def digest(path: Path) -> str:
    """Of all blocks that are not empty."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                start = file.seek(at, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                break
            at = file.seek(start, os.SEEK_HOLE)
            file.seek(start)
            for place in range(start, at, BLOCK):
                data = file.read(BLOCK)
                if data.strip(b"\0"):
                    found.update(place.to_bytes(8, "little") + data)
    return found.hexdigest()


def children() -> set[str]:
    """The processes of this one, those that nobody has waited for included."""
    return {each for path in Path("/proc/self/task").glob("*/children") for each in path.read_text().split()}


@pytest.fixture(autouse=True)
def children_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there already: another test may have started the warm interpreter."""
    monkeypatch.setattr(sys.modules[__name__], "_BEFORE", children())


_BEFORE: set[str] = set()


def require_no_children() -> None:
    assert children() <= _BEFORE


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "check": lambda disk: ["check", str(disk), *TARGET, "-q"],
    "repair": lambda disk: ["repair", str(disk), *TARGET, "--dry-run", "-q"],
    "reg": lambda disk: ["reg", "query", str(disk), "HKLM\\SYSTEM\\Select", "-q"],
    "drivers": lambda disk: ["drivers", "list", str(disk.parent), "-q"],
}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", COMMANDS)
def test_interrupted_while_it_reads(
    command: str,
    number: int,
    status: int,
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, others = digest(disk), beside(disk)
    for at in (1, 2, 7, 40):
        with monkeypatch.context() as patch:
            hook = Hook(patch, Channel, "receive", at, number)
            ended = main(COMMANDS[command](disk))
            if not hook.fired:
                assert at > 1
                break
        assert ended == status
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", "bootgraft: interrupted.\n")
        require_no_children()
        assert digest(disk) == before
        assert beside(disk) == others


def test_a_second_one_while_it_puts_things_away(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Hook(monkeypatch, Channel, "receive", 3, signal.SIGINT)
    Hook(monkeypatch, parent.Worker, "close", 1, signal.SIGINT)
    assert main(COMMANDS["check"](disk)) == 130
    assert capsys.readouterr().err == "bootgraft: interrupted.\n"
    require_no_children()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (rawfile.RawFile, "write"),
        (rawfile.RawFile, "read_back"),
        (commit, "write_journal"),
        (journalfile.JournalFile, "mark"),
    ],
)
def test_interrupted_while_it_writes(
    owner: Any,
    name: str,
    disk: Path,
    repair: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, others = digest(disk), beside(disk)
    for at in (1, 2, 5):
        with monkeypatch.context() as patch:
            hook = Hook(patch, owner, name, at, signal.SIGINT)
            status = main(repair)
            if not hook.fired:
                assert at > 1
                break
        assert status == 130
        told = capsys.readouterr().err
        assert "Traceback" not in told
        if beside(disk) != others:
            assert f"bootgraft undo {disk}" in told
            assert "--resume" in told
            assert main(["undo", str(disk), "-q"]) == 0
            capsys.readouterr()
        else:
            assert told == "bootgraft: interrupted.\n"
        assert digest(disk) == before
        assert beside(disk) == others
        require_no_children()


def test_interrupted_when_all_is_written(
    disk: Path, repair: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The seal is on the storage, and the images are being closed: what was done is said, and how it is undone."""
    with monkeypatch.context() as patch:
        Hook(patch, parent.Worker, "close", 1, signal.SIGINT, after=True)
        assert main(repair) == 130
    told = capsys.readouterr().err
    assert "complete by then" in told
    assert f"bootgraft undo {disk}" in told


def test_an_undo_that_is_interrupted_is_finished_by_the_next(
    disk: Path, repair: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digest(disk)
    assert main(repair) in (0, 1)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        Hook(patch, rawfile.RawFile, "write", 2, signal.SIGTERM)
        assert main(["undo", str(disk), "-q"]) == 143
    assert f"bootgraft undo {disk}" in capsys.readouterr().err
    assert main(["undo", str(disk), "-q"]) == 0
    assert digest(disk) == before


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_server_that_stalls_ends_with_one_clear_error(
    extra: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nbd, "seconds_to_wait", lambda: 0.2)
    with nbdkit(tmp_path, "--filter=delay", "memory", "64M", "rdelay=600") as uri:
        assert main(["check", uri, *TARGET, *extra]) == 3
    told = capsys.readouterr()
    error = told.out if extra else told.err
    assert "no answer in 0.2 seconds to" in error
    assert "--timeout" in error
    assert "Traceback" not in told.err


def test_time_is_up_while_the_child_works(
    disk: Path, repair: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = beside(disk)
    Hook(monkeypatch, Channel, "receive", 5, signal.SIGALRM)  # as the timer sends it
    assert main([*repair, "--timeout", "1000"]) == 3
    told = capsys.readouterr().err
    assert "it was not done in the 1000 seconds of --timeout" in told
    assert "Nothing was written" in told
    require_no_children()
    assert beside(disk) == others


def test_time_is_not_up_once_it_writes(disk: Path, repair: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Hook(monkeypatch, rawfile.RawFile, "write", 1, signal.SIGALRM)
    assert main([*repair, "--timeout", "1000"]) in (0, 1)
    assert hook.fired
    assert any(name.endswith(".journal") for name in beside(disk))


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "x", "1e300"])
def test_no_number_of_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", f"--timeout={seconds}"]) == 2
    assert f"argument --timeout: {seconds!r} is no number of seconds from 0.01 to 1e+08" in capsys.readouterr().err
