"""Commit: what is written, in which order, and what is left wherever it is killed."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.storage.journal_machine import FakeOverlay, RawMachine, crash, noise, open_raw, two_disks
from tests.storage.openers import holding

from bootgraft.errors import BootgraftError, ImageError, ImageInUseError, JournalError, ReadOnlyError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.fileidentity import FileIdentity
from bootgraft.storage.images.opening import OpenImage
from bootgraft.storage.journal import commit as commit_module
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalfile import JournalFile
from bootgraft.storage.journal.journalsearch import find_journal, new_journal_path, require_no_unfinished
from bootgraft.storage.journal.undo import resume, undo

A_JOURNAL = "a.img.bootgraft-1.journal"
B_POINTER = "b.img.bootgraft-journal-pointer"


def repair(machine: RawMachine, journal: Path | None = None, changes: Any = None) -> Path:
    with machine.open() as images:
        path = new_journal_path(machine.locations, journal)
        return commit(machine.transaction(images, changes), journal=path)


def test_a_commit_writes_every_disk_under_one_sealed_journal(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    path = repair(machine)
    assert path == tmp_path / A_JOURNAL
    assert machine.now() == machine.after
    assert machine.others() == [A_JOURNAL, B_POINTER]
    assert machine.journal().state is JournalState.SEALED
    assert machine.journal().head.summary == "driver symmpi.sys\nservice symmpi"
    assert path.stat().st_mode & 0o777 == 0o600, "a journal holds pieces of registry hives"
    require_no_unfinished(machine.locations)


def test_the_journal_holds_old_and_new_and_constant_parts_take_no_room(tmp_path: Path) -> None:
    before = noise(1, 2**20) + bytes(2**20)
    machine = RawMachine(tmp_path)
    machine.add("a.img", before, [(0, bytes(2**20), False), (2**20, b"\xff" * 2**20, True)])
    path = repair(machine)
    assert 2**20 < path.stat().st_size < 2**20 + 4096
    with JournalFile(path) as file:
        stretches = file.verify()
        for stored in stretches:
            extent = stored.extent
            old, new = (file.content(stored, 0, extent.length, new=new) for new in (False, True))
            assert old == before[extent.offset : extent.offset + extent.length]
            assert new == machine.after["a.img"][extent.offset : extent.offset + extent.length]
    assert [(s.extent.offset, s.extent.length, s.extent.old, s.extent.new) for s in stretches] == [
        (0, 2**20, None, 0),
        (2**20, 2**20, 0, 255),
    ]


def test_witnesses_are_kept_only_where_the_repair_writes_nothing(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add(
        "a.img", noise(1, 65536), [(4096, noise(2, 4096), False), (12288, noise(3, 512), False)], (0, 16384), (5000, 10)
    )
    repair(machine)
    assert [(w.offset, w.length) for w in machine.journal().head.witnesses] == [(0, 4096), (8192, 4096), (12800, 3584)]


def test_repairs_stack_and_are_undone_newest_first(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    second = {"a.img": ((0, noise(7, SECTOR), False),), "b.img": ((512, noise(8, SECTOR), False),)}
    middle = machine.now()
    assert repair(machine, changes=second).name == "a.img.bootgraft-2.journal"
    assert machine.journal().head.serial == 2
    for expected in (middle, machine.before):
        with machine.open() as images:
            undo(images, machine.journal())
        assert machine.now() == expected
    assert machine.others() == []


def test_a_journal_elsewhere_has_pointers_beside_every_disk(tmp_path: Path) -> None:
    machine = two_disks(tmp_path / "vm")
    (tmp_path / "journals").mkdir()
    path = repair(machine, tmp_path / "journals" / "j")
    assert machine.others() == ["a.img.bootgraft-journal-pointer", B_POINTER]
    assert find_journal(machine.locations[1:]) == machine.journal()
    with machine.open() as images:
        undo(images, machine.journal())
    assert machine.others() == []
    assert not path.exists()
    assert machine.now() == machine.before


@pytest.mark.parametrize("torn", [False, True])
def test_killed_at_any_step_it_can_be_undone_and_finished(tmp_path: Path, torn: bool) -> None:
    machine = two_disks(tmp_path)
    states = []
    step = 0
    while True:
        machine.restore()
        if not crash(step, lambda: repair(machine), torn=torn):
            break
        found = find_journal(machine.locations)
        states.append(found.state if found else None)
        if found is None:
            assert machine.now() == machine.before
            require_no_unfinished(machine.locations)
            repair(machine)  # takes over the temporary file that was left
            assert machine.now() == machine.after
        else:
            _mend_both_ways(machine)
        with machine.open() as images:
            undo(images, machine.journal())
        assert machine.now() == machine.before
        assert machine.others() == []
        step += 1
    assert step > 25
    order = [None, JournalState.UNFINISHED, JournalState.SEALED]
    assert [order.index(state) for state in states] == sorted(order.index(state) for state in states)
    assert states.count(JournalState.UNFINISHED) > 8


def _mend_both_ways(machine: RawMachine) -> None:
    """Undo, put the crashed state back, resume; the repair is sealed then."""
    crashed = {path: path.read_bytes() for path in machine.folder.iterdir()}
    if machine.journal().state is JournalState.UNFINISHED:
        with pytest.raises(JournalError, match=r"(?s)bootgraft undo .*a\.img .*b\.img.*bootgraft repair .* --resume"):
            require_no_unfinished(machine.locations[:1])
        with machine.open() as images:
            undo(images, machine.journal())
        assert machine.now() == machine.before
        assert all(name.endswith(".partial") for name in machine.others())
        for path, content in crashed.items():
            path.write_bytes(content)
        with machine.open() as images:
            assert resume(images, machine.journal())
    assert machine.now() == machine.after
    assert machine.journal().state is JournalState.SEALED
    assert B_POINTER in machine.others()
    with machine.open() as images:
        assert not resume(images, machine.journal())


def test_no_space_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = two_disks(tmp_path)
    real = os.fstatvfs

    def full(descriptor: int) -> os.statvfs_result:
        return os.statvfs_result((*real(descriptor)[:4], 0, *real(descriptor)[5:]))

    monkeypatch.setattr(os, "fstatvfs", full)
    with pytest.raises(
        JournalError, match=r"no space for the undo journal, which needs 1 MiB in .*--journal PATH"
    ) as info:
        repair(machine)
    assert info.value.exit_status == 3
    assert machine.now() == machine.before
    assert machine.others() == []


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite", "fsync", "rename"])
def test_a_refusal_of_the_file_system_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    machine = two_disks(tmp_path)

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(JournalError, match="--journal PATH"):
            repair(machine)
    assert machine.now() == machine.before
    assert machine.others() == []


def test_a_pointer_that_cannot_be_published_takes_the_journal_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)
    real = os.rename

    def refuse(source: Any, target: Any) -> None:
        if Path(target).name == B_POINTER:
            raise OSError(errno.EROFS, "Read-only file system")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        with pytest.raises(JournalError, match=r"Read-only file system.*Make .* writable") as caught:
            repair(machine)
    assert "--journal" not in caught.value.advice, "the pointer lies beside the disk wherever the journal lies"
    assert machine.now() == machine.before
    assert machine.others() == []


def test_a_folder_that_is_not_there_or_a_name_that_is_taken(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    with pytest.raises(JournalError, match="No such file"):
        repair(machine, tmp_path / "nowhere" / "j")
    (tmp_path / "taken").write_bytes(b"mine")
    with pytest.raises(JournalError, match="there is something at this place"):
        repair(machine, tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == b"mine"
    with machine.open() as images, pytest.raises(JournalError, match="there is something at this place"):
        commit(machine.transaction(images), journal=tmp_path / "taken")
    assert machine.now() == machine.before


def _as_link(partial: Path, target: Path) -> None:
    partial.symlink_to(target)


def _as_hard_link(partial: Path, target: Path) -> None:
    partial.hardlink_to(target)


def _as_pipe(partial: Path, target: Path) -> None:
    os.mkfifo(partial)


def _as_open_file(partial: Path, target: Path) -> None:
    partial.write_bytes(b"x" * 4096)
    partial.chmod(0o666)


@pytest.mark.parametrize("leave", [_as_link, _as_hard_link, _as_pipe, _as_open_file])
def test_what_lies_at_the_temporary_name_is_removed_and_never_opened(
    tmp_path: Path, leave: Callable[[Path, Path], None]
) -> None:
    machine = two_disks(tmp_path)
    target = tmp_path / "precious"
    target.write_bytes(b"mine")
    for name in (A_JOURNAL, B_POINTER):
        leave(tmp_path / f"{name}.partial", target)
    repair(machine)
    assert machine.now() == machine.after
    assert target.read_bytes() == b"mine"
    assert machine.others() == [A_JOURNAL, B_POINTER, "precious"]
    for name in (A_JOURNAL, B_POINTER):
        status = (tmp_path / name).lstat()
        assert (stat.S_IFMT(status.st_mode), status.st_mode & 0o777, status.st_nlink) == (stat.S_IFREG, 0o600, 1)


def test_a_folder_at_the_temporary_name_is_told(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    (tmp_path / f"{A_JOURNAL}.partial").mkdir()
    with pytest.raises(JournalError, match=r"this name is needed.*Is a directory.*--journal PATH"):
        repair(machine)
    assert machine.now() == machine.before
    assert machine.others() == []


class FullDevice:
    """A disk whose storage is full after so many writes."""

    def __init__(self, device: Any, writes: int) -> None:
        self.device, self.writes = device, writes

    @property
    def size(self) -> int:
        return int(self.device.size)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self.device.read(offset, length))

    def write(self, offset: int, data: bytes, /) -> None:
        if self.writes == 0:
            raise ImageError("byte 0 cannot be written (No space left)", where="a.img", advice="Free space")
        self.writes -= 1
        self.device.write(offset, data)

    def flush(self) -> None:
        self.device.flush()

    def read_back(self, offset: int, length: int, /) -> bytes:
        return bytes(self.device.read_back(offset, length))

    def opened_files(self) -> frozenset[FileIdentity]:
        return frozenset(self.device.opened_files())

    def close(self) -> None:
        self.device.close()


def test_storage_that_fills_up_half_way_names_the_commands_that_mend_it(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    with machine.open() as images:
        broken = OpenImage(images[0].info, FullDevice(images[0].device, 2), writable=True)
        with pytest.raises(JournalError, match=r"(?s)interrupted.*Free space.*bootgraft undo .*--resume"):
            commit(machine.transaction([broken, images[1]]), journal=new_journal_path(machine.locations))
    assert machine.now() not in (machine.before, machine.after)
    assert machine.journal().state is JournalState.UNFINISHED
    with pytest.raises(JournalError, match="interrupted"):
        repair(machine)
    with machine.open() as images:
        undo(images, machine.journal())
    assert machine.now() == machine.before


def test_a_journal_that_cannot_be_read_half_way_names_the_commands_that_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)
    real, calls = JournalFile.content, iter(range(2))

    def fails(file: JournalFile, *where: Any, **side: Any) -> bytes:
        if next(calls, None) is None:
            raise JournalError("reading the undo journal failed: Input/output error", where="j", advice="Check it")
        return real(file, *where, **side)

    with monkeypatch.context() as patch:
        patch.setattr(commit_module, "remember", lambda *_arguments: None)  # it reads the journal too
        patch.setattr(JournalFile, "content", fails)
        with pytest.raises(JournalError, match=r"(?s)interrupted.*Input/output.*bootgraft undo .*--resume"):
            repair(machine)
    assert machine.now() not in (machine.before, machine.after)
    with machine.open() as images:
        undo(images, machine.journal())
    assert machine.now() == machine.before


def test_a_folder_without_locks_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(JournalError, match=r"locking the undo journal failed: No locks available.*--journal PATH"):
        repair(machine)
    assert machine.now() == machine.before
    assert machine.others() == []


def test_images_must_be_writable_and_are_left_locked_by_others(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    images = [open_raw(location, writable=False) for location in machine.locations]
    with pytest.raises(ReadOnlyError):
        commit(machine.transaction(images), journal=tmp_path / "j")
    with pytest.raises(ImageInUseError):
        repair(machine)
    for image in images:
        image.close()
    assert machine.others() == []


def test_a_command_beside_a_commit_under_way_is_told_to_wait(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    told: list[BootgraftError] = []

    def look(_event: object) -> None:
        try:
            require_no_unfinished(machine.locations)
        except BootgraftError as error:
            told.append(error)

    with machine.open() as images:
        commit(machine.transaction(images), journal=new_journal_path(machine.locations), monitor=look)
    assert told
    assert all(isinstance(error, ImageInUseError) for error in told)


def test_any_summary_and_any_file_name_can_be_read_back(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add("caf\udce9 '\U0001f4be'.img", noise(1, 4096), [(0, noise(2, 512), False)])
    with machine.open() as images:
        transaction = replace(machine.transaction(images), summary="caf\udce9\x1b[2J\n")
        commit(transaction, journal=new_journal_path(machine.locations))
    assert machine.journal().head.summary == "caf?\N{REPLACEMENT CHARACTER}[2J\n"
    with machine.open() as images:
        undo(images, machine.journal())
    assert machine.now() == machine.before


def test_a_head_larger_than_undo_reads_is_not_written(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    with machine.open() as images, pytest.raises(JournalError):
        commit(replace(machine.transaction(images), summary="x" * 2**24), journal=new_journal_path(machine.locations))
    assert machine.now() == machine.before
    assert machine.others() == []


def test_the_overlay_must_speak_in_sectors(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path)
    machine.add("a.img", noise(1, 4096), [(100, b"x" * 10, False)])
    with pytest.raises(JournalError, match="sectors"):
        repair(machine)
    assert machine.now() == machine.before
    assert FakeOverlay(b"abc", ()).content() == b"abc"


def test_an_image_that_another_program_opens_meanwhile_is_not_written(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    with machine.open() as images:
        transaction, journal = machine.transaction(images), new_journal_path(machine.locations, None)
        with holding(tmp_path / "b.img", "r"), pytest.raises(ImageInUseError, match=r"b\.img: .* cat \(pid"):
            commit(transaction, journal=journal)
        assert machine.others() == []
        assert machine.now() == machine.before
        commit(transaction, journal=journal)
    assert machine.now() == machine.after
