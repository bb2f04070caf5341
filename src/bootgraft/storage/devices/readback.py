"""Reading a file from its storage rather than from the page cache.

After a failed fsync Linux keeps the pages of the file but calls them clean: they read as they should, nothing writes
them any more, and the next fsync succeeds (tried with ext4 on a device that failed for a moment; fsync(2), "EIO").
So what a cache says of a file on which a flush may have failed is no evidence. O_DIRECT reads around the cache; where
a file system has none (open(2): EINVAL), clean pages are dropped by posix_fadvise(POSIX_FADV_DONTNEED).
"""

import errno
import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bootgraft.storage.durable import read_all

_ALIGNMENT = 4096
"""Bytes: no storage asks for coarser addresses, lengths and buffers in direct reads."""
_WINDOW = 2**17
"""Bytes read at once: the changes of a repair lie close together, and one read costs as much as ten."""


def drop_cached(paths: Iterable[Path]) -> None:
    """Have the next reads of these files come from storage, as far as nobody holds their pages."""
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            continue  # whoever opens it next says what is wrong with it
        try:
            # Only clean pages are dropped. An error here is of writes before ours, and told once: to whoever asks next.
            with suppress(OSError):
                os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


class StoredBytes:
    """What the storage holds of a file that is open as ``descriptor``; to be asked in ascending order.

    Nothing may be written to the file while this is in use.
    """

    def __init__(self, descriptor: int) -> None:
        self._cached = descriptor
        self._direct = _open_direct(descriptor)
        self._start = 0
        self._window = b""

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer only where the file ends.

        Raises:
            OSError: the storage cannot be read.
        """
        end = offset + length
        if not (self._start <= offset and end <= self._start + len(self._window)):
            self._start = offset - offset % _ALIGNMENT
            self._window = self._fetch(self._start, max(_WINDOW, end - self._start + -end % _ALIGNMENT))
        return self._window[offset - self._start : end - self._start]

    def _fetch(self, offset: int, length: int) -> bytes:
        if self._direct >= 0:
            try:
                return _read_aligned(self._direct, offset, length)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            self.close()
            os.posix_fadvise(self._cached, 0, 0, os.POSIX_FADV_DONTNEED)
        return read_all(self._cached, offset, length)

    def close(self) -> None:
        """Release the second descriptor; a second call does nothing."""
        direct, self._direct = self._direct, -1
        if direct >= 0:
            os.close(direct)


def _read_aligned(descriptor: int, offset: int, length: int) -> bytes:
    """Read around the cache, fewer bytes than ``length`` only where the file ends."""
    with mmap.mmap(-1, length) as buffer, memoryview(buffer) as view:  # a page's alignment, which O_DIRECT wants
        filled = 0
        while filled < length:
            with view[filled:] as rest:
                count = os.preadv(descriptor, [rest], offset + filled)
            filled += count
            if count % _ALIGNMENT or not count:
                break  # the end of the file
        return bytes(view[:filled])


def _open_direct(descriptor: int) -> int:
    """Open the same file around the cache; -1 where that does not go, after its clean pages were dropped."""
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return -1
