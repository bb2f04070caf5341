"""Journals that no name leads to: which are looked at, which of their disks one is, and what is a copy."""

import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from tests.storage.journal.test_commit import A_JOURNAL, repair
from tests.storage.journal.test_hostindex import half_written
from tests.storage.journal_machine import RawMachine, crash, noise, open_raw, two_disks
from tests.twousers import NOBODY, as_nobody, shared_folder

from bootgraft.errors import JournalError
from bootgraft.events import silent
from bootgraft.storage.journal.diskmarks import DiskBytes
from bootgraft.storage.journal.journaldisks import Journal, command, match_disks
from bootgraft.storage.journal.journalsearch import require_idle, require_journal, unfinished_journals
from bootgraft.storage.journal.likeness import Likeness
from bootgraft.storage.journal.strayjournals import StraySearch, copied_from, strays_for_undo, unfinished_on_host
from bootgraft.storage.journal.undo import undo


def by_content(path: Path) -> list[tuple[Journal, Likeness]]:
    search = StraySearch(silent)
    with DiskBytes(path) as disk:
        return list(search.by_content(str(path), disk))


def test_one_of_two_disks_is_renamed(tmp_path: Path) -> None:
    """It is known by its number, and the commands name it as it is called now, the other as it was."""
    machine = half_written(tmp_path)
    a, b = map(Path, machine.locations)
    renamed = b.rename(tmp_path / "b renamed")
    (b.parent / "b.img.bootgraft-journal-pointer").unlink()
    (stray,) = StraySearch(silent).by_place([str(renamed)])
    assert stray.known == ((1, str(renamed)),)
    assert command("undo", stray, [str(renamed)]).startswith(f"bootgraft undo '{a}' '{renamed}' --journal ")
    given = [str(renamed), str(a)]
    assert match_disks(stray, given) == (1, 0)
    with pytest.raises(JournalError, match=rf"missing {a}"):
        match_disks(stray, given[:1])
    journal = require_journal(given, strays=strays_for_undo(given))
    renamed.rename(b)
    with machine.open() as images:
        undo(images, machine.journal())
    assert machine.now() == machine.before
    assert not journal.path.exists()


def test_a_hard_link_of_a_disk_of_two(tmp_path: Path) -> None:
    """The journal that ``--journal`` names is the same one, and goes on knowing which disk is which."""
    machine = half_written(tmp_path)
    a, b = map(Path, machine.locations)
    link = tmp_path / "link"
    link.hardlink_to(b)
    given = [str(link), str(a)]
    journal = require_journal(given, machine.folder / A_JOURNAL, strays=strays_for_undo(given))
    assert match_disks(journal, given) == (1, 0)


def test_two_disks_with_the_same_marks(tmp_path: Path) -> None:
    """Of one machine: which one a copy is of, its content tells."""
    machine = RawMachine(tmp_path / "vm")
    content = noise(1, 65536)
    for name, seed in (("a.img", 2), ("b.img", 3)):
        machine.add(name, content, [(1024, noise(seed, 512), False), (4096, noise(seed + 10, 512), False)])
    step = 20
    while machine.now()["b.img"] == content:
        shutil.rmtree(machine.folder)
        machine.folder.mkdir()
        machine.restore()
        assert crash(step := step + 1, partial(repair, machine))
    copy = tmp_path / "copy"
    shutil.copy(machine.locations[1], copy)
    ((journal, like),) = by_content(copy)
    assert journal.known == ((1, str(copy)),)
    assert like in (Likeness.MIXED, Likeness.NEW)


def test_a_copy_and_what_was_moved(tmp_path: Path) -> None:
    machine = half_written(tmp_path)
    original, copy = Path(machine.locations[0]), tmp_path / "copy"
    shutil.copy(original, copy)
    ((journal, like),) = by_content(copy)
    assert like is Likeness.MIXED
    assert copied_from(journal, str(copy)) == str(original)
    assert strays_for_undo([str(copy)]) == (), "its original needs the journal"
    original.write_bytes(machine.before["a.img"])
    assert copied_from(journal, str(copy)) is None, "what lies there now is another one"
    assert [each.path for each in strays_for_undo([str(copy)])] == [journal.path]
    original.unlink()
    assert copied_from(journal, str(copy)) is None


