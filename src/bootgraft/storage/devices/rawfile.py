"""A raw disk: a regular file or a block device, locked the way qemu locks it for as long as it is open."""

import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bootgraft.errors import ImageError, ImageInUseError, ReadOnlyError
from bootgraft.storage.devices.blockdevice import check_range, flush_failed
from bootgraft.storage.fileidentity import FileIdentity, identity_of
from bootgraft.storage.usage import inuse, locks

if TYPE_CHECKING:  # only who writes reads back
    from bootgraft.storage.devices.readback import StoredBytes

_MAX_WRITE = 2**30
"""Linux moves at most 2 GiB less a page in one call; larger writes go in pieces."""


def open_descriptor(path: Path, *, writable: bool, exclusive: bool = False) -> int:
    """Open a regular file or block device and return its file descriptor.

    A named pipe or a terminal would block or give nothing; it is refused. A block device is opened for writing, or
    ``exclusive``, with O_EXCL, which Linux refuses while it is mounted or belongs to LVM or RAID.

    Raises:
        ImageError: there is no such file, it may not be opened, or it is neither file nor block device.
        ImageInUseError: the block device is mounted, or another program has a lease on the file.
        ReadOnlyError: ``writable`` was asked for and the file cannot be written.
    """
    flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        if (writable or exclusive) and stat.S_ISBLK(path.stat().st_mode):
            flags |= os.O_EXCL
        descriptor = _open(path, flags)
    except OSError as error:
        raise _open_error(error, path, writable=writable) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return descriptor
    os.close(descriptor)
    kind = "a directory" if stat.S_ISDIR(mode) else "neither a file nor a block device"
    raise ImageError(
        f"this is {kind}, not a disk image", where=str(path), advice="Give the disk image's own file", id="not-an-image"
    )


def _open(path: Path, flags: int) -> int:
    """Open a file, and try again where somebody has a lease on it: ``inuse`` has one for a moment."""
    for _ in range(inuse.TRIES - 1):
        try:
            return os.open(path, flags)
        except BlockingIOError:
            time.sleep(inuse.PAUSE)
    return os.open(path, flags)


def _open_error(error: OSError, path: Path, *, writable: bool) -> ImageError:
    where = str(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ImageError("there is no such file", where=where, advice="Check the path", id="image-missing")
    if error.errno == errno.EISDIR:
        return ImageError(
            "this is a directory, not a disk image", where=where, advice="Give the image's own file", id="not-an-image"
        )
    if error.errno == errno.EBUSY:
        return ImageInUseError(
            f"the block device is mounted, or LVM, RAID or another program holds it{inuse.named_users(path)}",
            where=where,
            advice="Unmount or release it first (lsblk shows who has it)",
        )
    if error.errno == errno.EAGAIN:
        return ImageInUseError(
            "another program has a lease on it, as a file server has for its clients",
            where=where,
            advice="Close the file on the machine that has it open, then try again",
        )
    if writable and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyError(
            f"it cannot be opened for writing ({error.strerror})",
            where=where,
            advice="Give yourself write permission, or use --overlay OUT.qcow2",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return ImageError("too many files are open", where=where, advice="Raise the limit: ulimit -n 65536")
    return ImageError(f"it cannot be opened ({error.strerror})", where=where, advice="Check the path and permissions")


def descriptor_size(descriptor: int) -> int:
    """Return the size in bytes of an open regular file or block device."""
    return os.lseek(descriptor, 0, os.SEEK_END)


class RawFile:
    """A BlockDevice over a regular file or a block device.

    qemu's byte-range locks are taken before the first read and given back by :meth:`close`. ``unasked`` says, in
    sentences, what could not be asked of who else uses it.

    Raises:
        ImageError: the file cannot be opened or locked.
        ImageInUseError: another program uses it: a virtual machine, another bootgraft, a loop device, a mount.
        ReadOnlyError: ``writable`` was asked for and the file cannot be written.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        self._writable = writable
        self._flush_failed = False
        self._stored: StoredBytes | None = None
        self._descriptor = open_descriptor(path, writable=writable)
        try:
            locks.lock(self._descriptor, path, writable=writable)
            self.unasked = inuse.require_unused(self._descriptor, path, writing=writable)
            self._size = descriptor_size(self._descriptor)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Bytes in the file when it was opened."""
        return self._size

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def require_unused(self) -> None:
        """Raise ImageInUseError where another program uses the file by now."""
        self._forget_stored()  # our own second opener
        inuse.require_unused(self._descriptor, self._path, writing=self._writable)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where=str(self._path))
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = os.pread(self._descriptor, length, offset)
            except OSError as error:
                raise self._failed("read", offset, error) from error
            if not piece:
                raise ImageError(
                    f"the file ends at byte {offset}: it was shortened while it was open",
                    where=str(self._path),
                    advice="Find out which program changed it, and start again",
                )
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace ``len(data)`` bytes at ``offset``; the file never grows."""
        if not self._writable:
            raise ReadOnlyError(
                "the image was opened for reading", where=str(self._path), advice="Open it for writing first"
            )
        check_range(self, offset, len(data), where=str(self._path))
        self._refuse_after_failed_flush()
        self._forget_stored()
        rest = memoryview(data)
        while rest:
            try:
                done = os.pwrite(self._descriptor, rest[:_MAX_WRITE], offset)
            except OSError as error:
                raise self._failed("written", offset, error) from error
            rest = rest[done:]
            offset += done

    def flush(self) -> None:
        """Return when everything written is on stable storage (fdatasync: the size never changes).

        A flush that failed is final.
        """
        self._refuse_after_failed_flush()
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._flush_failed = True
            raise self._failed("flushed", 0, error) from error

    def read_back(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes as the storage holds them, not the page cache; ask in ascending order."""
        check_range(self, offset, length, where=str(self._path))
        if self._stored is None:
            from bootgraft.storage.devices.readback import StoredBytes

            self._stored = StoredBytes(self._descriptor)
        try:
            return self._stored.read(offset, length)
        except OSError as error:
            raise self._failed("read back", offset, error) from error

    def opened_files(self) -> frozenset[FileIdentity]:
        """Return the file that is open, by what it is and not by its name."""
        identity = identity_of(os.fstat(self._descriptor))
        return frozenset() if identity is None else frozenset({identity})

    def close(self) -> None:
        """Close the file, which gives its locks back; a second call does nothing."""
        self._forget_stored()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _refuse_after_failed_flush(self) -> None:
        if self._flush_failed:
            raise flush_failed(str(self._path))

    def _forget_stored(self) -> None:
        stored, self._stored = self._stored, None
        if stored is not None:
            stored.close()

    def _failed(self, done: str, offset: int, error: OSError) -> ImageError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "Free space on the file system that holds the image, then run the command again"
        elif error.errno == errno.EFBIG:
            advice = "Lift this shell's limit on the size of files: ulimit -f unlimited"
        else:
            advice = "Look for disk or network errors (dmesg), and copy the image to sound storage"
        return ImageError(f"byte {offset} cannot be {done} ({error.strerror})", where=str(self._path), advice=advice)
