"""Copy-on-write: all writes to a device are kept aside; the device below is only ever read."""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice, check_range
from bootgraft.storage.devices.intervals import IntervalMap, Piece
from bootgraft.storage.devices.spool import Spool

MEMORY_LIMIT = 256 * 2**20
"""Bytes of changed data that are kept in memory; what goes beyond lies in a temporary file."""

MAX_RUN = 2**20
"""Bytes in a Run of data at most, and in one read of the device below."""

MIN_FILL = 4096
"""Bytes from which on a write of one repeated byte is kept as such."""

_NEAR = 64 * 1024  # changes this near to each other (bytes) are compared with the device below in one read


class Run(Struct, frozen=True):
    """``length`` bytes from ``offset`` on that differ from the device below.

    ``fill`` is the byte that all of them are, None where they are data to be read from the overlay. A run of data is
    at most MAX_RUN bytes long; a constant one can be as long as the disk.
    """

    offset: int
    length: int
    fill: int | None


class Overlay:
    """A device that reads as ``base`` with changes on top. ``base`` must not change meanwhile. Not for several threads.

    Raises ImageError from ``read``, ``write`` and ``fill`` for a range outside the device, where ``base`` cannot be
    read, and where the temporary file cannot grow.
    """

    def __init__(self, base: BlockDevice, *, memory_limit: int = MEMORY_LIMIT) -> None:
        self.base = base
        self._size = base.size
        self._pieces = IntervalMap()
        self._spool = Spool(memory_limit)
        self._closed = False

    @property
    def size(self) -> int:
        """Bytes in the device."""
        return self._size

    @property
    def changed(self) -> bool:
        """Whether any byte really differs from the device below; this compares what was written with it."""
        return next(self.runs(), None) is not None

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        self._check(offset, length)
        if length <= MAX_RUN:
            return self._read(offset, length)
        end = offset + length
        return b"".join(self._read(at, min(MAX_RUN, end - at)) for at in range(offset, end, MAX_RUN))

    def write(self, offset: int, data: bytes, /) -> None:
        """Keep ``data`` aside as what is read from ``offset`` on from now."""
        self._check(offset, len(data))
        if len(data) >= MIN_FILL and _is_constant(data):
            self._fill(offset, len(data), data[0])
        elif data:
            self._store(offset, memoryview(data))

    def fill(self, offset: int, length: int, byte: int, /) -> None:
        """Have ``length`` bytes from ``offset`` read as ``byte``, at no cost in memory however many they are."""
        self._check(offset, length)
        if length >= MIN_FILL:
            self._fill(offset, length, byte)
        elif length:
            self._store(offset, memoryview(bytes([byte]) * length))

    def runs(self) -> Iterator[Run]:
        """Yield, ascending and not overlapping, the stretches of whole sectors that really differ from ``base``.

        The overlay must not be written until the last one was taken.
        """
        waiting: Run | None = None
        for run in self._differences():
            if waiting is None:
                waiting = run
            elif _joins(waiting, run):
                waiting = Run(waiting.offset, waiting.length + run.length, run.fill)
            else:
                yield waiting
                waiting = run
        if waiting is not None:
            yield waiting

    def flush(self) -> None:
        """Do nothing: what is kept aside is not meant to last."""

    def open_spool(self) -> None:
        """Open the temporary file now, for a process that soon can open none."""
        self._spool.open()

    def close(self) -> None:
        """Forget all changes and give the temporary file back; ``base`` stays open. A second call does nothing."""
        self._closed = True
        self._spool.close()
        self._pieces = IntervalMap()

    def _check(self, offset: int, length: int) -> None:
        check_range(self, offset, length, where="overlay")
        if self._closed:
            raise ImageError("the overlay is closed", where="overlay", advice="Report this as a fault in bootgraft")

    def _read(self, offset: int, length: int) -> bytes:
        """Read at most MAX_RUN bytes, with at most one read of ``base``: all from the first gap to the last."""
        pieces = self._pieces.overlapping(offset, offset + length)
        if not pieces:
            return self.base.read(offset, length)
        gaps = _gaps(pieces, offset, offset + length)
        buffer = bytearray(length)
        if gaps:
            first, last = gaps[0][0], gaps[-1][1]
            buffer[first - offset : last - offset] = self.base.read(first, last - first)
        self._patch(buffer, offset, pieces)
        return bytes(buffer)

    def _patch(self, buffer: bytearray, offset: int, pieces: list[Piece]) -> None:
        """Lay ``pieces`` over a buffer that holds the bytes from ``offset`` on."""
        view = memoryview(buffer)
        for piece in pieces:
            target = view[piece.start - offset : piece.end - offset]
            if piece.fill is None:
                self._spool.read_into(piece.at, target)
            else:
                target[:] = bytes([piece.fill]) * len(target)

    def _fill(self, offset: int, length: int, byte: int) -> None:
        for piece in self._pieces.replace(offset, offset + length, [Piece(offset, offset + length, fill=byte)]):
            if piece.fill is None:
                self._spool.release(piece.at, piece.end - piece.start)

    def _store(self, offset: int, data: memoryview) -> None:
        """Overwrite what is stored already where it lies; only the rest takes new room."""
        end = offset + len(data)
        stored = [piece for piece in self._pieces.overlapping(offset, end) if piece.fill is None]
        for piece in stored:
            self._spool.write(piece.at, data[piece.start - offset : piece.end - offset])
        for start, stop in _gaps(stored, offset, end):
            self._pieces.replace(start, stop, self._new_pieces(start, data[start - offset : stop - offset]))

    def _new_pieces(self, offset: int, data: memoryview) -> list[Piece]:
        pieces: list[Piece] = []
        stretches = self._spool.allocate(len(data))
        done = 0
        try:
            for at, length in stretches:
                self._spool.write(at, data[done : done + length])
                pieces.append(Piece(offset + done, offset + done + length, at))
                done += length
        except ImageError:
            for at, length in stretches:
                self._spool.release(at, length)
            raise
        return pieces

    def _differences(self) -> Iterator[Run]:
        for window in _windows(_segments(self._pieces, self._size)):
            start, end = window[0].offset, window[-1].offset + window[-1].length
            old = self.base.read(start, end - start)
            buffer = bytearray(old)
            self._patch(buffer, start, self._pieces.overlapping(start, end))
            new = bytes(buffer)
            for segment in window:
                low, high = segment.offset - start, segment.offset + segment.length - start
                for at, stop in _differing(old, new, low, high):
                    yield Run(start + at, stop - at, segment.fill)


