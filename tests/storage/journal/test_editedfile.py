"""A machine's description in the journal: never torn, and undone with the disks or alone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.storage.journal_machine import RawMachine, crash, two_disks

from bootgraft.errors import ImageError, JournalError
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.editedfile import current_content, draft_edit, replace_content
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.journalfile import VERSION, VERSION_WITH_FILE
from bootgraft.storage.journal.journalsearch import find_journal, new_journal_path, require_journal
from bootgraft.storage.journal.transaction import Transaction
from bootgraft.storage.journal.undo import Description, resume, undo

OLD, NEW = b'ethernet0.present = "TRUE"\r\n', b'ethernet0.present = "TRUE"\r\nethernet0.startConnected = "FALSE"\r\n'


class Described:
    """A machine with a description in a folder of its own, like a domain of libvirt's."""

    def __init__(self, folder: Path, *, disks: bool) -> None:
        self.disks = two_disks(folder) if disks else RawMachine(folder)
        self.path = folder / "conf" / "server1.vmx"
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(OLD)

    @property
    def locations(self) -> list[str]:
        return [*self.disks.locations, str(self.path)]

    def journal(self) -> Journal:
        return require_journal(self.locations)

    def repair(self) -> Path:
        with self.disks.open() as images:
            transaction: Transaction = self.disks.transaction(images)
            transaction = replace(transaction, edited=draft_edit(str(self.path), OLD, NEW))
            return commit(transaction, journal=new_journal_path(self.locations))

    def undo(self) -> None:
        with self.disks.open() as images:
            undo(images, self.journal(), description=Description(str(self.path), OLD))

    def resume(self) -> None:
        with self.disks.open() as images:
            resume(images, self.journal(), description=str(self.path))

    def begin_again(self) -> None:
        for path in self.disks.folder.rglob("*"):
            if path.is_file():
                path.unlink()
        self.disks.restore()
        self.path.write_bytes(OLD)

    def files(self) -> list[str]:
        """The files that are neither disk nor description, nor a pointer that was being written when all ended."""
        others = [name for name in self.disks.others() if name != "conf/server1.vmx"]
        return [name for name in others if not name.endswith("pointer.partial")]


@pytest.fixture(params=[True, False], ids=["with disks", "alone"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Described:
    return Described(tmp_path / "vm", disks=request.param)


def test_undone_byte_for_byte(machine: Described) -> None:
    journal = machine.repair()
    assert machine.path.read_bytes() == NEW
    assert machine.disks.now() == machine.disks.after
    assert machine.journal().head.edited is not None
    assert find_journal([str(machine.path)]) == machine.journal()  # the description alone leads to it too
    assert journal.read_bytes()[16] == VERSION_WITH_FILE
    machine.undo()
    assert (machine.path.read_bytes(), machine.disks.now()) == (OLD, machine.disks.before)
    assert machine.files() == []


def test_a_journal_without_a_description_is_what_it_was(tmp_path: Path) -> None:
    disks = two_disks(tmp_path)
    with disks.open() as images:
        journal = commit(disks.transaction(images), journal=new_journal_path(disks.locations))
    assert journal.read_bytes()[16] == VERSION
    assert b"edited" not in journal.read_bytes()


@pytest.mark.parametrize("recover", [Described.undo, Described.resume], ids=["undo", "resume"])
def test_killed_at_any_step(machine: Described, recover: Callable[[Described], None]) -> None:
    step = 0
    while crash(step, machine.repair, torn=True):
        step += 1
        content = machine.path.read_bytes()
        assert content in (OLD, NEW)
        journal = find_journal(machine.locations)
        if journal is None:
            assert (content, machine.disks.now()) == (OLD, machine.disks.before)
        elif journal.state is JournalState.UNFINISHED:
            recover(machine)
            is_undone = recover is Described.undo
            assert machine.path.read_bytes() == (OLD if is_undone else NEW)
            assert machine.disks.now() == (machine.disks.before if is_undone else machine.disks.after)
            if not is_undone:
                machine.undo()
            assert machine.files() == []
        machine.begin_again()
    assert step > 10


def test_an_undo_killed_at_any_step_is_begun_again(machine: Described) -> None:
    step = 0
    machine.repair()
    while crash(step, machine.undo, torn=True):
        step += 1
        assert machine.path.read_bytes() in (OLD, NEW)
        if find_journal(machine.locations) is not None:
            machine.undo()
        assert (machine.path.read_bytes(), machine.disks.now()) == (OLD, machine.disks.before)
        machine.begin_again()
        machine.repair()
    assert step > 5


def test_the_description_must_be_given(tmp_path: Path) -> None:
    machine = Described(tmp_path, disks=True)
    machine.repair()
    for vm, said in ((None, "that was not given"), (Description(str(tmp_path / "other.vmx"), OLD), "is another one")):
        with machine.disks.open() as images, pytest.raises(JournalError, match=said) as fault:
            undo(images, machine.journal(), description=vm)
        assert fault.value.advice.endswith(f"--vm {machine.path}")
    assert machine.path.read_bytes() == NEW


def test_one_that_was_changed_meanwhile_is_not_edited(tmp_path: Path) -> None:
    path = tmp_path / "a.vmx"
    path.write_bytes(b"something else")
    with pytest.raises(ImageError, match="it was changed by another program just now"):
        draft_edit(str(path), OLD, NEW)
    with pytest.raises(JournalError, match="reading the machine's description failed"):
        draft_edit(str(tmp_path / "no.vmx"), OLD, NEW)


def test_a_resume_does_not_overwrite_what_others_wrote(tmp_path: Path) -> None:
    machine = Described(tmp_path, disks=True)
    step = 0
    while find_journal(machine.locations) is None:
        machine.begin_again()
        assert crash(step, machine.repair)
        step += 1
    machine.path.write_bytes(OLD + b'memsize = "512"\r\n')
    with pytest.raises(JournalError, match="was edited since the repair was interrupted"):
        machine.resume()
    assert machine.path.read_bytes() == OLD + b'memsize = "512"\r\n'


def test_mode_owner_and_link_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.vmx"
    real.write_bytes(OLD)
    real.chmod(0o754)
    if os.geteuid() == 0:
        os.chown(real, 1234, 2345)
    owner = (real.stat().st_uid, real.stat().st_gid)
    (tmp_path / "link.vmx").symlink_to(real)
    replace_content(tmp_path / "link.vmx", NEW)
    assert (tmp_path / "link.vmx").is_symlink()
    assert current_content(real) == NEW
    assert (real.stat().st_mode & 0o7777, real.stat().st_uid, real.stat().st_gid) == (0o754, *owner)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.vmx", "real.vmx"]


def test_what_it_reads_already_is_written_all_the_same(tmp_path: Path) -> None:
    """The rename that it reads from may not have reached the storage: a flush of the folder may have failed."""
    path = tmp_path / "a.vmx"
    path.write_bytes(NEW)
    inode = path.stat().st_ino
    replace_content(path, NEW)
    assert path.stat().st_ino != inode
    assert path.read_bytes() == NEW
