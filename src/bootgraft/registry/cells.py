"""Cells: the pieces of a hive's bins that hold every record, reached by offset and checked at every step.

A cell is a 32-bit size, negative while in use, and its data; sizes are multiples of 8. Offsets count from the end
of the base block. Format: https://github.com/msuhanov/regf, "Hive bin" and "Cell".
"""

from dataclasses import dataclass

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import BASE_SIZE, DAMAGED_ADVICE, PAGE
from bootgraft.registry.pages import PagedStore

NIL = 0xFFFFFFFF
"""The offset that means "none"."""
BIN_HEADER = 32
_SIZE_FIELD = 4


@dataclass(frozen=True, slots=True)
class Bin:
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

    def __init__(self, store: PagedStore, *, bins_size: int, minor: int, name: str) -> None:
        self.store = store
        self.minor = minor
        self.bins_size = bins_size
        self.name = name
        self._bins: list[Bin] = []

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
        low, high = 0, len(self._bins)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._bins[middle].start <= offset else (low, middle)
        return self._bins[low]

    def walk(self, hive_bin: Bin) -> list[tuple[int, int]]:
        """Every cell of a bin as (offset, size), the size with its sign: negative in use, positive free."""
        data = self.store.read(BASE_SIZE + hive_bin.start, hive_bin.size)
        words = memoryview(data).cast("i")
        at, end = BIN_HEADER, hive_bin.size
        cells = []
        while at < end:
            size = words[at >> 2]
            cells.append((hive_bin.start + at, size))
            step = -size if size < 0 else size
            if step == 0 or step & 7:
                raise self.damaged(f"the cell at 0x{hive_bin.start + at:x} has a wrong size")
            at += step
        if at != end:
            raise self.damaged(f"the last cell of the bin at 0x{hive_bin.start:x} leaves it")
        return cells

    def set_bins_size(self, size: int) -> None:
        """Change where the bins end: behind a bin appended, or back again."""
        self.bins_size = size
        while self._bins and self._bins[-1].end > size:
            self._bins.pop()

    def _read_bin(self, start: int) -> None:
        header = self.store.read(BASE_SIZE + start, 12)
        place, size = int.from_bytes(header[4:8], "little"), int.from_bytes(header[8:12], "little")
        if header[:4] != b"hbin" or place != start or size == 0 or size % PAGE or start + size > self.bins_size:
            raise self.damaged(f"the bin at 0x{start:x} has a wrong header")
        self._bins.append(Bin(start, size))
