"""The index of unfinished journals: written before the disk, gone with the seal, and only believed from its owner."""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.storage.journal.test_commit import repair
from tests.storage.journal_machine import RawMachine, crash, noise, two_disks

from bootgraft.events import Event, EventKind
from bootgraft.storage.journal import hostindex
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.diskmarks import place_marks
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.hostindex import all_journals, find_entries, index_folder, is_empty
from bootgraft.storage.journal.journalsearch import find_journal
from bootgraft.storage.journal.lostjournals import lost_journals
from bootgraft.storage.journal.strayjournals import StraySearch
from bootgraft.storage.journal.undo import resume, undo


def entries(locations: Sequence[str]) -> set[Path]:
    return {entry.journal for location in locations for entry in find_entries(place_marks(location))}


def half_written(folder: Path) -> RawMachine:
    """A machine whose repair died after the first write to a disk, the only one of its kind in the index."""
    for step in range(20, 100):
        machine = two_disks(folder / f"killed at {step}")
        assert crash(step, partial(repair, machine))
        if machine.now() != machine.before:
            return machine
        shutil.rmtree(machine.folder)
        shutil.rmtree(index_folder() or folder, ignore_errors=True)
    raise AssertionError(folder)


def plant(location: str, target: str | Path) -> Path:
    """Put an entry for a disk in the index by hand; return it."""
    index = index_folder()
    assert index is not None
    folder = index / place_marks(location)[0]
    folder.mkdir(0o700, parents=True, exist_ok=True)
    folder.parent.chmod(0o700)
    link = folder / f"{len(list(folder.iterdir()))}-0"
    link.symlink_to(target)
    return link


@pytest.mark.parametrize("work", ["repair", "undo", "resume"])
def test_killed_at_any_step_a_disk_that_is_half_written_is_in_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """And one that is whole again is not, unless the entry leads to a journal that says so."""
    half = 0
    for step in range(200):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / f"state{step}"))
        machine = two_disks(tmp_path / str(step))
        if work != "repair":
            assert crash(30 if work == "resume" else 200, partial(repair, machine)) is (work == "resume")
        ended = not crash(step, partial(_do, machine, work))
        found = find_journal(machine.locations)
        if found is not None and found.state is not JournalState.SEALED and machine.now() != machine.before:
            half += 1
            assert entries(machine.locations) == {found.path}, step
        if ended:
            break
    assert ended
    assert half > 2
    assert entries(machine.locations) == set()


def _do(machine: RawMachine, work: str) -> None:
    if work == "repair":
        repair(machine)
        return
    journal = machine.journal()
    with machine.open() as images:
        if work == "undo":
            undo(images, journal)
        else:
            resume(images, journal)


def test_it_is_private_and_empty_after_the_work(tmp_path: Path, state_home: Path) -> None:
    machine = two_disks(tmp_path)
    assert is_empty()
    repair(machine)
    assert is_empty()
    folder = state_home / "bootgraft" / "unfinished"
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    assert list(folder.iterdir()) == []


def test_one_look_opens_few_folders_however_many_entries_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)
    plant(machine.locations[0], tmp_path / "no journal")
    index = index_folder()
    assert index is not None
    for number in range(2000):
        (index / f"inode-{number}").mkdir()
    opened, real = [], os.open

    def counted(*arguments: object, **options: object) -> int:
        opened.append(arguments)
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", counted)
    assert entries(machine.locations[:1]) == {tmp_path / "no journal"}
    assert len(opened) == 2


