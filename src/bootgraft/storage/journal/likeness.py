"""Which side of a journal a disk is on: contents decide whether a journal that was not found by its name is about it.

Every sector that the journal's work changes reads as before it, as after it, or as neither. Sectors of one byte
repeated are on every disk: among others that fit neither side they are no evidence.
"""

from collections.abc import Sequence
from enum import StrEnum

from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.journal.comparison import digest_of
from bootgraft.storage.journal.diskmarks import Readable
from bootgraft.storage.journal.journalfile import JournalFile, Stored, pieces

_ENOUGH = 4096
"""Sectors that fit neither side, after which a disk of which nothing fits the new one is another disk."""


class Likeness(StrEnum):
    """How a disk reads beside a journal's old and new content."""

    OLD = "old"  # as before the work: it was put back, or nothing was written yet
    NEW = "new"  # as after it
    MIXED = "mixed"  # some of both and nothing else
    PARTLY = "partly"  # some as after it, some as neither: it was written since, or is a similar disk
    OTHER = "other"  # nothing of it: another disk


CLOSEST = (Likeness.MIXED, Likeness.NEW, Likeness.OLD, Likeness.PARTLY, Likeness.OTHER)
"""Two disks of one machine may have the same marks: the one that fits best comes first."""


def likeness(file: JournalFile, stretches: Sequence[Stored], number: int, device: Readable) -> Likeness:
    """Return how ``device`` reads beside what a journal says of its disk ``number``.

    Raises:
        ImageError: the disk cannot be read.
        JournalError: the journal cannot.
    """
    if device.size != file.head.disks[number].size:
        return Likeness.OTHER
    count = _Count()
    for stored in stretches:
        if stored.extent.disk == number:
            _compare(file, stored, device, count)
        if count.neither > _ENOUGH and not count.is_surely_new:
            return Likeness.OTHER
    for witness in file.head.witnesses:
        if witness.disk == number and digest_of(device, witness.offset, witness.length) != witness.sha256:
            count.neither += 1
    return count.result()


class _Count:
    """How many sectors read as what."""

    def __init__(self) -> None:
        self.old = self.new = self.neither = 0
        self.is_surely_new = False

    def result(self) -> Likeness:
        if self.neither:
            return Likeness.PARTLY if self.is_surely_new else Likeness.OTHER
        if not self.new:
            return Likeness.OLD
        return Likeness.MIXED if self.old else Likeness.NEW


def _compare(file: JournalFile, stored: Stored, device: Readable, count: _Count) -> None:
    """Count the sectors of one stretch."""
    extent = stored.extent
    for start, length in pieces(extent.length):
        now = device.read(extent.offset + start, length)
        old, new = (file.content(stored, start, length, new=new) for new in (False, True))
        for at in range(0, length, SECTOR):
            was, becomes, reads = old[at : at + SECTOR], new[at : at + SECTOR], now[at : at + SECTOR]
            if was == becomes == reads:
                continue
            if reads == becomes:
                count.new += 1
                count.is_surely_new |= becomes.count(becomes[0]) < len(becomes)
            elif reads == was:
                count.old += 1
            else:
                count.neither += 1
