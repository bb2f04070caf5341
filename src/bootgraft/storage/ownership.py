"""Whose word counts: files beside an image that direct what is read from it or written to it.

Undo journals, the pointers to them, the backups of a hive and VMware's lock signs lie in the image's own folder, where
others may write too: a shared folder, a sticky one like /tmp, another user's. So one counts only

- as a plain file with a single name: a hard link may be anybody's file under another name;
- that belongs to root, to the caller, or to the owner of every disk and file that it is about;
- to which nobody else may write, except where they may write to all of those as well, as on FAT, CIFS or ntfs-3g, where
  the mount says it for every file. What an ACL grants shows in the mode, whose group bits are its mask (acl(5)).

None of these can tell bootgraft to do what they could not do to the disks themselves. The descriptor that is read is
also what is judged, so that nothing can be exchanged in between.

A command that writes ends where it meets a file that does not count. A command that only reads names one of a foreign
owner and goes on: whoever plants it must not be able to keep others from a diagnosis. A file of the right owner that
does not count for another reason ends every command: it may well be the journal of an interrupted repair.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from bootgraft.errors import ForeignFileError, JournalError
from bootgraft.storage.durable import open_regular

_ROOT = 0
_MAX_NAMED = 3
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def open_trusted(path: Path, flags: int, about: Iterable[Path], *, kind: str) -> int:
    """Open a file whose word counts for all of ``about``, which are disks and files; ``kind`` is what it should be.

    Raises:
        OSError: it cannot be opened, or is no plain file.
        ForeignFileError: its owner's word does not count.
        JournalError: it has several names, or others may write to it.
    """
    about = tuple(about)
    # Before it is opened: what a foreign pipe is, or where a foreign link leads, does not matter.
    require_owner(path, about, kind=kind)
    descriptor = open_regular(path, flags)
    try:
        require_trusted(descriptor, path, about, kind=kind)
    except JournalError:
        os.close(descriptor)
        raise
    return descriptor


def require_trusted(descriptor: int, path: Path, about: Iterable[Path], *, kind: str) -> None:
    """Return where the word of an open plain file counts for all of ``about``; raise as open_trusted does otherwise."""
    about = tuple(about)
    require_owner(path, about, kind=kind, descriptor=descriptor)
    status = os.fstat(descriptor)
    if status.st_nlink != 1:
        raise JournalError(
            f"this {kind} does not count: it has {status.st_nlink} names (hard links), so it may be another file's",
            where=str(path),
            advice="If its content is right, replace it by a copy, which is a file of its own; if not, delete it",
        )
    if _is_open_to_others(status, about):
        raise JournalError(
            f"this {kind} does not count: others than its owner may write to it (mode {status.st_mode & 0o777:o})",
            where=str(path),
            advice="If nobody else can have changed it, take that right from them (chmod go-w); if not, delete it",
        )


def require_owner(path: Path, about: Iterable[Path], *, kind: str, descriptor: int | None = None) -> None:
    """Return where the word of a file's owner counts for all of ``about``; of the open file, where there is one.

    Raises:
        ForeignFileError: it does not count.
    """
    owner = (path.lstat() if descriptor is None else os.fstat(descriptor)).st_uid
    if not is_trusted_owner(owner, about):
        raise foreign_file(str(path), owner, kind=kind)


def foreign_file(path: str, owner: int, *, kind: str) -> ForeignFileError:
    """Return the error for a file whose owner's word does not count."""
    return ForeignFileError(
        f"this {kind} does not count: it belongs to {user_name(owner)}, who is neither root nor you, and does not own "
        "every disk and file that it is about",
        where=path,
        advice="If you know where it comes from and trust it, make it yours (chown, as root); if not, delete it or "
        "move the disk to a folder that only you may write to",
    )


def is_trusted_owner(owner: int, about: Iterable[Path]) -> bool:
    """Whether a user's word counts for all of ``about``; root's and the caller's alone, where none of that is there."""
    if owner in (_ROOT, os.geteuid()):
        return True
    return {status.st_uid for status in _statuses(about)} == {owner}


def name_passed_over(foreign: Sequence[ForeignFileError]) -> Iterator[str]:
    """Yield what is told of foreign files that are passed over: the first ones by name, and how many more there are."""
    for error in foreign[:_MAX_NAMED]:
        yield f"passed over: {error.where}: {error.what}"
    if len(foreign) > _MAX_NAMED:
        yield f"passed over: {len(foreign) - _MAX_NAMED} more like it"


@cache
def user_name(user: int) -> str:
    """Return what a user is called, with the number; the number alone where that has no name."""
    import pwd  # most commands meet no foreign file

    try:
        return f"{pwd.getpwuid(user).pw_name} ({user})"
    except KeyError:
        return f"user {user}"


def _is_open_to_others(status: os.stat_result, about: Iterable[Path]) -> bool:
    """Whether others may write to a file who may not write to all of ``about``."""
    granted = status.st_mode & _OTHERS
    if not granted:
        return False
    known = _statuses(about)
    return not known or any(granted & ~_granted_alike(each, status) for each in known)


def _granted_alike(other: os.stat_result, status: os.stat_result) -> int:
    """Return the rights of group and others on another file; none of a group that is not the same."""
    return other.st_mode if other.st_gid == status.st_gid else other.st_mode & ~stat.S_IWGRP


def _statuses(paths: Iterable[Path]) -> list[os.stat_result]:
    """Return the status of each file that is there; of none, where one may not be looked at."""
    found = []
    for path in paths:
        try:
            found.append(path.stat())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return []
    return found
