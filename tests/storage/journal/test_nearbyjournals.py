"""Journals and pointers that somebody else planted: nothing of them is read, and they hold nobody up for long."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.storage.journal.test_commit import A_JOURNAL, B_POINTER, repair
from tests.storage.journal_machine import RawMachine, crash, noise, open_raw, two_disks
from tests.twousers import NOBODY, as_nobody, shared_folder

from bootgraft.errors import ForeignFileError, ImageInUseError, JournalError
from bootgraft.events import Event, EventKind
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.fileidentity import identify_file
from bootgraft.storage.journal import nearbyjournals
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import find_journal, find_journals, require_journal, require_no_unfinished
from bootgraft.storage.journal.undo import resume, undo

PLANTS = {
    "a copy of a true one": "cp true {name}",
    "garbage": "echo garbage > {name}",
    "a pipe": "mkfifo {name}",
    "a link to root's": "ln -s true {name}",
    "a folder": "mkdir {name}",
}
"""Shell commands that make what is to pass for a journal; ``true`` is one of the same machine."""
A_POINTER = "a.img.bootgraft-journal-pointer"


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


def told(locations: list[str]) -> list[str]:
    """What a command that only reads tells of what it passes over."""
    events: list[Event] = []
    require_no_unfinished(locations, monitor=events.append)
    assert all(event.kind is EventKind.WARNING for event in events), "it is told even in quiet mode"
    return [event.text for event in events]


def undone(machine: RawMachine) -> None:
    with machine.open() as images:
        undo(images, machine.journal())


def interrupted(machine: RawMachine) -> Path:
    """Have the machine's repair die when its journal has its name; return the journal."""
    steps = iter(range(100))
    while not (machine.folder / A_JOURNAL).exists():
        assert crash(next(steps), lambda: repair(machine))
    return machine.folder / A_JOURNAL


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_journal_is_named_and_never_followed(shared: Path, plant: str) -> None:
    machine = two_disks(shared)
    shutil.copy(interrupted(machine), shared / "true")  # unfinished: whoever believed it would say so, and undo it
    (shared / "true").chmod(0o644)
    undone(machine)
    as_nobody(shared, PLANTS[plant].format(name="a.img.bootgraft-7.journal"))
    (said,) = told(machine.locations)
    assert said.startswith(f"passed over: {shared / 'a.img.bootgraft-7.journal'}: ")
    assert "belongs to nobody (65534)" in said
    for command in (find_journal, require_journal, require_no_unfinished):
        with pytest.raises(ForeignFileError, match=r"bootgraft-7\.journal: .*nobody.*nothing was written.*delete it"):
            command(machine.locations)
    with pytest.raises(ForeignFileError):
        repair(machine)
    assert machine.now() == machine.before


def test_a_planted_journal_hides_no_true_one(shared: Path) -> None:
    machine = two_disks(shared)
    interrupted(machine)
    as_nobody(shared, "echo garbage > a.img.bootgraft-2.journal")
    with pytest.raises(JournalError, match=r"(?s)a repair of this machine was interrupted.*bootgraft undo"):
        told(machine.locations)
    with pytest.raises(ForeignFileError):
        require_journal(machine.locations)
    (shared / "a.img.bootgraft-2.journal").unlink()
    undone(machine)
    assert machine.now() == machine.before


