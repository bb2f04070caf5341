"""The index of unfinished journals on this host: which journal a disk has that is called otherwise by now.

``$XDG_STATE_HOME/bootgraft/unfinished``; without that variable below ``~/.local/state``, for root in ``/var/lib``. In
it is a folder for each mark of a disk (``diskmarks``), and in that a symbolic link for each journal of such a disk,
which leads to the journal; its name ends in the disk's number in there. A link is made and removed in one step, so no
entry is ever half-written. A look at one disk opens as many folders as it has marks, however many entries there are.

Entries are on stable storage before the first write to a disk, and are removed once the journal is sealed, or before it
is removed. One that leads to a sealed journal was left by a kill; one that leads nowhere is told (``lostjournals``).
The index only says where a journal lies. What it leads to has to count and to be about the disk like any other journal,
and no path in it is written to. It counts itself if it belongs to root or the caller, and nobody else may write to it.
It is a help, not a condition: where it cannot be kept, the work goes on.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.durable import sync_folder

if TYPE_CHECKING:  # most disks have no journal
    from bootgraft.storage.images.opening import OpenImage
    from bootgraft.storage.journal.journalfile import JournalFile, Stored

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MAX_JOURNALS = 64
"""Journals of disks with the same mark that are looked at."""
_MAX_MARKS = 4096
"""Marks that are looked at where all journals are asked for."""
_MOST_MARKS = 2**16
"""Marks that are looked at to remove a journal's entries."""
_TRIES = 8
"""Times that a folder is made again which another bootgraft has just removed as empty."""


class UnfinishedEntry(Struct, frozen=True):
    """A journal that may be about a disk, and the disk's number in there; ``mark`` and ``name`` tell the link."""

    journal: Path
    disk: int
    mark: str
    name: str


def index_folder() -> Path | None:
    """Return where the index lies, None where this user has no place for it."""
    given, home = Path(os.environ.get("XDG_STATE_HOME", "")), Path(os.environ.get("HOME", ""))
    if given.is_absolute():  # the XDG specification: a relative one is to be ignored
        return given / "bootgraft" / "unfinished"
    if os.geteuid() == 0:
        return Path("/var/lib/bootgraft/unfinished")
    return home / ".local/state/bootgraft/unfinished" if home.is_absolute() else None


def is_empty() -> bool:
    """Whether there is no entry, or no index that counts: then no disk need be read to look for one."""
    with _opened() as index:
        if index is None:
            return True
        with os.scandir(index) as marks:
            return next(marks, None) is None


def find_entries(marks: Iterable[str]) -> tuple[UnfinishedEntry, ...]:
    """Return the entries under these marks."""
    with _opened() as index:
        return () if index is None else tuple(entry for mark in marks for entry in _entries(index, mark))


def all_journals() -> tuple[Path, ...]:
    """Return the journals that the index leads to, each once."""
    with _opened() as index:
        if index is None:
            return ()
        with os.scandir(index) as marks:
            names = sorted(mark.name for mark in islice(marks, _MAX_MARKS))
        return tuple(sorted({entry.journal for name in names for entry in _entries(index, name)}))


def remember(
    file: "JournalFile", stretches: "Sequence[Stored]", images: "Sequence[OpenImage]", monitor: Monitor
) -> None:
    """Enter a journal whose ``images``, in the order of its disks, are about to be written.

    On return the entries are on stable storage. Where there can be none, that is noted and nothing else.
    """
    from bootgraft.storage.journal.diskmarks import journalled_marks

    try:
        marks = [(m, n) for n, image in enumerate(images) for m in journalled_marks(file, stretches, n, image)]
        if marks:
            _add(file.path, marks)
    except OSError as error:
        place = error.filename or index_folder()
        _note(monitor, f"{error.strerror or error}" + (f": {place}" if place else ""))
    except ImageError as error:
        _note(monitor, f"{error.where}: {error.what}")


