"""Every bin and cell of a hive, walked once: where cells begin, which are in use, and which of them were reached.

For the strict reader. Format: https://github.com/msuhanov/regf, "Hive bin" and "Cell". The kernel checks bins and
cells so when it maps a hive (ReactOS, ``HvValidateBin``: the same checks as NT's).
"""

import struct
import sys
from array import array
from collections.abc import Iterator, Sequence

from bootgraft.registry.baseblock import BASE_SIZE, PAGE
from bootgraft.registry.cells import BIN_HEADER, Cells
from bootgraft.registry.integrity.defects import DefectKind, Defects

NOTHING, FREE, IN_USE, REACHED = 0, 1, 2, 3
"""What begins at an offset: no cell, a free one, one in use, one in use that something led to."""
SIZE_LIMIT = 2**29
"""Bytes of bins that are read into memory; Windows itself loads no SYSTEM hive of 400 MB."""
_HEADER = struct.Struct("<4sII")


class CellMap:
    """The bins of a hive in memory. ``state`` has one byte for every 8 bytes of the bins."""

    def __init__(self, cells: Cells, defects: Defects) -> None:
        if cells.bins_size > SIZE_LIMIT:
            raise cells.damaged(f"{cells.bins_size} bytes of bins are too many for a strict reading")
        self._defects = defects
        self.size = cells.bins_size
        self.data = cells.store.read(BASE_SIZE, self.size)
        self.words = _signed_words(self.data)
        self.state = bytearray(self.size >> 3)
        self.free_bytes = 0
        for start, end in self._bins():
            self._walk(start, end)

    def capacity(self, offset: int) -> int:
        """Bytes of data in a cell that is in use."""
        return -self.words[offset >> 2] - 4

    def unreached(self) -> tuple[int, int, int]:
        """Cells in use that nothing led to: how many, their bytes, and the first one's offset."""
        count = total = first = 0
        at = self.state.find(IN_USE)
        while at >= 0:
            first = first or at << 3
            count += 1
            total -= self.words[at << 1]
            at = self.state.find(IN_USE, at + 1)
        return count, total, first

    def _bins(self) -> Iterator[tuple[int, int]]:
        """Start and end of each sound bin; behind a damaged header the next page that has a right one goes on."""
        start, sound = 0, True
        while start < self.size:
            signature, place, size = _HEADER.unpack_from(self.data, start)
            if signature == b"hbin" and place == start and size and not size % PAGE and start + size <= self.size:
                sound = True
                yield start, start + size
                start += size
                continue
            if sound:
                self._defects.add(DefectKind.BIN_HEADER, start, None, "the header of this bin is wrong")
            sound = False
            start += PAGE

    def _walk(self, start: int, end: int) -> None:
        words, state = self.words, self.state
        at, stop = (start + BIN_HEADER) >> 2, end >> 2
        while at < stop:
            size = words[at]
            if size & 7 or size == 0 or at + (abs(size) >> 2) > stop:
                self._defects.add(DefectKind.CELL_SIZE, at << 2, None, f"a cell says a size of {size} bytes")
                return
            if size < 0:
                state[at >> 1] = IN_USE
                at -= size >> 2
            else:
                state[at >> 1] = FREE
                self.free_bytes += size
                at += size >> 2


def _signed_words(data: bytes) -> Sequence[int]:
    if sys.byteorder == "little":
        return memoryview(data).cast("i")
    words = array("i", data)
    words.byteswap()
    return words
