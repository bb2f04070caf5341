"""Files that survive a power cut: synchronised writes and renames, and the errors of a full or read-only folder."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootgraft.errors import JournalError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the operating system says where there is no room for a file."""
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def sync_folder(folder: Path) -> None:
    """Return when the names in ``folder`` are on stable storage."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # CIFS and some FUSE file systems cannot synchronise a folder: they answer EINVAL, and write names at once.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of ``data`` at ``offset``: one call may take fewer bytes than it is given."""
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count


def read_all(descriptor: int, offset: int, length: int) -> bytes:
    """Return ``length`` bytes from ``offset``, fewer only where the file ends."""
    pieces = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            break
        pieces.append(piece)
        offset, length = offset + len(piece), length - len(piece)
    return b"".join(pieces)


def open_regular(path: Path, flags: int) -> int:
    """Open a plain file, not a link, a pipe or a device; OSError (EINVAL) for those."""
    # Looked at first, since merely opening a device may do something, and again in case it was exchanged meanwhile.
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise _not_plain(path)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_plain(path)
    return descriptor


def _not_plain(path: Path) -> OSError:
    return OSError(errno.EINVAL, "not a plain file", str(path))


@contextmanager
def explained(path: Path, *, action: str, movable: bool = False) -> Iterator[None]:
    """Turn an OSError in the block into a JournalError that says what ``action`` failed on ``path``.

    ``movable`` says that this is a new journal, which ``--journal PATH`` can put elsewhere.
    """
    try:
        yield
    except OSError as error:
        advice = _advice(error, path.parent, movable=movable)
        raise JournalError(f"{action} failed: {error.strerror or error}", where=str(path), advice=advice) from error


def _advice(error: OSError, folder: Path, *, movable: bool) -> str:
    """Return what to do about what the operating system said."""
    if error.errno in FULL:
        here, there = f"Free some space in {folder}", "on another file system"
    elif error.errno in _REFUSED:
        here, there = f"Make {folder} readable and writable for this user", "in a folder that is"
    elif error.errno == errno.ENOENT:
        here, there = f"Create the folder {folder}", "in one that exists"
    else:
        here, there = f"Check the file system that holds {folder}", "on another one"
    if not movable:
        return f"{here}, and run the command again"
    if error.errno in _REFUSED:  # a journal elsewhere wants a pointer beside the disk
        return f"{here}, or leave the image as it is: --overlay OUT.qcow2 {there}"
    return f"{here}, or give --journal PATH {there}"
