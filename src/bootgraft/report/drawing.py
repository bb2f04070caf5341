"""A disk drawn to scale, in one line of plain characters: ``[1 ntfs *|2 ntfs            |....]``."""

from collections.abc import Sequence

from msgspec import Struct

from bootgraft.report.documents.machine import DiskDocument, PartitionDocument

WIDTH = 72
"""Characters between the brackets: with the brackets and an indent it fits into a terminal of 80 columns."""

_LEAST = 3
"""Characters that even the smallest partition gets, or nobody would see it."""

_FREE = "."


class _Stretch(Struct, frozen=True):
    """A part of the disk: where it begins and ends, in bytes, and what is written into it; empty for free space."""

    start: int
    end: int
    label: str


def draw(disk: DiskDocument) -> str | None:
    """Draw the partitions of a disk in the order in which they lie on it; None where there is nothing to draw.

    A partition has its number and file system, ``*`` where it is active. Free
    space is dots, and left out where it is under a hundredth of the disk.
    """
    shown = _ordinary(disk.partitions)
    if not shown or disk.size <= 0:
        return None
    stretches = _with_free_space(shown, disk.size)
    if len(stretches) * (_LEAST + 1) > WIDTH:
        return None  # more partitions than a line can show
    widths = _widths([each.end - each.start for each in stretches], WIDTH - len(stretches) + 1)
    cells = (_cell(each.label, width) for each, width in zip(stretches, widths, strict=True))
    return "[" + "|".join(cells) + "]"


def _ordinary(partitions: Sequence[PartitionDocument]) -> list[_Stretch]:
    """The partitions but extended ones, whose logical ones are drawn, by place."""
    containers = ("0x05", "0x0F")
    found = (
        _Stretch(each.start, each.start + each.size, _label(each))
        for each in partitions
        if each.size and not (each.type in containers and each.slot < 5)
    )
    return sorted(found, key=lambda each: (each.start, each.end))


def _label(partition: PartitionDocument) -> str:
    number = "" if partition.number is None else str(partition.number)
    kind = partition.filesystem or (partition.type if partition.type.startswith("0x") else "")
    return " ".join(filter(None, (number, kind, "*" if partition.active else "")))


def _with_free_space(shown: Sequence[_Stretch], size: int) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    at = 0
    for each in shown:
        if each.start - at > size // 100:
            stretches.append(_Stretch(at, each.start, ""))
        stretches.append(each)
        at = max(at, each.end)
    if size - at > size // 100:
        stretches.append(_Stretch(at, size, ""))
    return stretches


def _widths(sizes: Sequence[int], total: int) -> list[int]:
    """Share ``total`` characters out by size, each part getting at least _LEAST."""
    widths = [0] * len(sizes)
    left, bytes_left = total, sum(sizes)
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):  # the small ones take what they need first
        share = left * sizes[place] // bytes_left if bytes_left else 0
        widths[place] = max(_LEAST, share)
        left -= widths[place]
        bytes_left -= sizes[place]
    widths[max(range(len(sizes)), key=lambda place: sizes[place])] += left
    return widths


def _cell(label: str, width: int) -> str:
    return label[:width].ljust(width) if label else _FREE * width