def _is_constant(data: bytes) -> bool:
    """Whether ``data``, which is not empty, is one byte repeated; nearly free where it is not."""
    if data[0] != data[-1] or data[0] != data[len(data) // 2]:
        return False
    step = min(len(data), 65536)
    block = data[:1] * step
    whole = len(data) - len(data) % step
    return all(data.startswith(block, at) for at in range(0, whole, step)) and data.endswith(block[: len(data) - whole])


def _gaps(pieces: list[Piece], start: int, end: int) -> list[tuple[int, int]]:
    """What ascending ``pieces`` leave uncovered between ``start`` and ``end``."""
    gaps: list[tuple[int, int]] = []
    for piece in pieces:
        if piece.start > start:
            gaps.append((start, piece.start))
        start = piece.end
    if start < end:
        gaps.append((start, end))
    return gaps


def _joins(before: Run, run: Run) -> bool:
    if before.offset + before.length != run.offset or before.fill != run.fill:
        return False
    return run.fill is not None or before.length + run.length <= MAX_RUN


def _segments(pieces: IntervalMap, size: int) -> Iterator[Run]:
    """All written sectors as runs, ascending, whether they differ or not: constant ones, and the rest."""
    done = 0
    for piece in pieces:
        start, end = piece.start // SECTOR * SECTOR, min(size, -(-piece.end // SECTOR) * SECTOR)
        stretches: tuple[tuple[int, int, int | None], ...] = ((start, end, None),)
        if piece.fill is not None:
            # Of a constant piece only the whole sectors are constant, and at the end of the disk the rest of one.
            inner = min(end, -(-piece.start // SECTOR) * SECTOR)
            outer = end if piece.end == size else piece.end // SECTOR * SECTOR
            stretches = ((start, inner, None), (inner, outer, piece.fill), (outer, end, None))
        for first, last, fill in stretches:
            low = max(first, done)
            if low < last:
                yield Run(low, last - low, fill)
                done = last


def _windows(segments: Iterator[Run]) -> Iterator[list[Run]]:
    """Group runs, cut to MAX_RUN, so that those near to each other are compared together."""
    window: list[Run] = []
    for segment in segments:
        end = segment.offset + segment.length
        for at in range(segment.offset, end, MAX_RUN):
            part = Run(at, min(MAX_RUN, end - at), segment.fill)
            if window and not _is_near(window, part):
                yield window
                window = []
            window.append(part)
    if window:
        yield window


def _is_near(window: list[Run], run: Run) -> bool:
    last = window[-1].offset + window[-1].length
    return run.offset - last <= _NEAR and run.offset + run.length - window[0].offset <= MAX_RUN


def _differing(old: bytes, new: bytes, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield (from, up to) for each stretch of whole sectors between ``low`` and ``high`` in which the two differ."""
    if old[low:high] == new[low:high]:
        return
    start = -1
    for at in range(low, high, SECTOR):
        differs = old[at : at + SECTOR] != new[at : at + SECTOR]
        if differs and start < 0:
            start = at
        elif not differs and start >= 0:
            yield start, at
            start = -1
    if start >= 0:
        yield start, high
