"""Journals of a disk that its name does not lead to: it was renamed, moved or copied, or has no folder of its own.

Looked for in the index of this host (``hostindex``), and among the unfinished journals in the disk's own folder, where
the disk that one is called after is gone or is another name of this one. Only unfinished ones are looked for: one that
is sealed holds nobody up. Whether one that was found is about the disk is for ``likeness`` to say, except for an undo
or a resume, which compare anyway.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bootgraft.errors import ForeignFileError, ImageError, ImageInUseError, JournalError
from bootgraft.events import Event, EventKind, Monitor, silent
from bootgraft.storage.confine import resolve
from bootgraft.storage.journal import hostindex
from bootgraft.storage.journal.hostindex import UnfinishedEntry
from bootgraft.storage.journal.journaldisks import Journal, covered_files, disk_file, is_uri

if TYPE_CHECKING:  # most disks have no journal, and most hosts no unfinished one
    from bootgraft.storage.journal.diskmarks import Readable
    from bootgraft.storage.journal.head import JournalDisk
    from bootgraft.storage.journal.likeness import Likeness

_MAX_NAMES = 2**13
"""Names in a folder that are looked at."""
_MAX_ORPHANS = 16
"""Journals in it of which the disk is gone that are opened."""


class StraySearch:
    """A look for the stray journals of a command's disks, each folder looked through once.

    A command that writes gives no ``monitor``: an entry of the index whose journal is sealed is then removed.
    """

    def __init__(self, monitor: Monitor | None) -> None:
        self._monitor = monitor
        self._orphans: dict[str, list[tuple[Path, str]]] = {}
        self._told: set[str] = set()
        self.lost: list[tuple[str, UnfinishedEntry]] = []
        """Entries that lead to no journal (``lostjournals``), each with the disk that led to it."""

    def by_place(self, locations: Sequence[str]) -> tuple[Journal, ...]:
        """Return the unfinished journals that the numbers and addresses of disks lead to, whatever their names.

        ``locations`` are as given on the command line. A file may have the number of one that was deleted.

        Raises:
            ImageError: there can be no such path, or this user may not look at it.
        """
        found: dict[Path, Journal] = {}
        is_empty = hostindex.is_empty()
        for location in locations:
            for entry in () if is_empty else _entries_by_place(location):
                self._take_entry(found, entry, location)
            for path, name in self._look_around(location):
                _keep(found, self._read(path, location, is_ours=False), location, name)
        return tuple(found.values())

    def by_content(
        self, location: str, device: "Readable", known: Sequence[Path] = ()
    ) -> "tuple[tuple[Journal, Likeness], ...]":
        """Return the unfinished journals that may be about a disk by its content, and how it reads beside each.

        ``device`` is the disk that was given as ``location``; journals at ``known`` paths are left out.

        Raises:
            ImageError: the disk cannot be read.
        """
        found: dict[Path, Journal] = {}
        if not hostindex.is_empty():
            from bootgraft.storage.journal.diskmarks import content_marks

            for entry in hostindex.find_entries(content_marks(device.size, device.read)):
                if entry.journal not in known:
                    self._take_entry(found, entry, location)
        if location not in self._orphans:
            self._look_around(location)
        for path, name in self._orphans[location]:
            if path not in known:
                _keep(found, self._read(path, location, is_ours=False), location, name)
        pairs = (self._compare(journal, device) for journal in found.values())
        # Beside work in progress, a clone that is not what that writes is no news.
        return tuple(
            (journal, like)
            for journal, like in pairs
            if like != "other" and not (like in ("old", "partly") and _is_at_work(journal))
        )

    def _look_around(self, location: str) -> list[tuple[Path, str]]:
        """Return the journals in a disk's folder that are called after another name of it, with that name.

        Those that are called after a disk that is gone are kept for ``by_content``.
        """
        orphans = self._orphans[location] = []
        disk = disk_file(location)
        names: dict[str, int] = {}
        if disk is not None:
            with suppress(OSError), os.scandir(disk.parent) as entries:
                names = {entry.name: entry.inode() for entry in islice(entries, _MAX_NAMES)}
        same: list[tuple[Path, str]] = []
        if disk is None or len(names) < 2:
            return same
        for name in names:
            about = _called_after(name)
            if not about or about == disk.name:
                continue
            if about not in names:
                if len(orphans) < _MAX_ORPHANS and not os.path.lexists(disk.with_name(about)):
                    orphans.append((disk.with_name(name), about))
            elif names[about] == names.get(disk.name) and _is_same_file(disk.with_name(about), disk):
                same.append((disk.with_name(name), about))
        return same

    def _take_entry(self, found: dict[Path, Journal], entry: UnfinishedEntry, location: str) -> None:
        """Take what an entry of the index leads to; a command that writes drops one whose journal is sealed."""
        if not os.path.lexists(entry.journal):
            self.lost.append((location, entry))
            return
        journal = self._read(entry.journal, location, is_ours=True)
        if journal is not None and not _is_elsewhere_by_number(journal, entry, location):
            _keep(found, journal, location, entry.disk)
        if journal is not None and journal.state == "sealed" and self._monitor is None:
            hostindex.drop(entry)

    def _read(self, path: Path, location: str, *, is_ours: bool) -> Journal | None:
        """Read a journal's head; None of one that does not count. That one of the index is damaged is told."""
        try:
            return read_stray(path, location)
        except ForeignFileError:
            return None
        except (JournalError, ImageError) as error:
            text = f"{error.where}: {error.what}; it may be of an interrupted repair of {location}"
            if is_ours and text not in self._told:  # several marks of a disk lead to the same
                self._told.add(text)
                (self._monitor or silent)(Event(EventKind.WARNING, text))
            return None

    def _compare(self, journal: Journal, device: "Readable") -> "tuple[Journal, Likeness]":
        """Tell which of a journal's disks this one is, if any, and how it reads; a damaged journal tells of none."""
        from bootgraft.storage.journal.likeness import CLOSEST, Likeness

        try:
            likes = [(likeness_of(journal, number, device), (number, given)) for number, given in journal.known]
        except JournalError as error:
            (self._monitor or silent)(Event(EventKind.WARNING, f"{error.where}: {error.what}"))
            return journal, Likeness.OTHER
        like, known = min(likes, key=lambda pair: CLOSEST.index(pair[0]))
        return replace(journal, known=(known,)), like


