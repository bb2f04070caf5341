"""The device operations that libntfs-3g reads and writes a partition through: C callbacks over a BlockDevice.

No exception can cross C: the first one is kept, the call reports EIO, and :meth:`Operations.turn` raises it when
the library has returned. The library never calls ``stat``; ``ioctl`` says that there is nothing to ask.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs.library import DAMAGED, Library
from bootgraft.storage.devices.blockdevice import BlockDevice

_OPEN, _READ_ONLY, _DIRTY = 1, 2, 4  # bits of ntfs_device.d_state (device.h: ND_Open, ND_ReadOnly, ND_Dirty)


_READS = 200_000
_BITMAP_READ = 1 << 27
"""One operation may read so many times, and eight times more for each 128 MiB of volume, which is what one page of
``$Bitmap`` covers: a directory index whose blocks point at each other keeps the library reading for ever."""


class Operations:
    """One partition as an ``ntfs_device``; keep it alive while the library holds the pointer."""

    def __init__(self, library: Library, device: BlockDevice, name: str) -> None:
        self._library = library
        self._name = name
        self._ffi = library.ffi
        self._device = device
        self._position = 0
        self._most_reads = _READS + 8 * (device.size // _BITMAP_READ)
        self._reads_left = self._most_reads
        self._failure: BaseException | None = None
        self._table = self._ffi.new("struct ntfs_device_operations *")
        self._callbacks: list[Any] = []
        for operation in ("open", "close", "seek", "read", "write", "pread", "pwrite", "sync", "stat", "ioctl"):
            kind = self._ffi.typeof(getattr(self._table, operation))
            callback = self._ffi.callback(kind, getattr(self, f"_{operation}"), error=-1, onerror=self._keep)
            self._callbacks.append(callback)
            setattr(self._table, operation, callback)
        self.pointer = library.lib.ntfs_device_alloc(os.fsencode(name), 0, self._table, self._ffi.NULL)
        if not self.pointer:
            raise library.error("no memory for an NTFS device", where=name, advice="Free some memory and try again")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the library for one operation; afterwards raise what a callback met, which is the cause of the rest."""
        with self._library.turn(self._name):
            self._reads_left = self._most_reads
            try:
                yield
            except FileSystemError:
                self.reraise()
                raise
            self.reraise()

    def reraise(self) -> None:
        """Raise what a callback met since the last time, if anything."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def boot_sector(self) -> bytes:
        """Return the first 512 bytes of the partition."""
        return self._device.read(0, 512)

    def free(self) -> None:
        """Give the ``ntfs_device`` back after a mount that failed; a successful unmount has done it already."""
        self._library.lib.ntfs_device_free(self.pointer)

    def forget(self) -> None:
        """Forget what is kept of the device, whose volume is unmounted: what was found on it may be known for long."""
        self._device.close()

    def _keep(self, _kind: type[BaseException], failure: BaseException, _trace: TracebackType) -> None:
        if self._failure is None:
            self._failure = failure
        self._ffi.errno = errno.EIO

    def _refuse(self, code: int) -> int:
        self._ffi.errno = code
        return -1

    def _open(self, dev: Any, flags: int) -> int:
        dev.d_state = _OPEN | (_READ_ONLY if flags & os.O_ACCMODE == os.O_RDONLY else 0)
        return 0

    def _close(self, dev: Any) -> int:
        dev.d_state &= ~_OPEN
        return 0

    def _seek(self, _dev: Any, offset: int, whence: int) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._device.size}
        target = base[whence] + offset
        if target < 0:
            return self._refuse(errno.EINVAL)
        self._position = target
        return target

    def _read(self, dev: Any, buffer: Any, count: int) -> int:
        done = self._pread(dev, buffer, count, self._position)
        self._position += max(done, 0)
        return done

    def _write(self, dev: Any, buffer: Any, count: int) -> int:
        done = self._pwrite(dev, buffer, count, self._position)
        self._position += max(done, 0)
        return done

    def _pread(self, _dev: Any, buffer: Any, count: int, offset: int) -> int:
        if offset < 0 or count < 0:
            return self._refuse(errno.EINVAL)
        self._reads_left -= 1
        if self._reads_left < 0:
            raise FileSystemError("a structure of the volume goes in circles", where=self._name, advice=DAMAGED)
        length = max(0, min(count, self._device.size - offset))
        if length:
            self._ffi.memmove(buffer, self._device.read(offset, length), length)
        return length

    def _pwrite(self, dev: Any, buffer: Any, count: int, offset: int) -> int:
        if dev.d_state & _READ_ONLY:
            return self._refuse(errno.EROFS)
        if offset < 0 or count < 0 or offset + count > self._device.size:
            return self._refuse(errno.ENOSPC)
        dev.d_state |= _DIRTY
        self._device.write(offset, self._ffi.buffer(buffer, count)[:])
        return count

    def _sync(self, dev: Any) -> int:
        if dev.d_state & _DIRTY:
            self._device.flush()
            dev.d_state &= ~_DIRTY
        return 0

    def _stat(self, _dev: Any, _buffer: Any) -> int:
        return self._refuse(errno.EOPNOTSUPP)

    def _ioctl(self, _dev: Any, _request: int, _argument: Any) -> int:
        return self._refuse(errno.EOPNOTSUPP)
