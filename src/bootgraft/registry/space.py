"""Room in a hive: cells are taken from free ones first, so that a hive does not outgrow what a loader can read.

Bins are scanned from the first on, and only until a free cell is found that fits; what was met on the way is
remembered. When nothing fits, a bin is appended. A freed cell is joined with free neighbours in its bin.
"""

from bisect import bisect_left, insort

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import PAGE
from bootgraft.registry.cells import BIN_HEADER, CELL_LIMIT, Cells

_SIZE_FIELD = 4
_KNOWN_LIMIT = 20_000
"""Free cells remembered at most; real hives of 15 MB have a third of that."""
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
        if need > CELL_LIMIT:
            raise self._refused(f"{len(data)} bytes are too many for one cell of a registry hive")
        size, offset = self._take(need)
        if size > need:
            self._cells.set_size(offset + need, size - need)
            self._keep(size - need, offset + need)
        self._cells.set_size(offset, -need)
        self._cells.patch(offset, 0, data.ljust(need - _SIZE_FIELD, b"\0"))
        return offset

    def free(self, offset: int) -> None:
        """Return a cell in use to its bin."""
        hive_bin = self._cells.bin_of(offset)
        joined = self._cells.neighbours(hive_bin, offset)
        for place, length in joined:
            if place == offset:
                self._cells.set_size(offset, length)  # what still refers to it must not take it for one in use
            elif hive_bin.start < self._scanned:
                self._drop(length, place)
        first, size = joined[0][0], sum(length for _, length in joined)
        self._cells.set_size(first, size)
        if hive_bin.start < self._scanned:
            self._keep(size, first)

    def _keep(self, size: int, offset: int) -> None:
        """Remember a free cell; beyond the limit the smallest is forgotten, and stays free."""
        insort(self._free, (size, offset))
        if len(self._free) > _KNOWN_LIMIT:
            self._free.pop(0)

    def _drop(self, size: int, offset: int) -> None:
        at = bisect_left(self._free, (size, offset))
        if at < len(self._free) and self._free[at] == (size, offset):
            self._free.pop(at)

    def _take(self, need: int) -> tuple[int, int]:
        """The smallest free cell known of at least ``need`` bytes, taken out of the index."""
        at = bisect_left(self._free, (need, 0))
        if at == len(self._free) and not self._scan(need):
            self._grow(need)
        return self._free.pop(bisect_left(self._free, (need, 0)))

    def _scan(self, need: int) -> bool:
        """Look into further bins until one has a free cell of ``need`` bytes; whether one had."""
        while self._scanned < self._cells.bins_size:
            hive_bin = self._cells.bin_of(self._scanned)
            found = self._cells.free_in(hive_bin)
            self._free.extend(found)
            self._scanned = hive_bin.end
            if len(self._free) > 2 * _KNOWN_LIMIT:
                self._free = sorted(self._free)[-_KNOWN_LIMIT:]
            if found and max(found)[0] >= need:
                break
        self._free.sort()
        del self._free[:-_KNOWN_LIMIT]
        return bool(self._free) and self._free[-1][0] >= need

    def _grow(self, need: int) -> None:
        size = -(-(need + BIN_HEADER) // PAGE) * PAGE
        if self._cells.bins_size + size > _LARGEST_HIVE:
            raise self._refused("the hive would grow beyond 2 GB")
        new = self._cells.append_bin(size)
        self._keep(size - BIN_HEADER, new.start + BIN_HEADER)
        self._scanned = new.end

    def _refused(self, what: str) -> HiveError:
        return HiveError(
            what, where=self._cells.name, advice="Windows could not load such a hive; make the value smaller"
        )
