"""Undo and resume: byte for byte, only where the machine has not run, and again after being killed."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.storage.journal.test_commit import A_JOURNAL, B_POINTER, repair
from tests.storage.journal_machine import RawMachine, crash, open_raw, two_disks
from tests.storage.openers import holding

from bootgraft.errors import ImageError, ImageInUseError, JournalError, ReadOnlyError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.images.opening import OpenImage
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.journalsearch import find_journal, require_no_unfinished
from bootgraft.storage.journal.undo import resume, undo


def take_back(machine: RawMachine) -> None:
    with machine.open() as images:
        undo(images, machine.journal())


def change(machine: RawMachine, name: str, offset: int, data: bytes) -> None:
    with (machine.folder / name).open("r+b") as file:
        file.seek(offset)
        file.write(data)


def crash_in_the_middle(machine: RawMachine) -> None:
    """Leave an unfinished journal with some stretches written and some not."""
    step = 0
    while True:
        machine.restore()
        for name in machine.others():
            (machine.folder / name).unlink()
        assert crash(step, lambda: repair(machine), torn=True)
        step += 1
        with contextlib.suppress(JournalError):
            require_no_unfinished(machine.locations)
            continue
        if machine.now()["a.img"] != machine.before["a.img"]:
            return


def test_undo_is_byte_identical_and_removes_all_traces(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    with machine.open() as images:
        undo(images[::-1], machine.journal())
    assert machine.now() == machine.before
    assert machine.others() == []


@pytest.mark.parametrize(
    ("name", "offset"),
    [("a.img", 7 * SECTOR + 5), ("a.img", 16384), ("a.img", 100003), ("b.img", 8492 - 1), ("b.img", 99)],
)
def test_a_machine_that_has_run_is_not_undone(tmp_path: Path, name: str, offset: int) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    byte = machine.after[name][offset]
    change(machine, name, offset, bytes([byte ^ 1]))
    changed = machine.now()
    disk = list(machine.before).index(name)
    with pytest.raises(
        JournalError, match=rf"has run.*since the repair \(disk {disk}, byte .*would destroy its volume"
    ):
        take_back(machine)
    assert machine.now() == changed
    assert machine.others() == [A_JOURNAL, B_POINTER]
    assert machine.journal().state is JournalState.SEALED


def test_a_sealed_repair_of_which_one_sector_reads_old_again_is_not_undone(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    change(machine, "a.img", 5 * SECTOR, machine.before["a.img"][5 * SECTOR : 6 * SECTOR])
    with pytest.raises(JournalError, match="byte 2560: not what the repair wrote"):
        take_back(machine)


def test_the_exact_byte_is_named(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    crash_in_the_middle(machine)
    at = 6 * SECTOR + 100
    unknown = next(b for b in range(256) if b not in (machine.before["a.img"][at], machine.after["a.img"][at]))
    change(machine, "a.img", 6 * SECTOR, machine.after["a.img"][6 * SECTOR : 7 * SECTOR])
    change(machine, "a.img", at, bytes([unknown]))
    changed = machine.now()
    for work in (undo, resume):
        with machine.open() as images, pytest.raises(JournalError, match=f"byte {at}: neither the old nor the new"):
            work(images, machine.journal())
    assert machine.now() == changed


def test_a_sector_half_old_and_half_new_is_refused(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    crash_in_the_middle(machine)
    half = machine.before["a.img"][0:256] + machine.after["a.img"][256:512]
    change(machine, "a.img", 0, half)
    with pytest.raises(JournalError, match="disk 0, byte 0: neither"):
        take_back(machine)


def test_an_interrupted_repair_of_a_machine_that_has_run_is_not_finished(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    crash_in_the_middle(machine)
    change(machine, "a.img", 4100, b"ran")
    changed = machine.now()
    for work in (undo, resume):
        with machine.open() as images, pytest.raises(JournalError, match="Windows changes whenever it runs"):
            work(images, machine.journal())
    assert machine.now() == changed


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
def test_an_undo_killed_at_any_step_is_finished_by_the_next(tmp_path: Path, torn: bool, sealed: bool) -> None:
    machine = two_disks(tmp_path)
    if sealed:
        repair(machine)
    else:
        crash_in_the_middle(machine)
    start = {path: path.read_bytes() for path in tmp_path.iterdir()}
    states = set()
    step = 0
    while True:
        for path, content in start.items():
            path.write_bytes(content)
        if not crash(step, lambda: take_back(machine), torn=torn):
            break
        found = find_journal(machine.locations)
        if found is not None:
            states.add(found.state)
            if found.state is JournalState.UNDOING:
                with pytest.raises(
                    JournalError, match=r"(?s)undo of this machine's repair was interrupted.*bootgraft undo"
                ):
                    require_no_unfinished(machine.locations)
                with machine.open() as images, pytest.raises(JournalError, match="undo of this machine"):
                    resume(images, found)
            take_back(machine)
        assert machine.now() == machine.before
        assert machine.others() == []
        step += 1
    assert step > 6
    assert states == {JournalState.SEALED if sealed else JournalState.UNFINISHED, JournalState.UNDOING}


def test_an_undo_that_stops_half_way_names_the_one_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)
    repair(machine)

    def fails(*_arguments: object) -> None:
        raise ImageError("byte 0 cannot be written (No space left)", where="a.img", advice="Free space")

    with monkeypatch.context() as patch:
        patch.setattr(RawFile, "write", fails)
        with pytest.raises(
            JournalError, match=r"(?s)interrupted.*Free space.*To finish the undo, run:\n    bootgraft undo"
        ) as caught:
            take_back(machine)
    assert "--resume" not in caught.value.advice
    take_back(machine)
    assert machine.now() == machine.before


def test_a_disk_that_is_missing_is_named(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    for location in machine.locations:
        missing = next(other for other in machine.locations if other != location)
        found = find_journal([location])
        assert found is not None
        with open_raw(location) as image, pytest.raises(JournalError) as info:
            undo([image], found)
        assert f"missing {missing}" in info.value.what
        assert f"bootgraft undo {' '.join(machine.locations)}" in info.value.advice
    assert machine.now() == machine.after


def test_a_folder_that_moved_takes_its_journal_along(tmp_path: Path) -> None:
    machine = two_disks(tmp_path / "old")
    repair(machine)
    machine.folder = machine.folder.rename(tmp_path / "new")
    take_back(machine)
    assert machine.now() == machine.before
    assert machine.others() == []


def test_another_disk_under_the_name_is_refused(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    (tmp_path / "b.img").write_bytes(bytes(4096))
    with pytest.raises(JournalError, match="4096 bytes"):
        take_back(machine)
    assert (tmp_path / "a.img").read_bytes() == machine.after["a.img"]


def test_images_open_for_reading_are_refused(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    with contextlib.ExitStack() as stack:
        images = [stack.enter_context(open_raw(location, writable=False)) for location in machine.locations]
        with pytest.raises(ReadOnlyError):
            undo(images, machine.journal())
    assert machine.journal().state is JournalState.SEALED


_VICTIM = """
import os, signal, sys
from pathlib import Path
from tests.storage.journal_machine import two_disks
from tests.storage.journal.test_commit import repair
from tests.storage.journal.test_undo import take_back

