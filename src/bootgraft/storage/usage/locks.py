"""Locks that keep two programs off one image: qemu's byte-range locks, and VMware's lock files.

qemu marks what it does to a file by open-file-description (OFD) locks on single bytes, all of them read locks: byte
100 + n says "I use permission n", byte 200 + n says "nobody else may use permission n". Before it relies on them it
asks the kernel whether a write lock on the opposite byte would meet somebody else's lock. Source: qemu,
block/file-posix.c (RAW_LOCK_PERM_BASE, RAW_LOCK_SHARED_BASE) and include/block/block-common.h (BLK_PERM_*).

VMware's hosted products put a directory ``NAME.vmdk.lck`` beside a disk that is open (VMware knowledge base, "Failed
to lock the file"); ESXi on NFS 3 puts a file ``.lck-HEX`` whose digits are the disk's inode number, lowest byte first
(VMware knowledge base 10051). Anybody who may write to the folder can put either there, so it holds only where its
owner's word counts for the disk (``ownership``).
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from enum import IntFlag
from pathlib import Path

from bootgraft.errors import ImageError, ImageInUseError
from bootgraft.storage.ownership import is_trusted_owner, user_name
from bootgraft.storage.usage import inuse

_USES = 100
_DENIES = 200
_FLOCK = struct.Struct("hhqqi")  # native alignment: l_type, l_whence, l_start, l_len, l_pid
_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


class _Permission(IntFlag):
    CONSISTENT_READ = 1
    WRITE = 2
    WRITE_UNCHANGED = 4
    RESIZE = 8

    @property
    def byte(self) -> int:
        return self.bit_length() - 1


_READER_USES = _Permission.CONSISTENT_READ
_WRITER_USES = _Permission.CONSISTENT_READ | _Permission.WRITE | _Permission.RESIZE
_DENIED = _Permission.WRITE | _Permission.RESIZE


def lock(descriptor: int, path: Path, *, writable: bool) -> None:
    """Take qemu's locks on an open file; they last until the descriptor is closed.

    A reader shares with readers, a writer with nobody that wants to be sure of what it reads; nobody may write beside
    either.

    Raises:
        ImageInUseError: another program uses the file in a way that does not go together with this.
        ImageError: the file system has no such locks.
    """
    uses = _WRITER_USES if writable else _READER_USES
    for permission in uses:
        _take(descriptor, path, _USES + permission.byte)
    for permission in _DENIED:
        _take(descriptor, path, _DENIES + permission.byte)
    # Announce first, ask afterwards: of two that start at once, at least one sees the other.
    _ask(descriptor, path, uses)


def probe(descriptor: int, path: Path, *, writable: bool) -> None:
    """Raise what :func:`lock` would raise, and take no lock."""
    _ask(descriptor, path, _WRITER_USES if writable else _READER_USES)


def refuse_vmware_locks(files: Sequence[Path]) -> tuple[str, ...]:
    """Look for VMware's lock beside each of a disk's files; return a sentence on each that does not count.

    Raises:
        ImageInUseError: there is one; the message names it.
    """
    foreign = []
    for path in files:
        for found in _vmware_locks(path):
            try:
                owner = found.lstat().st_uid
            except OSError:  # a name that is too long is that of no lock
                continue
            if is_trusted_owner(owner, files):
                raise ImageInUseError(
                    f"VMware holds it: the lock {found} exists",
                    where=str(path),
                    advice="Shut the virtual machine down; if it is down everywhere, remove the lock and try again",
                )
            foreign.append(f"passed over: the lock {found} belongs to {user_name(owner)}, who does not own the disk")
    return tuple(foreign)


def _vmware_locks(path: Path) -> Iterator[Path]:
    yield path.with_name(path.name + ".lck")
    try:
        number = path.stat().st_ino
    except FileNotFoundError:  # a bare flat extent without its descriptor
        return
    yield path.with_name(".lck-" + number.to_bytes(8, "little").hex())


def _ask(descriptor: int, path: Path, uses: _Permission) -> None:
    for permission in uses:
        if _is_taken(descriptor, path, _DENIES + permission.byte):
            raise _in_use(path)
    for permission in _DENIED:
        if _is_taken(descriptor, path, _USES + permission.byte):
            raise _in_use(path)


def _in_use(path: Path) -> ImageInUseError:
    return ImageInUseError(
        "another program has it open (a running virtual machine, qemu, or a second bootgraft)"
        + inuse.named_users(path),
        where=str(path),
        advice=f"Shut the virtual machine down or end that program (lsof {path} names it), then try again",
    )


def _take(descriptor: int, path: Path, byte: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):  # a write lock: not qemu's doing, but somebody's
            raise _in_use(path) from error
        raise _cannot_lock(path, error) from error


def _is_taken(descriptor: int, path: Path, byte: int) -> bool:
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        raise _cannot_lock(path, error) from error
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _cannot_lock(path: Path, error: OSError) -> ImageError:
    if error.errno in _UNSUPPORTED:
        what = f"its file system has no byte-range locks ({error.strerror}), so nothing keeps a virtual machine off it"
        advice = "Copy the image to a local disk, or mount the share with locking (NFS: without nolock, lockd running)"
    else:
        what = f"it cannot be locked ({error.strerror})"
        advice = "Look at the file system's health (dmesg), or copy the image to a local disk"
    return ImageError(what, where=str(path), advice=advice)