def strays_for_undo(locations: Sequence[str]) -> tuple[Journal, ...]:
    """Return what an undo or a resume of these disks is to know besides the journals beside them.

    A container is known by its place alone: its content is only to be had once it is open.
    """
    from bootgraft.storage.journal.diskmarks import DiskBytes

    search = StraySearch(None)
    found = list(search.by_place(locations))
    for location in locations:
        with suppress(OSError, ImageError), DiskBytes(Path(location)) as disk:
            pairs = search.by_content(location, disk, [journal.path for journal in found])
            found += [each for each, like in pairs if like != "old" and copied_from(each, location) is None]
    return tuple(found)


def unfinished_on_host(*, monitor: Monitor) -> tuple[Journal, ...]:
    """Return the unfinished journals that the index leads to, without those of work in progress.

    What cannot be read is told.
    """
    found = []
    for path in hostindex.all_journals():
        if not os.path.lexists(path):
            text = f"{path}: this undo journal of a repair that was interrupted is not there"
            monitor(Event(EventKind.WARNING, text))
            continue
        try:
            journal = read_stray(path, None)
            if journal.state != "sealed" and not _is_at_work(journal):
                found.append(journal)
        except (JournalError, ImageError) as error:
            monitor(Event(EventKind.WARNING, f"{error.where}: {error.what}"))
    return tuple(found)