def test_a_clone_is_another_disk(tmp_path: Path) -> None:
    machine = half_written(tmp_path)
    clone = tmp_path / "clone"
    data = bytearray(machine.before["a.img"])
    clone.write_bytes(data)
    ((_, like),) = by_content(clone)
    assert like is Likeness.OLD
    data[16384:16896] = noise(77, 512)  # it has run
    clone.write_bytes(data)
    assert by_content(clone) == []
    data[:512] = machine.after["a.img"][:512]
    data[5 * 512 : 8 * 512] = machine.after["a.img"][5 * 512 : 8 * 512]
    clone.write_bytes(data)
    ((_, like),) = by_content(clone)
    assert like is Likeness.PARTLY
    assert strays_for_undo([str(clone)]) == ()


def test_a_folder_of_many_journals_whose_disks_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = two_disks(tmp_path)
    repair(machine)
    for number in range(3000):
        (tmp_path / f"{number}.img.bootgraft-1.journal").touch()
    opened, real = [], os.open

    def counted(path: object, *arguments: object, **options: object) -> int:
        opened.append(str(path))
        return real(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", counted)
    search = StraySearch(silent)
    assert search.by_place(machine.locations[:1]) == ()
    with DiskBytes(Path(machine.locations[0])) as disk:
        assert search.by_content(machine.locations[0], disk) == ()
    assert sum(name.endswith(".journal") for name in opened) == 16


def test_of_a_foreign_owner_none_counts(tmp_path: Path) -> None:
    machine = half_written(tmp_path)
    with shared_folder() as shared:
        shutil.copy(machine.folder / A_JOURNAL, shared / "true")
        (shared / "true").chmod(0o644)
        shutil.copy(machine.locations[0], shared / "half.img")
        shutil.rmtree(machine.folder)
        as_nobody(shared, "cp true a.img.bootgraft-1.journal")
        assert (shared / "a.img.bootgraft-1.journal").stat().st_uid == NOBODY
        assert by_content(shared / "half.img") == []
        os.chown(shared / "a.img.bootgraft-1.journal", 0, 0)
        (shared / "a.img.bootgraft-1.journal").chmod(0o600)
        ((_, like),) = by_content(shared / "half.img")
        assert like is Likeness.MIXED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_disk_that_was_renamed(tmp_path: Path) -> None:
    """The journal is its owner's: it counts for root, too, though nothing is there that it names."""
    machine = RawMachine(tmp_path / "vm")
    machine.add("a.img", noise(1, 65536), [(1024, noise(2, 512), False), (4096, noise(3, 512), False)])
    step = 10
    while machine.now() == machine.before:
        shutil.rmtree(machine.folder)
        machine.folder.mkdir()
        machine.restore()
        assert crash(step := step + 1, partial(repair, machine))
    renamed = Path(machine.locations[0]).rename(machine.folder / "renamed.img")
    for path in (renamed, machine.folder / A_JOURNAL):
        os.chown(path, NOBODY, NOBODY)
    ((journal, like),) = by_content(renamed)
    assert like in (Likeness.MIXED, Likeness.NEW)
    require_idle(journal, [str(renamed)])
    with open_raw(str(renamed)) as image:
        undo([image], require_journal([str(renamed)], journal.path))
    assert renamed.read_bytes() == machine.before["a.img"]


def test_all_on_this_host(tmp_path: Path) -> None:
    machine = half_written(tmp_path)
    assert [journal.path for journal in unfinished_on_host(monitor=silent)] == [machine.folder / A_JOURNAL]
    with machine.open() as images:
        undo(images, machine.journal())
    assert unfinished_on_host(monitor=silent) == ()


def test_the_number_of_a_file_that_is_gone_is_no_evidence(tmp_path: Path) -> None:
    """Another file has got it since: it is found, and its content clears it."""
    machine = half_written(tmp_path)
    path = Path(machine.locations[0])
    path.write_bytes(noise(99, path.stat().st_size))
    renamed = path.rename(tmp_path / "another")
    (stray,) = StraySearch(silent).by_place([str(renamed)])
    assert unfinished_journals([str(renamed)], strays=[stray]) == (stray,)
    assert by_content(renamed) == []
