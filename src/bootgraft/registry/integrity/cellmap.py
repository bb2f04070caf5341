"""Every bin and cell of a hive, walked once: where cells begin, which are in use, and which of them were reached.

For the strict reader. Format: https://github.com/msuhanov/regf, "Hive bin" and "Cell". The kernel checks bins and
cells so when it maps a hive (ReactOS, ``HvValidateBin``: the same checks as NT's).
"""

import struct
from array import array
from collections.abc import Iterator
from functools import partial

from bootgraft.registry.baseblock import BASE_SIZE, PAGE
from bootgraft.registry.cells import BIN_HEADER, BIN_LIMIT, CELL_LIMIT, Cells, signed_words
from bootgraft.registry.integrity.defects import DefectKind, Defects
from bootgraft.registry.integrity.window import Window

NOTHING, FREE, IN_USE, REACHED = 0, 1, 2, 3
"""What begins at an offset: no cell, a free one, one in use, one in use that something led to."""
SIZE_LIMIT = 2**29
"""Bytes of bins that are read strictly; Windows itself loads no SYSTEM hive of 400 MB."""
_HEADER = struct.Struct("<4sII")
_size_at = struct.Struct("<i").unpack_from


def scan(cells: Cells, offset: int, length: int) -> bytes:
    """Bytes of the bins, not kept."""
    return cells.store.scan(BASE_SIZE + offset, length)


class CellMap:
    """The bins of a hive. ``state`` has one byte for every 8 bytes of the bins, ``bins`` the start of each."""

    def __init__(self, window: Window, state: bytearray, defects: Defects) -> None:
        self._defects = defects
        self.window = window
        self.data = window.data
        self.size = len(window.data)
        self.state = state
        self.bins = array("I")
        self.free_bytes = 0

    @classmethod
    def of(cls, cells: Cells, defects: Defects) -> "CellMap":
        """Walk all bins of a hive."""
        if cells.bins_size > SIZE_LIMIT:
            raise cells.damaged(f"{cells.bins_size} bytes of bins are too many for an integrity check")
        window = Window(partial(scan, cells), cells.bins_size)
        made = cls(window, bytearray(cells.bins_size >> 3), defects)
        for start, end in made.walk_bins(0):
            if end - start > BIN_LIMIT or not made.walk(start, end):
                made._walk_carefully(start, end)
        return made

    def load(self, offset: int) -> int:
        """Have a cell in use in memory, as far as any record reaches; its capacity."""
        if self.window.is_whole:
            return self.capacity(offset)
        self.window.load(offset, offset + 4)
        capacity = self.capacity(offset)
        self.window.load(offset, offset + 4 + min(capacity, CELL_LIMIT))
        return capacity

    def capacity(self, offset: int) -> int:
        """Bytes of data in a cell that is in use, whose size is in memory."""
        return int(-_size_at(self.data, offset)[0]) - 4

    def unreached(self) -> tuple[int, int, int]:
        """Cells in use that nothing led to: how many, their bytes, and the first one's offset."""
        count = total = first = 0
        at = self.state.find(IN_USE)
        while at >= 0:
            first = first or at << 3
            count += 1
            total += self._size(at << 3)
            at = self.state.find(IN_USE, at + 1)
        return count, abs(total), first

    def _size(self, offset: int) -> int:
        """The size field of a cell: negative for one in use."""
        self.window.load(offset, offset + 4)
        return int(_size_at(self.data, offset)[0])

    def walk_bins(self, start: int) -> Iterator[tuple[int, int]]:
        """Start and end of each sound bin from ``start`` on; behind a damaged header the next one that is right."""
        sound = True
        while start < self.size:
            self.window.load(start, start + BIN_HEADER)
            signature, place, size = _HEADER.unpack_from(self.data, start)
            if signature == b"hbin" and place == start and size and not size % PAGE and start + size <= self.size:
                sound = True
                self.bins.append(start)
                yield start, start + size
                start += size
                continue
            if sound:
                self._defects.add(DefectKind.BIN_HEADER, start, None, "the header of this bin is wrong")
            sound = False
            start += PAGE

    def walk(self, start: int, end: int) -> bool:
        """Walk a bin's cells; False where they do not fill it."""
        self.window.load(start, end)
        words, state, base = signed_words(self.data[start:end]), self.state, start >> 3
        at, stop = BIN_HEADER >> 2, len(words)
        seen = free = 0  # all sizes or-ed: whether one is no multiple of 8 is asked once
        while at < stop:
            size = words[at]
            seen |= size
            if size < 0:
                state[base + (at >> 1)] = IN_USE
                at -= size >> 2
            elif size > 7:
                state[base + (at >> 1)] = FREE
                free += size
                at += size >> 2
            else:
                break
        if at != stop or seen & 7:
            state[base : end >> 3] = bytes((end - start) >> 3)
            return False
        self.free_bytes += free
        return True

    def _walk_carefully(self, start: int, end: int) -> None:
        """The same for a bin that may be damaged, or too large to be held: the first cell that is wrong is told."""
        at = start + BIN_HEADER
        while at < end:
            size = self._size(at)
            if size & 7 or size == 0 or at + abs(size) > end:
                self._defects.add(DefectKind.CELL_SIZE, at, None, f"a cell says a size of {size} bytes")
                return
            self.state[at >> 3] = IN_USE if size < 0 else FREE
            self.free_bytes += max(size, 0)
            at += abs(size)
