"""Directory entries: the 32-byte slots of a FAT directory, read into records and made from them.

Source: fatgen103, "FAT Directory Structure" and "FAT Long Directory Entries". Pure functions over bytes.
"""

import struct
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.filesystems.base import Entry
from bootgraft.filesystems.fat.boot import OEM_CODE_PAGE
from bootgraft.filesystems.fat.names import LONG_NAME_PART, NewName, checksum, fold, is_valid, short_text

SLOT = 32
"""Bytes of a directory slot."""

MAX_SLOTS = 65536
"""Most slots that a directory may have."""

READ_ONLY, HIDDEN, SYSTEM, LABEL, DIRECTORY, ARCHIVE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_ATTRIBUTES = READ_ONLY | HIDDEN | SYSTEM | DIRECTORY | ARCHIVE
_LONG = READ_ONLY | HIDDEN | SYSTEM | LABEL
_LONG_MASK = 0x3F
_END, _DELETED = 0x00, 0xE5
_LAST_LONG = 0x40
_MAX_LONG = 20

_SLOT = struct.Struct("<11sBBBHHHHHHHI")


class Record(Struct, frozen=True):
    """One file or directory: its 32-byte entry, the slot number of that, and its names."""

    slot: int
    raw: bytes
    long_name: str | None

    @property
    def short_name(self) -> str:
        """The 8.3 name in upper case."""
        return short_text(self.raw[:11])

    @property
    def name(self) -> str:
        """The name that Windows shows."""
        return self.long_name or short_text(self.raw[:11], self.raw[12])

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return bool(self.raw[11] & DIRECTORY)

    @property
    def size(self) -> int:
        """Bytes in the file; 0 for a directory."""
        return 0 if self.is_directory else int.from_bytes(self.raw[28:32], "little")

    def first_cluster(self, *, fat32: bool) -> int:
        """Return the number of the first cluster, 0 where there is none. FAT12 and FAT16 have no upper half."""
        low = int.from_bytes(self.raw[26:28], "little")
        return low | int.from_bytes(self.raw[20:22], "little") << 16 if fat32 else low

    def entry(self) -> Entry:
        """Return what the file system protocol says about it."""
        return Entry(self.name, self.is_directory, self.size, self.raw[11] & _ATTRIBUTES)

    def changed(self, *, first_cluster: int, fat32: bool, size: int, when: datetime) -> "Record":
        """Return the record after the content was written at ``when`` (local time, as FAT keeps it)."""
        fields = list(_SLOT.unpack(self.raw))
        date, time = dos_time(when)
        fields[1] |= ARCHIVE
        fields[6], fields[8], fields[9] = date, time, date
        if fat32:
            fields[7] = first_cluster >> 16
        fields[10], fields[11] = first_cluster & 0xFFFF, size
        return replace(self, raw=_SLOT.pack(*fields))


class Listing(Struct, frozen=True):
    """What a directory's bytes say."""

    records: tuple[Record, ...]  # without ``.``, ``..`` and the volume label
    by_name: dict[str, Record]  # under the folded long and short names
    label: str | None  # of the volume-label entry
    free: tuple[int, ...]  # numbers of the deleted slots before the end mark
    end: int  # number of the slot that holds the end mark, or of the first one beyond the directory
    slots: int

    def replaced(self, record: Record) -> "Listing":
        """Return the listing after the entry in the slot of ``record`` became this one, under the same name."""
        records = tuple(record if each.slot == record.slot else each for each in self.records)
        by_name = {name: record if each.slot == record.slot else each for name, each in self.by_name.items()}
        return replace(self, records=records, by_name=by_name)


def parse(data: bytes) -> Listing:
    """Read a directory. Long entries that belong to no short one are passed over, as Windows does."""
    records: list[Record] = []
    free: list[int] = []
    label: str | None = None
    pending = _LongName()
    slots = end = len(data) // SLOT
    for slot in range(slots):
        raw = data[slot * SLOT : slot * SLOT + SLOT]
        if raw[0] == _END:
            end = slot
            break
        if raw[0] == _DELETED:
            free.append(slot)
            pending.clear()
        elif raw[11] & _LONG_MASK == _LONG:
            pending.add(raw)
        else:
            long_name = pending.take(raw[:11])
            if raw[11] & LABEL:
                label = label if label is not None else _label(raw)
            elif raw[0] != ord("."):
                records.append(Record(slot, raw, long_name))
    by_name: dict[str, Record] = {}
    for record in records:
        by_name.setdefault(fold(record.name), record)
    for record in records:
        by_name.setdefault(fold(record.short_name), record)
    return Listing(tuple(records), by_name, label, tuple(free), end, slots)