def read_stray(path: Path, location: str | None) -> Journal:
    """Read a journal's head; it must count for all that it is about, a disk at ``location`` included.

    Raises:
        JournalError: it is damaged, or does not count.
    """
    from bootgraft.storage.journal.journalfile import JournalFile

    path = resolve(path)
    disk = None if location is None else disk_file(location)
    about = [] if disk is None else [disk]
    with JournalFile(path, about=about) as file:
        covered = covered_files(file.head, () if location is None else (location,))
        file.require_trusted((*covered, *about) if covered else ())
        return Journal(path, file.head, file.state, explicit=True, stray=True)


def likeness_of(journal: Journal, number: int, device: "Readable") -> "Likeness":
    """Return how a disk reads beside disk ``number`` of a journal.

    Raises:
        ImageError: the disk cannot be read.
        JournalError: the journal cannot, or is damaged.
    """
    from bootgraft.storage.journal.journalfile import JournalFile
    from bootgraft.storage.journal.likeness import likeness

    about = [path for _, location in journal.known if (path := disk_file(location)) is not None]
    with JournalFile(journal.path, about=about or covered_files(journal.head, ())) as file:
        return likeness(file, file.verify(), number, device)


def copied_from(journal: Journal, location: str) -> str | None:
    """Return the disk that a journal was made of, where that is still there and is not the one at ``location``.

    An export may be of that very disk: that is repaired under its own name.
    """
    for number, given in journal.known:
        disk = journal.head.disks[number]
        if given == location and _is_elsewhere(journal, number, disk, location):
            return disk.name
    return None


def _is_elsewhere(journal: Journal, number: int, disk: "JournalDisk", location: str) -> bool:
    from bootgraft.storage.journal.diskmarks import DiskBytes

    path = disk.path or Path(disk.location)
    try:
        if disk.location == location:
            return False
        status = path.stat()
        if not is_uri(location):
            given = Path(location).stat()
            if os.path.samestat(status, given) or (given.st_rdev and status.st_rdev == given.st_rdev):
                return False
        if disk.format != "raw":
            return True
        with DiskBytes(path) as there:
            return likeness_of(journal, number, there) not in ("other", "old")
    except (OSError, ImageError, JournalError):
        return False


def _is_at_work(journal: Journal) -> bool:
    from bootgraft.storage.journal.journalfile import JournalFile

    given = [location for _, location in journal.known]
    with JournalFile(journal.path, about=covered_files(journal.head, given)) as file:
        try:
            file.lock(exclusive=False)
        except ImageInUseError:
            return True
    return False


def _entries_by_place(location: str) -> tuple[UnfinishedEntry, ...]:
    from bootgraft.storage.journal.diskmarks import place_marks

    return hostindex.find_entries(place_marks(location))


def _is_elsewhere_by_number(journal: Journal, entry: UnfinishedEntry, location: str) -> bool:
    """Whether a file has the number of one of a journal's disks on another file system: it is not that one, renamed."""
    from bootgraft.storage.journal.diskmarks import FILE_MARK

    if not entry.mark.startswith(FILE_MARK) or entry.disk >= len(journal.head.disks):
        return False
    path = journal.head.disks[entry.disk].path
    try:
        return path is not None and path.parent.stat().st_dev != Path(location).stat().st_dev
    except OSError:
        return False


def _keep(found: dict[Path, Journal], journal: Journal | None, location: str, disk: int | str) -> None:
    """Keep an unfinished journal, whose disk with this number or name is the one at ``location``."""
    if journal is None or journal.state == "sealed":
        return
    names = [each.path.name if each.path else "" for each in journal.head.disks]
    if isinstance(disk, str):
        disk = names.index(disk) if disk in names else len(names)
    if disk < len(names):
        known = (*found.get(journal.path, journal).known, (disk, location))
        found[journal.path] = replace(journal, known=tuple(dict.fromkeys(known)))


def _called_after(name: str) -> str | None:
    """Return the name of the disk whose journal is called so; None where none is."""
    if not name.endswith(".journal"):
        return None
    disk, _, number = name.removesuffix(".journal").rpartition(".bootgraft-")
    return disk if number.isdecimal() else None


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