folder, work, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
machine = two_disks(folder / "plan")
machine.folder = folder / "vm"
count = 0
for name in ("pwrite", "fsync", "fdatasync", "rename", "unlink"):
    def step(*arguments, real=getattr(os, name)):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    setattr(os, name, step)
{"commit": repair, "undo": take_back}[work](machine)
"""


@pytest.mark.parametrize(("work", "at"), [("commit", 3), ("commit", 14), ("commit", 18), ("commit", 22), ("undo", 4)])
def test_a_real_sigkill(tmp_path: Path, work: str, at: int) -> None:
    machine = two_disks(tmp_path / "vm")
    if work == "undo":
        repair(machine)
    victim = subprocess.run(
        [sys.executable, "-c", _VICTIM, str(tmp_path), work, str(at)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert victim.returncode == -signal.SIGKILL
    if find_journal(machine.locations) is not None:
        take_back(machine)
    assert machine.now() == machine.before
    assert not [name for name in machine.others() if not name.endswith(".partial")]


@pytest.mark.parametrize("work", [undo, resume])
def test_an_image_that_another_program_opens_meanwhile_is_not_written(
    tmp_path: Path, work: Callable[[Sequence[OpenImage], Journal], object]
) -> None:
    machine = two_disks(tmp_path)
    crash_in_the_middle(machine)
    now, state = machine.now(), machine.journal().state
    with machine.open() as images:
        with holding(tmp_path / "b.img", "r"), pytest.raises(ImageInUseError, match=r"b\.img: .* cat \(pid"):
            work(images, machine.journal())
        assert (machine.now(), machine.journal().state) == (now, state)
        work(images, machine.journal())
    assert machine.now() == (machine.before if work is undo else machine.after)
