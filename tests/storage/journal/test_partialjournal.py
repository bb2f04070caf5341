"""The temporary file of a journal: always a new one, and one bootgraft at a time."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.storage.journal.test_commit import A_JOURNAL, B_POINTER, repair
from tests.storage.journal_machine import two_disks
from tests.twousers import NOBODY, as_nobody, shared_folder

from bootgraft.errors import ImageInUseError, JournalError
from bootgraft.storage.journal import partialjournal
from bootgraft.storage.journal.journalfile import lock_file
from bootgraft.storage.journal.partialjournal import open_partial
from bootgraft.storage.newfile import create_new, make_way

PARTIAL = f"{A_JOURNAL}.partial"


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


@pytest.mark.parametrize("plant", [": > {}", "echo longer than nothing > {}", "mkfifo {}", "ln -s precious {}"])
def test_what_another_user_made_beforehand_is_not_ours_afterwards(shared: Path, plant: str) -> None:
    machine = two_disks(shared)
    (shared / "precious").write_bytes(b"mine")
    for name in (A_JOURNAL, B_POINTER):
        as_nobody(shared, plant.format(f"{name}.partial"))
    repair(machine)
    assert machine.now() == machine.after
    assert machine.others() == [A_JOURNAL, B_POINTER, "precious"]
    assert (shared / "precious").read_bytes() == b"mine"
    for name in (A_JOURNAL, B_POINTER):
        status = (shared / name).lstat()
        assert (status.st_uid, status.st_mode & 0o777, status.st_nlink) == (0, 0o600, 1)


def test_another_users_lock_keeps_nobody_off(shared: Path) -> None:
    machine = two_disks(shared)
    as_nobody(shared, f": > {PARTIAL}")
    with (shared / PARTIAL).open("rb") as theirs:  # as they would hold it: the lock belongs to the open file
        fcntl.flock(theirs, fcntl.LOCK_EX)
        repair(machine)
    assert machine.now() == machine.after


def test_of_two_bootgrafts_one_writes_a_journal(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    first = open_partial(journal, ())
    for _ in range(2):
        with pytest.raises(ImageInUseError, match="another bootgraft is writing"):
            open_partial(journal, ())
    assert os.path.samestat(os.fstat(first), (tmp_path / "j.partial").stat())
    os.close(first)  # killed
    second = open_partial(journal, ())
    os.close(second)


def test_one_that_was_taken_for_a_left_one_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another bootgraft removes it between its creation and its lock, and creates its own."""
    journal = tmp_path / "j"
    other: list[int] = []

    def late(descriptor: int, *arguments: Any, **options: Any) -> None:
        if not other:
            (tmp_path / "j.partial").unlink()
            other.append(create_new(tmp_path / "j.partial"))
        lock_file(descriptor, *arguments, **options)

    monkeypatch.setattr(partialjournal, "lock_file", late)
    with pytest.raises(JournalError, match="there is something at this place already"):
        open_partial(journal, ())
    assert os.path.samestat(os.fstat(other[0]), (tmp_path / "j.partial").stat()), "the other's is left alone"
    os.close(other[0])


def test_one_that_was_exchanged_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of another user's, who puts an own file in the place of the finished journal."""
    with shared_folder(owner=NOBODY, mode=0o755) as folder:
        machine = two_disks(folder)
        real = os.rename

        def exchanged(source: Any, target: Any) -> None:
            if Path(target).name == A_JOURNAL:
                as_nobody(folder, f"rm -f {PARTIAL}; echo theirs > {PARTIAL}")
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", exchanged)
            with pytest.raises(JournalError, match="another program put its own file there"):
                repair(machine)
        assert machine.now() == machine.before
        assert machine.others() == [A_JOURNAL]
        assert (folder / A_JOURNAL).read_text() == "theirs\n", "it is theirs, and is not touched"


def test_a_place_that_is_taken_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken_again(path: Path, **options: Any) -> None:
        make_way(path, **options)
        os.mkfifo(path)

    monkeypatch.setattr(partialjournal, "make_way", taken_again)
    os.mkfifo(tmp_path / "j.partial")
    with pytest.raises(JournalError, match=r"File exists.*--journal PATH"):
        open_partial(tmp_path / "j", ())


def test_a_file_system_that_gives_files_away_is_told_before_anything_is_written(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS that maps root to nobody: the undo journal would be one that no undo trusts."""
    machine = two_disks(shared)

    def squashed(path: Path) -> int:
        descriptor = create_new(path)
        os.fchown(descriptor, NOBODY, -1)
        return descriptor

    monkeypatch.setattr(partialjournal, "create_new", squashed)
    with pytest.raises(JournalError, match=r"gives new files to another user.*nothing was written.*--journal PATH"):
        repair(machine)
    assert machine.now() == machine.before
    assert machine.others() == []
    for path in machine.locations:
        os.chown(path, NOBODY, -1)
    repair(machine)  # where the disks are given away alike, it counts
    assert machine.journal().path == shared / A_JOURNAL
