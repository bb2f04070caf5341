"""Cells: the pieces of a hive's bins that hold every record, reached by offset and checked at every step.

A cell is a 32-bit size, negative while in use, and its data; sizes are multiples of 8. Offsets count from the end
of the base block. Format: https://github.com/msuhanov/regf, "Hive bin" and "Cell".
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import BASE_SIZE, DAMAGED_ADVICE, PAGE
from bootgraft.registry.pages import PagedStore

NIL = 0xFFFFFFFF
"""The offset that means "none"."""
BIN_HEADER = 32
_SIZE_FIELD = 4
MINIMAL_CELL = 8
CELL_LIMIT = 2**20
"""Bytes of the largest cell: Windows takes nothing larger for sane (HSANE_CELL_MAX)."""
BIN_LIMIT = 4 * CELL_LIMIT
"""Bytes of the largest bin that is walked; those of real hives have up to 16 KiB."""
_PARSED_LIMIT = 16_384
"""Records that are kept: some 8 MB. All that a check asks of a SYSTEM hive are a few thousand."""
_HBIN = int.from_bytes(b"hbin", "little")


class Bin(Struct, frozen=True):
    """One hive bin; ``start`` and ``size`` are bytes, the start from the end of the base block."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.start + self.size


class Cells:
    """The cells of one hive over its paged store. Every method raises HiveError for an offset or size that is wrong.

    Reading checks alignment, use and the end of the bins. That no cell crosses a bin's end is checked where bins
    are walked: before anything is allocated in or freed from one.
    """

    def __init__(self, store: PagedStore, *, bins_size: int, minor: int, root: int, name: str) -> None:
        self.store = store
        self.minor = minor
        self.root = root  # the offset of the root key
        self.bins_size = bins_size
        self.name = name
        self._bins: list[Bin] = []
        self._starts: list[int] = []
        self._parsed: dict[int, object] = {}
        self._parsed_at = 0
        self.known: object = None
        """What whoever read all of the hive strictly has noted for the next time."""

    @property
    def parsed(self) -> dict[int, object]:
        """The records read since the last change of any cell, by offset, for whoever reads records to look up and add.

        Checks ask for the same few keys and values hundreds of times.
        """
        if self._parsed_at != self.store.edits or len(self._parsed) >= _PARSED_LIMIT:
            self._parsed = {}
            self._parsed_at = self.store.edits
        return self._parsed

    def forget(self) -> None:
        """Forget what can be read again: the file is closed, and whoever still has findings about it reads no more."""
        self._parsed = {}
        self.store.forget()
        self.known = None

    def damaged(self, what: str) -> HiveError:
        """The error for damage found in this hive."""
        return HiveError(what, where=self.name, advice=DAMAGED_ADVICE)

    def capacity(self, offset: int) -> int:
        """Bytes of data that the cell in use at ``offset`` has room for."""
        if offset & 7 or not BIN_HEADER <= offset < self.bins_size:
            raise self.damaged(f"0x{offset:x} is no offset of a cell")
        size = 0x1_0000_0000 - self.store.u32(BASE_SIZE + offset)
        if size > 0x8000_0000:
            raise self.damaged(f"the cell at 0x{offset:x} is referred to but free")
        if size & 7 or size == 0 or offset + size > self.bins_size:
            raise self.damaged(f"the cell at 0x{offset:x} has a wrong size")
        return size - _SIZE_FIELD

    def read(self, offset: int, length: int, at: int = 0) -> bytes:
        """Exactly ``length`` bytes of a cell's data, from ``at`` on."""
        if at + length > self.capacity(offset):
            raise self.damaged(f"the cell at 0x{offset:x} is too small for what it should hold")
        return self.store.read(BASE_SIZE + offset + _SIZE_FIELD + at, length)

    def read_up_to(self, offset: int, length: int) -> bytes:
        """The first ``length`` bytes of a cell's data, or all of them where there are fewer."""
        return self.store.read(BASE_SIZE + offset + _SIZE_FIELD, min(length, self.capacity(offset)))

    def patch(self, offset: int, at: int, data: bytes) -> None:
        """Replace part of a cell's data."""
        if at + len(data) > self.capacity(offset):
            raise self.damaged(f"the cell at 0x{offset:x} is too small for what it should hold")
        self.store.write(BASE_SIZE + offset + _SIZE_FIELD + at, data)

    def bin_of(self, offset: int) -> Bin:
        """The bin that holds a cell; walks the headers of all bins before it, once."""
        if not 0 <= offset < self.bins_size:
            raise self.damaged(f"0x{offset:x} lies outside the bins")
        while not self._bins or self._bins[-1].end <= offset:
            self._read_bin(self._bins[-1].end if self._bins else 0)
        return self._bins[bisect_right(self._starts, offset) - 1]

    def neighbours(self, hive_bin: Bin, offset: int) -> list[tuple[int, int]]:
        """The cell in use at ``offset`` and the free cells on either side of it, as (offset, size), ascending.

        Walks the bin from its start, so that an offset between two cells is seen.
        """
        words = self._words_of(hive_bin)
        at, wanted, end = BIN_HEADER >> 2, (offset - hive_bin.start) >> 2, hive_bin.size >> 2
        before = 0
        while at < wanted:
            before = words[at]
            at += abs(before) >> 2 or end
        if offset & 7 or at != wanted or words[at] >= 0 or words[at] & 7:
            raise self.damaged(f"0x{offset:x} is no cell in use")
        found = [(offset, -words[at])]
        if before > 0:
            found.insert(0, (offset - before, before))
        behind = at - (words[at] >> 2)
        if behind > end:
            raise self.damaged(f"the cell at 0x{offset:x} leaves its bin")
        if behind < end and words[behind] > 0:
            found.append((hive_bin.start + behind * 4, words[behind]))
        return found

    def free_in(self, hive_bin: Bin) -> list[tuple[int, int]]:
        """The free cells of a bin as (size, offset)."""
        words = self._words_of(hive_bin)
        at, end = BIN_HEADER >> 2, hive_bin.size >> 2
        found = []
        seen = 0  # all sizes or-ed: whether one is no multiple of 8 is asked once
        while at < end:
            size = words[at]
            seen |= size
            if size < 0:
                at -= size >> 2
            elif size < MINIMAL_CELL:
                break
            else:
                found.append((size, hive_bin.start + at * 4))
                at += size >> 2
        if at != end or seen & 7:
            raise self.damaged(f"the cells of the bin at 0x{hive_bin.start:x} do not fill it")
        return found

    def set_size(self, offset: int, size: int) -> None:
        """Write a cell's size field: negative for a cell in use, positive for a free one."""
        self.store.write(BASE_SIZE + offset, size.to_bytes(4, "little", signed=True))

    def append_bin(self, size: int) -> Bin:
        """Add a bin of ``size`` bytes (a multiple of 4096) behind the last one, as one free cell."""
        new = Bin(self.bins_size, size)
        self.store.extend(BASE_SIZE + new.end)
        self.bins_size = new.end
        header = b"hbin" + new.start.to_bytes(4, "little") + size.to_bytes(4, "little")
        content = header.ljust(BIN_HEADER, b"\0") + (size - BIN_HEADER).to_bytes(4, "little")
        self.store.write(BASE_SIZE + new.start, content.ljust(size, b"\0"))
        return new

    def set_bins_size(self, size: int) -> None:
        """Change where the bins end: back to what it was before bins were appended."""
        self.bins_size = size
        self._parsed = {}
        while self._bins and self._bins[-1].end > size:
            self._bins.pop()
            self._starts.pop()

    def _words_of(self, hive_bin: Bin) -> Sequence[int]:
        if hive_bin.size > BIN_LIMIT:
            raise self.damaged(f"the bin at 0x{hive_bin.start:x} has {hive_bin.size} bytes, more than Windows writes")
        return signed_words(self.store.read(BASE_SIZE + hive_bin.start, hive_bin.size))

    def _read_bin(self, start: int) -> None:
        at = BASE_SIZE + start
        signature, place, size = self.store.u32(at), self.store.u32(at + 4), self.store.u32(at + 8)
        if signature != _HBIN or place != start or size == 0 or size % PAGE or start + size > self.bins_size:
            raise self.damaged(f"the bin at 0x{start:x} has a wrong header")
        self._bins.append(Bin(start, size))
        self._starts.append(start)


def signed_words(data: bytes) -> Sequence[int]:
    """The little-endian 32-bit words of a bin, signed, without making an object of each."""
    if sys.byteorder == "little":
        return memoryview(data).cast("i")
    words = array("i", data)
    words.byteswap()
    return words
