"""Stretches of a disk and where their content lies: an ordered map that stays quick with many thousand entries.

The pieces lie in blocks of a few hundred, each an ordered list, so that an insertion moves one block and not the whole:
its cost grows with the number of blocks, not with that of the pieces.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Self

from msgspec import Struct

BLOCK = 256
"""Pieces in a block that was just split; it is split again at twice as many."""

_start = attrgetter("start")


class Piece(Struct, frozen=True):
    """The bytes from ``start`` up to ``end`` of a disk: each is ``fill``, or, where None, stored from ``at`` on."""

    start: int
    end: int
    at: int = 0
    fill: int | None = None

    def clip(self, start: int, end: int) -> Self:
        """Return the part of the piece that lies between ``start`` and ``end``; they must overlap."""
        if start <= self.start and end >= self.end:
            return self
        first = max(start, self.start)
        at = 0 if self.fill is not None else self.at + first - self.start
        return type(self)(first, min(end, self.end), at, self.fill)

    def continues(self, before: "Piece") -> bool:
        """Whether it and the piece ``before`` it are one: adjacent on the disk and in what they consist of."""
        if before.end != self.start or before.fill != self.fill:
            return False
        return self.fill is not None or before.at + before.end - before.start == self.at


class IntervalMap:
    """Pieces that do not overlap, in ascending order; what no piece covers is unchanged."""

    __slots__ = ("_blocks", "_starts")

    def __init__(self) -> None:
        self._blocks: list[list[Piece]] = []
        self._starts: list[int] = []  # of the first piece in each block

    def __iter__(self) -> Iterator[Piece]:
        return (piece for block in self._blocks for piece in block)

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def overlapping(self, start: int, end: int) -> list[Piece]:
        """Return the pieces, clipped, that cover bytes from ``start`` up to ``end``."""
        found: list[Piece] = []
        for index in range(self._block_of(start), len(self._blocks)):
            block = self._blocks[index]
            if block[0].start >= end:
                break
            first = max(0, bisect_right(block, start, key=_start) - 1)
            last = bisect_left(block, end, lo=first, key=_start)
            found += [piece.clip(start, end) for piece in block[first:last] if piece.end > start]
        return found

    def replace(self, start: int, end: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Put ``pieces``, which lie between ``start`` and ``end``, in place of all that lay there.

        Return what was replaced, clipped. Neighbours that continue each other become one piece.
        """
        first, last = self._block_of(start - 1), self._block_of(end)
        window = list(chain.from_iterable(self._blocks[first : last + 1]))
        low = bisect_left(window, start, key=_start)
        if low and window[low - 1].end > start:
            low -= 1
        high = bisect_left(window, end, lo=low, key=_start)
        removed = window[low:high]
        middle = list(pieces)
        if removed and removed[0].start < start:
            middle.insert(0, removed[0].clip(removed[0].start, start))
        if removed and removed[-1].end > end:
            middle.append(removed[-1].clip(end, removed[-1].end))
        around = slice(max(0, low - 1), high + 1)
        window[around] = _joined([*window[around.start : low], *middle, *window[high : around.stop]])
        self._store(first, last + 1, window)
        return [piece.clip(start, end) for piece in removed]

    def _block_of(self, offset: int) -> int:
        """The block that holds the last piece which starts at ``offset`` or before; the first where there is none."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def _store(self, first: int, stop: int, window: list[Piece]) -> None:
        """Put ``window`` in place of the blocks from ``first`` up to ``stop``, in blocks of a good size."""
        if not window:
            blocks = []
        elif len(window) <= 2 * BLOCK:
            blocks = [window]
        else:
            blocks = [window[at : at + BLOCK] for at in range(0, len(window), BLOCK)]
        self._blocks[first:stop] = blocks
        self._starts[first:stop] = [block[0].start for block in blocks]


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.continues(joined[-1]):
            before = joined.pop()
            joined.append(Piece(before.start, piece.end, before.at, before.fill))
        else:
            joined.append(piece)
    return joined
