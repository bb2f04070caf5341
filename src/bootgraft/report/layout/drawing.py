"""A disk drawn to scale, in one line of plain characters: ``[1 ntfs *|2 ntfs            |....]``."""

from collections.abc import Sequence

from bootgraft.report.documents.machine import DiskDocument, PartitionDocument

WIDTH = 72
"""Characters between the brackets where there is no terminal: with an indent it fits into one of 80 columns."""

_LEAST = 3
"""Characters that even the smallest partition gets, or nobody would see it."""

_FREE = "."


Stretch = tuple[str, int]
"""A part of the disk: what is written into it, nothing for free space, and how many bytes it has."""


def stretches_of(disk: DiskDocument) -> tuple[Stretch, ...]:
    """The partitions of a disk in the order in which they lie on it; none where there is nothing to draw.

    A partition has its number and file system, ``*`` where it is active. Free space is left out where it is under a
    hundredth of the disk.
    """
    shown = _ordinary(disk.partitions)
    if not shown or disk.size <= 0:
        return ()
    return tuple((label, end - start) for start, end, label in _with_free_space(shown, disk.size))


def draw(stretches: Sequence[Stretch], width: int = WIDTH) -> str | None:
    """Draw the parts of a disk between brackets, free space as dots; None where there are more than fit."""
    if not stretches or len(stretches) * (_LEAST + 1) > width:
        return None
    widths = _widths([size for _, size in stretches], width - len(stretches) + 1)
    cells = (_cell(label, width) for (label, _), width in zip(stretches, widths, strict=True))
    return "[" + "|".join(cells) + "]"


_Extent = tuple[int, int, str]
"""Where a part of the disk begins and ends, in bytes, and its label."""


def _ordinary(partitions: Sequence[PartitionDocument]) -> list[_Extent]:
    """The partitions but extended ones, whose logical ones are drawn, by place."""
    containers = ("0x05", "0x0F")
    found = (
        (each.start, each.start + each.size, _label(each))
        for each in partitions
        if each.size and not (each.type in containers and each.slot < 5)
    )
    return sorted(found, key=lambda each: each[:2])


def _label(partition: PartitionDocument) -> str:
    number = "" if partition.number is None else str(partition.number)
    kind = partition.filesystem or (partition.type if partition.type.startswith("0x") else "")
    return " ".join(filter(None, (number, kind, "*" if partition.active else "")))


def _with_free_space(shown: Sequence[_Extent], size: int) -> list[_Extent]:
    found: list[_Extent] = []
    at = 0
    for start, end, label in shown:
        if start - at > size // 100:
            found.append((at, start, ""))
        found.append((start, end, label))
        at = max(at, end)
    if size - at > size // 100:
        found.append((at, size, ""))
    return found


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
