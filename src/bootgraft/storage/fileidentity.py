"""Which file a path led to when it was looked at: what is opened and written later must be that same file.

A path is only a name. Whoever may write in an image's folder can put another file, or a link to somebody else's, in its
place between two looks. A file is the same one where device and inode are the same (stat(2)); a device node where its
device number is.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import ImageError, ImageInUseError


class FileIdentity(Struct, frozen=True):
    """A regular file (``device``, ``inode``) or a block device (its own number, None)."""

    device: int
    inode: int | None


def identity_of(status: os.stat_result) -> FileIdentity | None:
    """Return the identity of an image file's status; None where it is neither a regular file nor a block device."""
    if stat.S_ISREG(status.st_mode):
        return FileIdentity(status.st_dev, status.st_ino)
    return FileIdentity(status.st_rdev, None) if stat.S_ISBLK(status.st_mode) else None


def identify_file(path: Path) -> FileIdentity:
    """Return the identity of the file at a resolved ``path``.

    Raises:
        ImageError: it cannot be looked at, or a part of the path is a link by now.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = identity_of(os.fstat(descriptor))
            leads_to = Path(f"/proc/self/fd/{descriptor}").readlink()
        finally:
            os.close(descriptor)
    except OSError as error:
        advice = "Check the path and the permissions, and that /proc is mounted"
        raise ImageError(f"it cannot be looked at ({error.strerror})", where=str(path), advice=advice) from error
    # Where names have no case (FAT, CIFS), Linux may say the one that the file was first looked up by.
    if found is None or str(leads_to).casefold() != str(path).casefold():
        raise exchanged(path)
    return found


def open_files(pid: int) -> frozenset[FileIdentity]:
    """Return the regular files and block devices that a process of ours has open.

    Raises:
        OSError: the system does not tell (no ``/proc``, or the process has ended).
    """
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(identity_of(link.stat()))
    return frozenset(identity for identity in found if identity is not None)


def require_identified(known: Sequence[tuple[Path, FileIdentity]], opened: frozenset[FileIdentity]) -> None:
    """Return where what is ``opened`` is what the paths led to, no more and no fewer.

    Raises:
        ImageInUseError: it is not; the error names the file that was exchanged, where it is one of them.
    """
    if opened == {identity for _, identity in known}:
        return
    missing = [path for path, identity in known if identity not in opened]
    raise exchanged((missing or [path for path, _ in known])[0])


def open_identified(path: Path, identity: FileIdentity, flags: int) -> int:
    """Open the file that ``path`` led to when it was identified, and no other.

    Raises:
        ImageInUseError: another file is in its place.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if identity_of(os.fstat(descriptor)) != identity:
        os.close(descriptor)
        raise exchanged(path)
    return descriptor


def exchanged(path: Path) -> ImageInUseError:
    """Return the error for a file that is no longer the one that was looked at."""
    return ImageInUseError(
        "another program put another file in its place while it was being opened; nothing was written",
        where=str(path),
        advice=f"Find out who may write to {path.parent}, and move the image to a folder where only you can",
    )
