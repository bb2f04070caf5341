"""The bins of a hive as one buffer, of which no more than a window is in memory: a SOFTWARE hive may have 300 MB.

The buffer is anonymous memory as large as the bins. Stretches are read into it when they are asked for, and given back
to the system (``MADV_DONTNEED``) when others need their room, so that whoever reads uses offsets as they stand.
"""

import contextlib
import mmap
from collections.abc import Callable, Iterable, Sequence

CHUNK = 2**16
"""Bytes that are read, and given back, at once."""
WINDOW = 16 * 2**20
"""Bytes in memory at once; a hive up to this size is read into it once."""
_MOST = 16
"""Chunks in one read."""


class Window:
    """``data`` has the bytes of what was asked for last, and zeros or older bytes elsewhere.

    A hive that fits into the window is read at once, unless ``lazily``.
    """

    def __init__(self, source: Callable[[int, int], bytes], size: int, *, lazily: bool = False) -> None:
        self._source = source  # gives bytes by offset and length; they never reach beyond ``size``
        self._size = size
        self._loaded: dict[int, None] = {}  # chunks, the oldest first
        self.data = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.is_whole = False
        if size <= WINDOW and not lazily:
            self.load(0, size)
            self.is_whole = True
        else:
            with contextlib.suppress(OSError):  # a kernel without huge pages, of which one would hold 32 chunks
                self.data.madvise(mmap.MADV_NOHUGEPAGE)

    def load(self, start: int, end: int) -> None:
        """See to it that the bytes from ``start`` to ``end`` (or the bins' end) are there."""
        if self.is_whole:
            return
        first, last = start // CHUNK, (min(end, self._size) - 1) // CHUNK
        if first != last or first not in self._loaded:
            self._load(range(first, last + 1))

    def load_around(self, offsets: Sequence[int], length: int) -> None:
        """The same for ``length`` bytes from each of some offsets, of which there is at least one."""
        start, end = min(offsets), max(offsets) + length
        if end - start < _MOST * CHUNK:  # as it mostly is: what belongs together was mostly made together
            self.load(start, end)
            return
        chunks = {at // CHUNK for at in offsets}
        chunks |= {(at + length - 1) // CHUNK for at in offsets}
        last = (self._size - 1) // CHUNK
        self._load(sorted(each for each in chunks if each <= last))

    def _load(self, chunks: Iterable[int]) -> None:
        wanted = [each for each in chunks if each not in self._loaded]
        if not wanted:
            return
        self._make_room(len(wanted), set(chunks))
        first = wanted[0]
        for at, chunk in enumerate(wanted):
            following = wanted[at + 1] if at + 1 < len(wanted) else -1
            if following == chunk + 1 and following - first < _MOST:
                continue
            start, end = first * CHUNK, min((chunk + 1) * CHUNK, self._size)
            self.data[start:end] = self._source(start, end - start)
            first = following
        self._loaded.update(dict.fromkeys(wanted))

    def _make_room(self, count: int, needed: set[int]) -> None:
        excess = len(self._loaded) + count - WINDOW // CHUNK
        if excess <= 0:
            return
        for chunk in [each for each in self._loaded if each not in needed][:excess]:
            del self._loaded[chunk]
            if CHUNK % mmap.PAGESIZE == 0:
                length = min(CHUNK, self._size - chunk * CHUNK)
                self.data.madvise(mmap.MADV_DONTNEED, chunk * CHUNK, length)
