"""Nothing outlives a command, however it ends: no process, socket or temporary file, and no half-done work untold."""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import Struct
from tests.conftest import CommandResult
from tests.endtoend.processes import held_at, steps, writes_of
from tests.endtoend.refusals import TARGET, Photograph, Run, digest, prefixed, read_refusal
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm

Convert = Callable[[Path, ImageForm], Path]
Words = tuple[str | Path, ...]
_PATIENCE = 20
"""Seconds that orphans of a killed command may take to notice."""


class Descendant(Struct, frozen=True):
    """A process below the command: its command line, and a handle that tells when it has ended."""

    number: int
    words: str
    handle: int

    def has_ended(self, patience: float) -> bool:
        return bool(select.select([self.handle], [], [], patience)[0])


@contextmanager
def descendants(parent: int) -> Iterator[list[Descendant]]:
    """All processes below ``parent`` just now."""
    numbers, found = [parent], []
    for number in numbers:  # it grows on the way
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        numbers += map(int, children)
    try:
        for number in numbers[1:]:
            words = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found.append(Descendant(number, words, os.pidfd_open(number)))
        yield found
    finally:
        for each in found:
            os.close(each.handle)


def _end(process: subprocess.Popen[str], how: signal.Signals | None) -> CommandResult:
    """Send the signal and wait; without one let it come to its end."""
    if how is not None:
        process.send_signal(how)
    out, error = process.communicate("" if how is None else None, timeout=60)
    return CommandResult(process.returncode, out, error)


def _run_and_end(
    step: int, command: Words, how: signal.Signals | None, folder: Path, *, expect: tuple[str, ...]
) -> CommandResult:
    """Hold a command at a step, end it, and require that nothing of it is left. ``expect``: what runs below it."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with (
        held_at(step, *command, environment={"TMPDIR": str(temporary)}) as process,
        descendants(process.pid) as below,
    ):
        for words in expect:
            assert any(words in each.words for each in below), below
        done = _end(process, how)
        patience = _PATIENCE if how is signal.SIGKILL else 0
        assert [each for each in below if not each.has_ended(patience)] == []
    assert list(temporary.iterdir()) == []
    assert str(folder) not in Path("/proc/net/unix").read_text()
    assert "Traceback" not in done.stderr
    return done


STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}
WORKER, SERVER = "tests.endtoend.victim", "qemu-nbd"
"""In the command lines of the two: the child is forked off the command."""


@pytest.mark.parametrize("how", STATUS)
def test_a_check_that_is_stopped(
    how: signal.Signals, tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    """While qemu-nbd starts, in the middle of the work, and when the answer is there."""
    image = convert_image(server1.disk, ImageForm.QCOW2)
    command = ("inspect", image)
    names = steps(*command)
    frames = [number for number, name in enumerate(names) if name == "receive"]
    (tmp_path / "tmp").mkdir()
    before = Photograph.of(tmp_path)
    for step in (names.index("connect_socket"), frames[len(frames) // 2], frames[-1]):
        # Before the last frame is taken, the child that sent it may have ended.
        expect = (SERVER,) if step == frames[-1] else (WORKER, SERVER)
        done = _run_and_end(step, command, how, tmp_path, expect=expect)
        assert done.status == STATUS[how]
        assert done.stdout == ""
        assert done.stderr == ("" if how is signal.SIGKILL else "bootgraft: interrupted.\n")
        assert before.differences(Photograph.of(tmp_path)) == []
    assert bootgraft("check", image, *TARGET).status == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_repair_that_is_stopped(
    how: signal.Signals,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Run,
) -> None:
    """Before the journal has its name, nothing stays (but SIGKILL's temporary file); after, the command says so."""
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    command = ("repair", image, *TARGET, "--drivers", donor.disk)
    names = steps(*command)
    assert bootgraft("undo", image).status == 0
    published = names.index("rename")
    for step in (published - 5, writes_of(names)[0] + 2):
        folder = Photograph.of(image.parent)
        done = _run_and_end(step, command, how, tmp_path, expect=(SERVER,))
        assert done.status == STATUS[how]
        left = [Path(name).name for name in folder.differences(Photograph.of(image.parent))]
        if step < published:
            assert left == ([f"{image.name}.bootgraft-1.journal.partial"] if how is signal.SIGKILL else [])
            assert done.stderr == ("" if how is signal.SIGKILL else "bootgraft: interrupted.\n")
            continue
        assert left[:2] == [image.name, f"{image.name}.bootgraft-1.journal"]
        if how is not signal.SIGKILL:
            assert "a repair of this machine was interrupted" in done.stderr
            assert f"bootgraft undo {image}" in done.stderr
        assert read_refusal(bootgraft("check", image, *TARGET, "--quiet")).what.startswith(str(image))
    assert bootgraft("undo", image).status == 0
    assert [path.name for path in image.parent.iterdir()] == [image.name]


@pytest.mark.parametrize("form", [ImageForm.QCOW2, ImageForm.MONOLITHIC_SPARSE])
def test_a_command_that_comes_to_its_end(
    form: ImageForm, tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert
) -> None:
    """Well, or with a diagnosis, or with an error."""
    image = convert_image(server1.disk, form)
    good = ("repair", image, *TARGET, "--drivers", donor.disk)
    bad = ("repair", image, *TARGET, "--drivers", server1.disk)
    for command, status in ((bad, 3), (("check", image, *TARGET), 1), (good, 0), (("check", image, *TARGET), 0)):
        done = _run_and_end(12, command, None, tmp_path, expect=(WORKER, SERVER))
        assert done.status == status, done


def test_a_child_or_a_server_that_is_killed(
    tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    """The command says so, and nothing else stays behind."""
    image = convert_image(server1.disk, ImageForm.QCOW2)
    before = Photograph.of(tmp_path)
    for victim in (WORKER, SERVER):
        with held_at(12, "check", image, *TARGET) as process, descendants(process.pid) as below:
            for each in below:
                if victim in each.words and "/bin/sh" not in each.words:
                    os.kill(each.number, signal.SIGKILL)
            refusal = read_refusal(_end(process, None))
            assert [each for each in below if not each.has_ended(0)] == []
        assert "SIGKILL" in refusal.what
        assert str(image) in refusal.what
        assert before.differences(Photograph.of(tmp_path)) == []
    assert bootgraft("check", image, *TARGET).status == 1


def test_streams_that_the_caller_closed(server1: BuiltMachine, donor: BuiltMachine) -> None:
    """No file of the work takes the place of standard error, to be written into by whoever complains."""
    original = digest(server1.disk)
    silent = prefixed("sh", "-c", 'exec "$@" 0<&- >&- 2>&-', "sh")
    assert silent("check", server1.disk, *TARGET) == CommandResult(1, "", "")
    assert silent("repair", server1.disk, *TARGET, "--drivers", donor.disk, "--verbose") == CommandResult(0, "", "")
    assert silent("check", server1.disk, *TARGET, "--verbose") == CommandResult(0, "", "")
    assert silent("undo", server1.disk) == CommandResult(0, "", "")
    assert digest(server1.disk) == original


def test_an_answer_that_cannot_be_written(server1: BuiltMachine, donor: BuiltMachine) -> None:
    """The work is done and its exit status stays; that the answer is lost is told."""
    full = prefixed("sh", "-c", 'exec "$@" >/dev/full', "sh")
    done = full("repair", server1.disk, *TARGET, "--drivers", donor.disk, "--quiet")
    assert done.status == 0
    assert done.stderr == ("bootgraft: the answer could not be written to standard output (No space left on device).\n")
