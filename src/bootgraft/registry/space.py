"""Room in a hive: cells are taken from free ones first, so that a hive does not outgrow what a loader can read.

Bins are scanned from the first on, and only until a free cell is found that fits; what was met on the way is
remembered. When nothing fits, a bin is appended. A freed cell is joined with free neighbours in its bin.
"""

from bisect import bisect_left, insort

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import PAGE
from bootgraft.registry.cells import BIN_HEADER, Cells

_SIZE_FIELD = 4
_LARGEST_HIVE = 0x7FFF_F000
"""Bytes of bins: offsets with the top bit set mean volatile storage."""


class Space:
    """Allocates and frees cells. Raises HiveError where a bin it has to look into is damaged."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._free: list[tuple[int, int]] = []  # (size, offset), ascending: the first that is large enough fits best
        self._scanned = 0

    def forget(self) -> None:
        """Forget all free cells, after the bins were put back to an earlier state."""
        self._free.clear()
        self._scanned = 0

    def allocate(self, data: bytes) -> int:
        """Put data into a new cell and return its offset; what rounding adds to the cell is zero."""
        need = -(-(len(data) + _SIZE_FIELD) // 8) * 8
        size, offset = self._take(need)
        if size > need:
            self._cells.set_size(offset + need, size - need)
            insort(self._free, (size - need, offset + need))
        self._cells.set_size(offset, -need)
        self._cells.patch(offset, 0, data.ljust(need - _SIZE_FIELD, b"\0"))
        return offset

    def free(self, offset: int) -> None:
        """Return a cell in use to its bin."""
        hive_bin = self._cells.bin_of(offset)
        layout = self._cells.walk(hive_bin)
        at = bisect_left(layout, (offset, -(1 << 32)))
        if at == len(layout) or layout[at][0] != offset or layout[at][1] > 0:
            raise self._cells.damaged(f"0x{offset:x} is no cell in use")
        first, size = offset, -layout[at][1]
        neighbours = []
        if at + 1 < len(layout) and layout[at + 1][1] > 0:
            neighbours.append(layout[at + 1])
        if at > 0 and layout[at - 1][1] > 0:
            neighbours.append(layout[at - 1])
            first = layout[at - 1][0]
        size += sum(neighbour for _, neighbour in neighbours)
        self._cells.set_size(offset, -layout[at][1])
        self._cells.set_size(first, size)
        if hive_bin.start < self._scanned:
            for place, length in neighbours:
                self._free.remove((length, place))
            insort(self._free, (size, first))

    def _take(self, need: int) -> tuple[int, int]:
        """The smallest free cell known of at least ``need`` bytes, taken out of the index."""
        at = bisect_left(self._free, (need, 0))
        while at == len(self._free):
            if self._scanned < self._cells.bins_size:
                self._scan()
            else:
                self._grow(need)
            at = bisect_left(self._free, (need, 0))
        return self._free.pop(at)

    def _scan(self) -> None:
        hive_bin = self._cells.bin_of(self._scanned)
        for cell in self._cells.free_in(hive_bin):
            insort(self._free, cell)
        self._scanned = hive_bin.end

    def _grow(self, need: int) -> None:
        size = -(-(need + BIN_HEADER) // PAGE) * PAGE
        if self._cells.bins_size + size > _LARGEST_HIVE:
            raise HiveError(
                "the hive would grow beyond 2 GB",
                where=self._cells.name,
                advice="Delete what is not needed from it first; Windows could not load it any more",
            )
        new = self._cells.append_bin(size)
        insort(self._free, (size - BIN_HEADER, new.start + BIN_HEADER))
        self._scanned = new.end
