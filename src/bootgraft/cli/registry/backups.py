"""A hive file is replaced as a whole by a new one, and the old one is kept beside it.

A hive may grow, which a journal of a disk's bytes does not record. So the new content goes to a file beside it that
takes its name once it is on stable storage; the old file stays as ``NAME.bootgraft-N.DIGEST.bak``, where DIGEST is the
start of the SHA-256 of what was written. ``undo`` puts the newest of them back, unless the hive is another one by now.

Backups count by the rule of ``storage.ownership``. A foreign one is passed over even by ``undo``: DIGEST tells whether
the next one is that of the last change.
"""

import errno
import filecmp
import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bootgraft.cli.terminal import tell
from bootgraft.errors import ForeignFileError, ImageError
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.durable import sync_folder
from bootgraft.storage.newfile import create_new, is_at, make_way
from bootgraft.storage.ownership import name_passed_over, open_trusted

PIECE = 2**20
"""Bytes that are read or written at a time."""
_BACKUP = re.compile(r"\.bootgraft-(\d{1,6})\.([0-9a-f]{16})\.bak")


def replace_hive(hive: RawFile, content: BlockDevice, size: int) -> Path:
    """Give the file a new content in one step, and return where the old one is kept."""
    path = hive.path
    new = path.with_name(path.name + ".bootgraft-new")
    make_way(new)
    try:
        for _, _, name in _named(path):
            if is_at(name, hive.fileno()):  # of a change that was interrupted
                name.unlink()
        number = max((found[0] for found in backups_of(path)), default=0) + 1
        digest = _write_new(new, hive, content, size)
        backup = path.with_name(f"{path.name}.bootgraft-{number}.{digest}.bak")
        _keep(hive, backup)
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise unwritable(path, error) from error
    return backup


def _write_new(new: Path, old: RawFile, content: BlockDevice, size: int) -> str:
    """Write the new file to stable storage and return the start of its SHA-256."""
    digest = hashlib.sha256()
    with os.fdopen(create_new(new), "wb") as file:
        for at in range(0, size, PIECE):
            piece = content.read(at, min(PIECE, size - at))
            digest.update(piece)
            file.write(piece)
        file.flush()
        _copy_attributes(old.fileno(), file.fileno())
        os.fsync(file.fileno())
    return digest.hexdigest()[:16]


def _copy_attributes(old: int, new: int) -> None:
    """Give an open file the owner, the extended attributes and the mode of another one, as far as this user may."""
    status = os.fstat(old)
    with suppress(PermissionError):  # only root can give a file away
        os.fchown(new, status.st_uid, status.st_gid)
    with suppress(OSError):  # a file system without them
        for name in os.listxattr(old):
            with suppress(OSError):  # some are root's to set
                os.setxattr(new, name, os.getxattr(old, name))
    os.fchmod(new, status.st_mode & 0o777)


def _keep(hive: RawFile, backup: Path) -> None:
    """Keep the file under another name too, as a copy where the file system knows no links."""
    try:
        backup.hardlink_to(hive.path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        with os.fdopen(create_new(backup), "wb") as file:
            for at in range(0, hive.size, PIECE):
                file.write(hive.read(at, min(PIECE, hive.size - at)))
            file.flush()
            _copy_attributes(hive.fileno(), file.fileno())
            os.fsync(file.fileno())


def backups_of(path: Path) -> list[tuple[int, str, Path]]:
    """Number, digest and place of each backup that counts, the newest last; foreign ones are reported.

    One that is the hive itself is of a change that was interrupted before the hive was replaced.

    Raises:
        JournalError: one does not count for another reason than its owner.
    """
    found, foreign = [], []
    for number, digest, backup in _named(path):
        if os.path.samestat(backup.lstat(), path.lstat()):
            continue
        try:
            os.close(open_trusted(backup, os.O_RDONLY, [path], kind="backup of a hive"))
        except ForeignFileError as error:
            foreign.append(error)
            continue
        found.append((number, digest, backup))
    tell_passed_over(foreign)
    return found


def finished_backups(path: Path) -> list[tuple[int, str, Path]]:
    """Number, digest and place of the backup of each change that was finished, the newest last.

    A newest one that holds what the hive holds is of a change that was interrupted before the hive was replaced.

    Raises:
        JournalError: as for ``backups_of``.
        ImageError: one cannot be read.
    """
    found = backups_of(path)
    try:
        while found and filecmp.cmp(found[-1][2], path, shallow=False):
            found.pop()
    except OSError as error:
        raise unwritable(path, error) from error
    return found


def _named(path: Path) -> list[tuple[int, str, Path]]:
    """Number, digest and place of each file that has the name of a backup, the newest last."""
    found = []
    with os.scandir(path.parent) as entries:
        for entry in entries:
            match = _BACKUP.fullmatch(entry.name.removeprefix(path.name)) if entry.name.startswith(path.name) else None
            if match:
                found.append((int(match[1]), match[2], Path(entry.path)))
    return sorted(found)


def digest_of(path: Path) -> str:
    """Return the start of a file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def unwritable(path: Path, error: OSError) -> ImageError:
    """Return the error for a hive that the operating system does not let us replace."""
    return ImageError(
        f"it cannot be replaced ({error.strerror}); the hive is as it was",
        where=str(path),
        advice="Check the folder's permissions and free space, and run the command again",
    )


def tell_passed_over(foreign: Sequence[ForeignFileError]) -> None:
    """Tell of files that do not count because of their owner."""
    for text in name_passed_over(foreign):
        tell(f"bootgraft: {text}\n")
