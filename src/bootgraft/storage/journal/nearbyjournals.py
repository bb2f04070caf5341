"""Looking for the journals of some disks: beside them, where a pointer file beside them says, where ``--journal`` says.

Only what counts is followed (``ownership``): of a foreign file nothing is read, however many there are.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bootgraft.errors import ForeignFileError, JournalError
from bootgraft.storage.confine import exists, resolve
from bootgraft.storage.durable import explained
from bootgraft.storage.journal.journaldisks import KIND, Journal, covered_files, disk_file
from bootgraft.storage.journal.pointers import pointer_beside, read_pointer
from bootgraft.storage.ownership import foreign_file, is_trusted_owner

_MAX_JOURNALS = 1024
"""Journals beside one disk that are read: the newest of those that count."""
_MAX_HEADS = 64 * 2**20
"""Bytes of all their heads together; a usual one has some thousand, the largest that is read 16 MiB."""


class NearbyJournals:
    """The journals of some disks, as far as they were looked for, and the foreign files met on the way.

    ``locations`` are paths and URIs as given on the command line.
    """

    def __init__(self, locations: Sequence[str]) -> None:
        self._locations = locations
        self._disks = [disk_file(location) for location in locations]
        self._heads = 0
        self.found: dict[Path, Journal] = {}
        self.foreign: list[ForeignFileError] = []

    def look_beside(self, *, tolerate_missing: bool) -> None:
        """Read what lies beside the disks, and what the pointers there name; that may be missing where it is said so.

        Raises:
            JournalError: one is damaged, does not count for another reason than its owner, or is missing.
        """
        for disk in self._disks:
            for name in () if disk is None else _names_of(disk):
                paths, foreign = _journals_of(name)
                self.foreign += foreign
                for path in paths[:_MAX_JOURNALS]:
                    self._take(path, [name])
                for path in self._pointed_at(pointer_beside(name), tolerate_missing=tolerate_missing):
                    self._take(path, [name])

    def take_given(self, path: Path) -> None:
        """Read the journal that was named on the command line, which must count.

        Raises:
            JournalError: it is damaged, or does not count.
        """
        if path not in self.found:
            disks = [disk for disk in self._disks if disk is not None]
            about = disks if len(disks) == len(self._disks) else []  # nobody knows who owns a URI
            self._read(path, about, explicit=True)

    def _take(self, path: Path, about: Sequence[Path]) -> None:
        """Read a journal, unless it turns out to be foreign."""
        try:
            if path not in self.found:
                self._read(path, about, explicit=False)
        except ForeignFileError as error:
            self.foreign.append(error)

    def _read(self, path: Path, about: Sequence[Path], *, explicit: bool) -> None:
        """Read a journal's head, and make sure that it counts for all that it is about."""
        from bootgraft.storage.journal.journalfile import JournalFile  # most disks have no journal

        with JournalFile(path, about=about) as file:
            file.require_trusted(covered_files(file.head, self._locations))
            self.found[path] = Journal(path, file.head, file.state, explicit)
            self._heads += file.layout.head
        if self._heads > _MAX_HEADS:
            raise JournalError(
                "the undo journals beside these disks are larger together than a machine's can be",
                where=str(path.parent),
                advice="Move those that will not be undone any more to another folder",
            )

    def _pointed_at(self, pointer: Path, *, tolerate_missing: bool) -> Iterator[Path]:
        """Yield the journals that a pointer file names."""
        try:
            named = read_pointer(pointer)
        except ForeignFileError as error:
            self.foreign.append(error)
            return
        for path in named:
            if exists(path):
                yield resolve(path)
            elif not tolerate_missing:
                raise JournalError(
                    f"the undo journal that this file names is not there: {path}",
                    where=str(pointer),
                    advice="Give --journal PATH where it is now; if it was deleted on purpose, remove this file",
                    id="journal-missing",
                )


def _names_of(disk: Path) -> Iterator[Path]:
    """Yield the disk's file and, for a flat VMDK's descriptor or bare extent, the other one: it is the same disk."""
    yield disk
    if disk.name.endswith("-flat.vmdk"):
        yield disk.with_name(disk.name.removesuffix("-flat.vmdk") + ".vmdk")
    elif disk.name.endswith(".vmdk"):
        yield disk.with_name(disk.name.removesuffix(".vmdk") + "-flat.vmdk")


def _journals_of(disk: Path) -> tuple[list[Path], list[ForeignFileError]]:
    """Return what has the name of a journal beside a disk, the newest first; and apart from it what is foreign."""
    ours: list[Path] = []
    foreign: list[ForeignFileError] = []
    counts: dict[int, bool] = {}  # each owner is asked about once: thousands of files may have been planted
    for name, owner in _named(disk):
        if owner not in counts:
            counts[owner] = is_trusted_owner(owner, [disk])
        if counts[owner]:
            ours.append(disk.with_name(name))
        else:
            foreign.append(foreign_file(f"{disk.parent}/{name}", owner, kind=KIND))
    return ours, foreign


def _named(disk: Path) -> list[tuple[str, int]]:
    """Return name and owner of each file that has the name of a journal beside a disk, the newest first."""
    pattern = re.compile(re.escape(disk.name) + r"\.bootgraft-([1-9][0-9]{0,9})\.journal")
    if not disk.parent.is_dir():
        return []
    found = []
    with explained(disk, action="looking for undo journals beside the disk"), os.scandir(disk.parent) as entries:
        for entry in entries:
            match = pattern.fullmatch(entry.name)
            if match:
                with suppress(FileNotFoundError):  # removed just now
                    found.append((int(match[1]), entry.name, entry.stat(follow_symlinks=False).st_uid))
    return [(name, owner) for _, name, owner in sorted(found, reverse=True)]