def _note(monitor: Monitor, reason: str) -> None:
    monitor(
        Event(
            EventKind.NOTE,
            f"the index of unfinished journals on this host cannot be kept ({reason}): if this is interrupted and the "
            "disk is then renamed or moved, name the journal by --journal PATH",
        )
    )


def forget_entries(journal: Path, disks: int) -> None:
    """Remove the entries of a journal whose work is done; one that cannot be removed is harmless.

    Of the same disks those go too that lead to no journal: it was moved, and named by ``--journal``.
    """
    names = [_name(journal, number) for number in range(disks)]
    with _opened() as index, suppress(OSError):
        if index is None:
            return
        with os.scandir(index) as found:
            marks = [mark.name for mark in islice(found, _MOST_MARKS)]
        for mark in marks:
            removed = [_remove(index, mark, name) for name in names]
            if any(removed):
                for entry in _entries(index, mark):
                    if not os.path.lexists(entry.journal):
                        _remove(index, mark, entry.name)


def drop(entry: UnfinishedEntry) -> None:
    """Remove an entry that leads nowhere any more."""
    with _opened() as index:
        if index is not None:
            _remove(index, entry.mark, entry.name)


def entry_path(entry: UnfinishedEntry) -> Path:
    """Return where an entry's link lies."""
    return (index_folder() or Path()) / entry.mark / entry.name


def _remove(index: int, mark: str, name: str) -> bool:
    """Remove an entry, and tell whether there was one."""
    try:
        os.unlink(f"{mark}/{name}", dir_fd=index)
    except OSError:
        return False
    with suppress(OSError):  # others are left in it
        os.rmdir(mark, dir_fd=index)
    return True


def _name(journal: Path, disk: int) -> str:
    import hashlib

    return f"{hashlib.sha256(os.fsencode(journal)).hexdigest()[:32]}-{disk}"


def _add(journal: Path, marks: Sequence[tuple[str, int]]) -> None:
    """Enter a journal under each mark, with the disk that has it."""
    folder = index_folder()
    if folder is None:
        raise FileNotFoundError(0, "neither XDG_STATE_HOME nor HOME says where")
    _make(folder)
    with _opened() as index:
        if index is None:
            raise PermissionError(0, "it belongs to another user, or others may write to it", str(folder))
        for mark, disk in marks:
            _link(index, mark, _name(journal, disk), journal)
    for mark, _ in marks:
        with suppress(FileNotFoundError):  # another bootgraft saw no use in it
            sync_folder(folder / mark)
    sync_folder(folder)


def _link(index: int, mark: str, name: str, journal: Path) -> None:
    for _ in range(_TRIES):
        with suppress(FileExistsError):
            os.mkdir(mark, 0o700, dir_fd=index)
        try:
            os.symlink(journal, f"{mark}/{name}", dir_fd=index)
        except FileExistsError:
            return
        except FileNotFoundError:
            continue
        return


def _make(folder: Path) -> None:
    """Make a folder and those above it that are missing, only for this user."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(0o700, exist_ok=True)
    sync_folder(folder.parent)


@contextmanager
def _opened() -> Iterator[int | None]:
    """Give the index, open; None where there is none, or none that counts."""
    folder = index_folder()
    try:
        index = None if folder is None else os.open(folder, _FOLDER)
    except OSError:
        index = None
    try:
        status = None if index is None else os.fstat(index)
        yield index if status and status.st_uid in (0, os.geteuid()) and not status.st_mode & _OTHERS else None
    finally:
        if index is not None:
            os.close(index)


def _entries(index: int, mark: str) -> Iterator[UnfinishedEntry]:
    """Yield the entries under a mark; nothing of what is no entry."""
    try:
        folder = os.open(mark, _FOLDER, dir_fd=index)
    except OSError:
        return
    try:
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in islice(found, _MAX_JOURNALS))
        for name in names:
            number = name.rpartition("-")[2]
            with suppress(OSError):
                target = Path(os.readlink(name, dir_fd=folder))
                if target.is_absolute() and number.isdecimal() and len(number) < 3:
                    yield UnfinishedEntry(target, int(number), mark, name)
    finally:
        os.close(folder)