def find_room(listing: Listing, count: int) -> int:
    """Return the first of ``count`` slots that are free and follow each other; they may reach past the directory."""
    run = 0
    for position, slot in enumerate(listing.free):
        run = run + 1 if position and listing.free[position - 1] == slot - 1 else 1
        if run == count:
            return slot - count + 1
    if run and listing.free[-1] == listing.end - 1:
        return listing.end - run
    return listing.end


def new_slots(name: NewName, *, attributes: int, first_cluster: int, size: int, when: datetime) -> bytes:
    """Return the slots of a new entry: the long name's, last part first, and the short one."""
    date, time = dos_time(when)
    tenth = when.microsecond // 10_000 + when.second % 2 * 100  # in units of 10 ms, for the odd second too
    short = _SLOT.pack(
        name.short,
        attributes,
        name.case_bits,
        tenth,
        time,
        date,
        date,
        first_cluster >> 16,
        time,
        date,
        first_cluster & 0xFFFF,
        size,
    )
    return b"".join(_long_slots(name)) + short


def dot_slots(own: int, parent: int, when: datetime) -> bytes:
    """Return the two entries that begin each directory but the root: ``.``, itself, and ``..``, the one it is in.

    ``parent`` is 0 where that is the root, whatever cluster the root has.
    """
    return b"".join(
        new_slots(NewName(name.ljust(11), 0, None), attributes=DIRECTORY, first_cluster=cluster, size=0, when=when)
        for name, cluster in ((b".", own), (b"..", parent))
    )


def dos_time(when: datetime) -> tuple[int, int]:
    """Return the DOS date and time of a moment between 1980 and 2107; the nearest there is for others."""
    if when.year < 1980:
        return 1 << 5 | 1, 0
    date = min(when.year - 1980, 127) << 9 | when.month << 5 | when.day
    return date, when.hour << 11 | when.minute << 5 | when.second // 2


class _LongName:
    """Collects the parts of a long name, which come last first, each with a number and the short name's checksum."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._next = 0
        self._sum = -1

    def clear(self) -> None:
        self._parts.clear()
        self._next = 0

    def add(self, raw: bytes) -> None:
        number = raw[0] & ~_LAST_LONG
        if raw[0] & _LAST_LONG:
            self.clear()
            expected = 1 <= number <= _MAX_LONG
        else:
            expected = bool(self._parts) and number == self._next and raw[13] == self._sum and number > 0
        if not expected:
            self.clear()
            return
        self._sum = raw[13]
        self._next = number - 1
        self._parts.append(raw[1:11] + raw[14:26] + raw[28:32])

    def take(self, short: bytes) -> str | None:
        """Return the name where it is complete and belongs to ``short``; forget it in any case."""
        parts, complete = self._parts[::-1], self._next == 0
        self.clear()
        if not parts or not complete or checksum(short) != self._sum:
            return None
        units = b"".join(parts)
        ends = (offset for offset in range(0, len(units), 2) if units[offset : offset + 2] == b"\0\0")
        name = units[: next(ends, len(units))].decode("utf-16-le", "replace")
        return name if is_valid(name) else None


def _long_slots(name: NewName) -> Iterator[bytes]:
    if name.long is None:
        return
    units = name.long.encode("utf-16-le")
    size = LONG_NAME_PART * 2
    if len(units) % size:
        units += b"\0\0"
    parts = [units[start : start + size] for start in range(0, len(units), size)]
    total = checksum(name.short)
    for number in range(len(parts), 0, -1):
        part = parts[number - 1].ljust(size, b"\xff")
        order = number | (_LAST_LONG if number == len(parts) else 0)
        yield bytes([order]) + part[:10] + bytes([_LONG, 0, total]) + part[10:22] + b"\0\0" + part[22:]


def _label(raw: bytes) -> str:
    first = b"\xe5" if raw[0] == 0x05 else raw[:1]
    return (first + raw[1:11]).decode(OEM_CODE_PAGE).rstrip(" ")