def test_thousands_of_planted_journals_are_not_opened(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = two_disks(shared)
    true = repair(machine)
    as_nobody(shared, 'for n in $(seq 2 4000); do : > "a.img.bootgraft-$n.journal"; done')
    opened: list[Path] = []
    real = os.open

    def counted(path: Any, *arguments: Any, **options: Any) -> int:
        opened.append(path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", counted)
    events: list[Event] = []
    (found,) = find_journals(machine.locations, monitor=events.append)
    assert found.path == true
    assert sorted(opened) == [true, shared / B_POINTER]
    assert len(events) == 4
    assert events[-1].text == "passed over: 3996 more like it"
    with pytest.raises(ForeignFileError, match=r"3998 more are like it"):
        find_journals(machine.locations)


def test_of_ones_own_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = RawMachine(tmp_path)
    machine.add("a.img", noise(1, 4096), [(0, noise(2, SECTOR), False)])
    for number in range(11):
        repair(machine, changes={"a.img": ((0, noise(number, SECTOR), False),)})
    monkeypatch.setattr(nearbyjournals, "_MAX_JOURNALS", 3)
    assert [found.head.serial for found in find_journals(machine.locations)] == [9, 10, 11]


def test_journals_that_would_take_long_to_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    monkeypatch.setattr(nearbyjournals, "_MAX_HEADS", 100)
    with pytest.raises(JournalError, match=r"larger together than a machine's can be.*Move those"):
        find_journals(machine.locations)


@pytest.mark.parametrize("plant", ["echo garbage > {}", "mkfifo {}", "ln -s /dev/zero {}", "cp true {}"])
def test_a_planted_pointer_is_named_and_never_followed(shared: Path, plant: str) -> None:
    machine = two_disks(shared)
    repair(machine)
    (shared / "true").write_bytes((shared / B_POINTER).read_bytes())
    as_nobody(shared, plant.format(A_POINTER))
    (said,) = told(machine.locations)
    assert f"{shared / A_POINTER}: this pointer to an undo journal does not count: it belongs to nobody" in said
    with pytest.raises(ForeignFileError, match=A_POINTER):
        require_journal(machine.locations)


def test_a_planted_pointer_is_left_alone_by_what_is_done_already(shared: Path) -> None:
    machine = two_disks(shared)
    repair(machine)
    journal = machine.journal()
    (shared / B_POINTER).unlink()
    as_nobody(shared, f"echo garbage > {B_POINTER}")
    with machine.open() as images:
        undo(images, journal)
    assert machine.now() == machine.before
    assert machine.others() == [B_POINTER]


def test_a_pointer_must_count_for_the_journals_that_it_names(shared: Path) -> None:
    """Beside a disk of that user's own, for a journal of root's."""
    machine = two_disks(shared)
    repair(machine)
    as_nobody(
        shared,
        f"""
        : > c.img
        printf '{{"pointer": "bootgraft-journal", "version": 1, "journals": ["{A_JOURNAL}"]}}' \
            > c.img.bootgraft-journal-pointer
        chmod 600 c.img.bootgraft-journal-pointer""",
    )
    assert "c.img.bootgraft-journal-pointer" in told([str(shared / "c.img")])[0]
    os.chown(shared / A_JOURNAL, NOBODY, -1)
    found = find_journals([str(shared / "c.img")], monitor=lambda _event: None)
    assert found == (), "the journal covers disks of root's"


def test_the_owner_of_every_disk_may_leave_a_journal_to_root(shared: Path) -> None:
    machine = two_disks(shared)
    journal = repair(machine)
    for path in shared.iterdir():
        os.chown(path, NOBODY, -1)
    assert machine.journal().path == journal
    os.chown(shared / "b.img", 0, -1)
    with pytest.raises(ForeignFileError, match="does not own every disk"):
        machine.journal()
    os.chown(shared / "b.img", NOBODY, -1)
    undone(machine)
    assert machine.now() == machine.before


def test_a_journal_of_the_same_name_from_elsewhere_is_about_the_disk_that_is_given(shared: Path) -> None:
    """It names disks of its owner's, and would be applied to root's of the same name."""
    theirs, mine = two_disks(shared / "theirs"), two_disks(shared / "mine")
    journal = repair(theirs)
    for path in (shared / "theirs").iterdir():
        os.chown(path, NOBODY, -1)
    assert theirs.journal().path == journal
    for given in (mine.locations, mine.locations[:1]):
        with pytest.raises(ForeignFileError):
            require_journal(given, journal)
        with pytest.raises(ForeignFileError):
            find_journals(given, journal, monitor=lambda _event: None)


def test_a_journal_that_is_not_about_a_file_is_roots_or_ones_own(shared: Path) -> None:
    machine = two_disks(shared)
    journal = repair(machine).rename(shared / "j")
    os.chown(journal, NOBODY, -1)
    for path in machine.locations:
        os.chown(path, NOBODY, -1)
    (shared / B_POINTER).unlink()
    assert require_journal(machine.locations, journal).explicit
    with pytest.raises(ForeignFileError):
        require_journal([*machine.locations, "nbd://host/disk"], journal)


@pytest.mark.parametrize("work", [undo, resume])
def test_what_is_opened_in_the_end_must_belong_to_the_journals_owner(shared: Path, work: Any) -> None:
    """The journal names one disk of its owner's, and that leads into an extent of root's."""
    machine = two_disks(shared)
    interrupted(machine)
    for path in shared.iterdir():
        os.chown(path, NOBODY, -1)
    journal = machine.journal()
    assert journal.state is JournalState.UNFINISHED
    (shared / "roots.img").write_bytes(machine.before["a.img"])
    with open_raw(str(shared / "a.img")) as a, open_raw(str(shared / "b.img")) as b:
        roots = shared / "roots.img"
        files, identities = (*a.info.files, roots), (*a.info.identities, identify_file(roots))
        a.info = replace(a.info, files=files, identities=identities)
        with pytest.raises(ForeignFileError, match="does not own every disk and file"):
            work([a, b], journal)
    assert machine.now() == machine.before


def test_the_owner_that_counts_is_that_of_what_is_open(shared: Path) -> None:
    """While root's image is open, its name leads to a file of the journal's owner."""
    machine = two_disks(shared)
    interrupted(machine)
    with machine.open() as images:
        for path in shared.iterdir():
            os.chown(path, 0 if path.name == "a.img" else NOBODY, -1)
        (shared / "a.img").rename(shared / "aside.img")
        as_nobody(shared, "cp b.img a.img")
        journal = machine.journal()
        with pytest.raises(ImageInUseError, match="put another file in its place"):
            undo(images, journal)
    (shared / "aside.img").replace(shared / "a.img")
    assert machine.now() == machine.before


@pytest.mark.parametrize("spoil", ["link", "mode"])
def test_ones_own_that_is_doubtful_ends_every_command(tmp_path: Path, spoil: str) -> None:
    machine = two_disks(tmp_path)
    journal = repair(machine)
    if spoil == "link":
        (tmp_path / "second").hardlink_to(journal)
    else:
        journal.chmod(0o620)
    with pytest.raises(JournalError, match="this undo journal does not count"):
        told(machine.locations)
    with pytest.raises(JournalError, match="this undo journal does not count"):
        require_journal(machine.locations)
    assert machine.now() == machine.after


def test_where_everybody_may_write_to_everything_a_journal_counts(tmp_path: Path) -> None:
    """FAT, CIFS, ntfs-3g: the mount gives every file the same mode."""
    machine = two_disks(tmp_path)
    repair(machine)
    for path in tmp_path.iterdir():
        path.chmod(0o777)
    undone(machine)
    assert machine.now() == machine.before