def test_an_entry_of_a_sealed_journal_is_removed_by_commands_that_write(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    sealed, location = repair(machine), machine.locations[0]
    links = [plant(location, sealed), plant(location, tmp_path / "gone"), plant(location, tmp_path / "unmounted" / "j")]
    told: list[Event] = []
    assert StraySearch(told.append).by_place([location]) == ()
    assert told == []
    assert [link.is_symlink() for link in links] == [True, True, True]
    search = StraySearch(None)
    assert search.by_place([location]) == ()
    assert [link.is_symlink() for link in links] == [False, True, True], "a file system may not be mounted just now"
    assert [entry.journal for _, entry in search.lost] == [tmp_path / "gone", tmp_path / "unmounted" / "j"]
    assert lost_journals(search.lost) == (), "the number of a file may be another's by now"


@pytest.mark.parametrize("target", ["/dev/zero", "relative", "/etc", "\x1b[31m/x", "/" + "x/" * 1000, "/proc/self/mem"])
def test_whatever_it_leads_to_is_no_journal(tmp_path: Path, target: str) -> None:
    machine = two_disks(tmp_path)
    plant(machine.locations[0], target)
    told: list[Event] = []
    assert StraySearch(told.append).by_place(machine.locations) == ()
    assert all(event.kind is EventKind.WARNING for event in told)
    repair(machine)


def test_other_things_in_it_are_passed_over(tmp_path: Path) -> None:
    machine = two_disks(tmp_path)
    link = plant(machine.locations[0], tmp_path / "j")
    (link.parent / "text-0").write_text("/etc/passwd")
    (link.parent / "no number").symlink_to("/etc/passwd")
    (link.parent / "1-\N{SUPERSCRIPT TWO}").symlink_to("/etc/passwd")
    (link.parent / "folder-0").mkdir()
    assert entries(machine.locations[:1]) == {tmp_path / "j"}
    assert all_journals() == (tmp_path / "j",)
    repair(machine)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("how", ["owner", "mode"])
def test_an_index_that_others_may_write_to_does_not_count(tmp_path: Path, how: str) -> None:
    machine = two_disks(tmp_path)
    plant(machine.locations[0], tmp_path / "j")
    index = index_folder()
    assert index is not None
    if how == "owner":
        os.chown(index, 65534, -1)
    else:
        index.chmod(0o777)
    assert is_empty()
    assert all_journals() == ()
    assert entries(machine.locations) == set()
    said = told_by_commit(machine)
    assert "belongs to another user, or others may write to it" in said


@pytest.mark.parametrize("how", ["a file", "nowhere", "too long"])
def test_where_it_cannot_be_kept_the_work_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    machine = two_disks(tmp_path / "vm")
    if how == "a file":
        (tmp_path / "state").write_text("")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    elif how == "too long":
        monkeypatch.setenv("XDG_STATE_HOME", f"/{'x' * 300}")
    else:
        monkeypatch.setattr(hostindex, "index_folder", lambda: None)
    assert "cannot be kept" in told_by_commit(machine)
    assert machine.now() == machine.after


def told_by_commit(machine: RawMachine) -> str:
    """The one note of a repair."""
    events: list[Event] = []
    with machine.open() as images:
        commit(machine.transaction(images), journal=machine.folder / "a.img.bootgraft-1.journal", monitor=events.append)
    (note,) = (event.text for event in events if event.kind is EventKind.NOTE and event.text.startswith("the index"))
    return note


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert index_folder() == Path("/state/bootgraft/unfinished")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/user")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert index_folder() == Path("/home/user/.local/state/bootgraft/unfinished")
    monkeypatch.delenv("HOME")
    assert index_folder() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert index_folder() == Path("/var/lib/bootgraft/unfinished")


def test_several_journals_of_disks_with_the_same_mark(tmp_path: Path) -> None:
    """Clones: each has its own entries, and the seal of one removes none of the other's."""
    one, two = half_written(tmp_path), two_disks(tmp_path / "two")
    repair(two)
    assert entries(one.locations) == {one.journal().path}
    assert all_journals() == (one.journal().path,)


def test_stopped_while_it_is_written_nothing_was_written_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_disks(tmp_path)

    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hostindex, "_link", stopped)
    with pytest.raises(KeyboardInterrupt):
        repair(machine)
    assert machine.now() == machine.before
    assert machine.others() == []


def test_a_journal_that_was_moved_leaves_no_entry_behind(tmp_path: Path) -> None:
    """The work that ``--journal`` names it for ends what its old place stands for as well."""
    machine = half_written(tmp_path)
    journal = machine.journal()
    moved = journal.path.rename(tmp_path / "moved.journal")
    with machine.open() as images:
        undo(images, replace(journal, path=moved, explicit=True))
    assert machine.now() == machine.before
    assert is_empty()


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    machine = RawMachine(tmp_path / "vm")
    machine.add("a.img", noise(1, 8192), [(0, noise(2, 512), False)])
    (tmp_path / "j").write_bytes(b"bootgraft-undo\r\n")
    plant(machine.locations[0], tmp_path / "j")
    told: list[Event] = []
    assert StraySearch(told.append).by_place(machine.locations) == ()
    (event,) = told
    assert event.kind is EventKind.WARNING
    assert f"{tmp_path / 'j'}: this undo journal is damaged" in event.text
