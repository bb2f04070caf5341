"""Pointer files: small JSON files beside a disk that name the journals lying elsewhere, so that any disk finds them.

A pointer counts by the rule of ``ownership``, for the disk beside it and for every journal that it names.

``<disk>.bootgraft-journal-pointer`` holds ``{"pointer": "bootgraft-journal", "version": 1, "journals": [...]}``, the
oldest repair first: a bare file name for a journal in the same folder (a VM's folder may be moved), else a full path.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import ForeignFileError, JournalError
from bootgraft.storage.confine import exists
from bootgraft.storage.durable import explained, read_all, sync_folder, write_all
from bootgraft.storage.ownership import open_trusted, require_owner

SUFFIX = ".bootgraft-journal-pointer"
_KIND = "pointer to an undo journal"
_MAX_BYTES = 2**16
_MAX_JOURNALS = 256


def pointer_beside(disk: Path) -> Path:
    """Return the name of the pointer file for a disk's own file."""
    return disk.with_name(disk.name + SUFFIX)


def read_pointer(pointer: Path) -> tuple[Path, ...]:
    """Return the journals that a pointer file names, oldest first; none where there is no such file.

    Raises:
        JournalError: it cannot be read, does not count, or is not what this module writes.
        ForeignFileError: it does not count because of its owner.
    """
    if not os.path.lexists(pointer):
        return ()
    disk = pointer.with_name(pointer.name.removesuffix(SUFFIX))
    with explained(pointer, action="reading the pointer to the undo journal"):
        descriptor = open_trusted(pointer, os.O_RDONLY, [disk], kind=_KIND)
        try:
            data = read_all(descriptor, 0, _MAX_BYTES + 1)
            journals = _journals(pointer, data)
            require_owner(pointer, [disk, *journals], kind=_KIND, descriptor=descriptor)
        finally:
            os.close(descriptor)
    return journals


def _journals(pointer: Path, data: bytes) -> tuple[Path, ...]:
    """Return the journals that a pointer file with this content names; JournalError where it is damaged."""
    from bootgraft.storage.journal.head import parse_json  # most disks have no pointer

    try:
        names = _names(parse_json(data))
    except (ValueError, RecursionError):
        names = None
    if names is None or len(data) > _MAX_BYTES:
        raise JournalError(
            "this file should name the undo journal of the disk beside it, and is damaged",
            where=str(pointer),
            advice="Name the journal by --journal PATH after removing this file; if no repair of this disk is to be "
            "undone, just remove it",
            id="journal-damaged",
        )
    return tuple(pointer.parent / name for name in names)


def _names(document: object) -> list[str] | None:
    """Return the names in a parsed pointer file, None where it is not one."""
    if not isinstance(document, dict) or set(document) != {"pointer", "version", "journals"}:
        return None
    if document["pointer"] != "bootgraft-journal" or document["version"] != 1:
        return None
    names = document["journals"]
    if not isinstance(names, list) or not 0 < len(names) <= _MAX_JOURNALS:
        return None
    return names if all(_is_name(name) for name in names) else None


def _is_name(name: object) -> bool:
    """Whether ``name`` is a bare file name or a full path."""
    from bootgraft.storage.journal.head import is_plain

    if not isinstance(name, str) or not is_plain(name) or not name.strip("./"):
        return False
    name.encode("utf-8", "surrogateescape")
    return name.startswith("/") or "/" not in name


class PointerChange(Struct, frozen=True):
    """What a pointer file is to name afterwards; nothing means that it is to go."""

    pointer: Path
    journals: tuple[Path, ...]

    @property
    def _temporary(self) -> Path:
        return self.pointer.with_name(self.pointer.name + ".partial")

    def prepare(self) -> None:
        """Write the new content under a temporary name.

        Raises:
            JournalError: the folder is full or read-only.
        """
        from bootgraft.storage.newfile import create_new, make_way

        if not self.journals:
            return
        folder = self.pointer.parent
        names = [path.name if path.parent == folder else str(path) for path in self.journals]
        document = {"pointer": "bootgraft-journal", "version": 1, "journals": names}
        data = json.dumps(document, ensure_ascii=True, indent=1).encode("ascii") + b"\n"
        with explained(self.pointer, action="writing the pointer to the undo journal"):
            make_way(self._temporary)
            descriptor = create_new(self._temporary)
            try:
                write_all(descriptor, data, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def publish(self) -> None:
        """Put the new content in place, or remove the file, and return when that is on stable storage."""
        with explained(self.pointer, action="changing the pointer to the undo journal"):
            if self.journals:
                self._temporary.rename(self.pointer)
            else:
                self.pointer.unlink(missing_ok=True)
            sync_folder(self.pointer.parent)

    def discard(self) -> None:
        """Remove the temporary file."""
        self._temporary.unlink(missing_ok=True)


def add_journal(places: Sequence[Path], journal: Path) -> tuple[PointerChange, ...]:
    """Return the changes that make each pointer file name ``journal`` as its newest."""
    changes = []
    for pointer in places:
        others = tuple(path for path in read_pointer(pointer) if path != journal)
        changes.append(PointerChange(pointer, (*others, journal)))
    return tuple(changes)


def remove_journal(places: Sequence[Path], journal: Path) -> tuple[PointerChange, ...]:
    """Return the changes after which no pointer file names ``journal``, nor where it lay before it was moved.

    A pointer that does not count because of its owner is left alone.
    """
    changes = []
    for pointer in places:
        try:
            named = read_pointer(pointer)
        except ForeignFileError:
            continue
        kept = tuple(path for path in named if path.name != journal.name or _is_other(path, journal))
        if kept != named:
            changes.append(PointerChange(pointer, kept))
    return tuple(changes)


def _is_other(path: Path, journal: Path) -> bool:
    """Whether ``path`` is there and not the journal."""
    return exists(path) and not path.samefile(journal)
