"""A new partition in the free space of a GPT: nothing that is there is moved, and both copies of the table stay right.

Format: UEFI specification 2.10, §5.3. The new entry comes behind a given one: Windows counts the partitions of a disk
in the order of the table, and an entry before its own would give it another number.
"""

import uuid
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.disks.gpt import GPT_ENTRY, GptHeader, GptTable, read_copy, read_gpt, read_header
from bootgraft.storage.disks.gpt_edit import GptEdit, put_entry

ALIGNMENT = 1 << 20
"""Bytes: where Windows' own tools let partitions begin and end."""
_NAME_SIZE = 72


class WantedPartition(Struct, frozen=True):
    """What is to be added. Sizes are bytes: as large as ``size`` where there is room, at least ``smallest``."""

    type: str
    name: str
    size: int
    smallest: int


class NewPartition(Struct, frozen=True):
    """Where it comes to lie (bytes), in which entry, and the edits of the table that make it."""

    slot: int
    start: int
    size: int
    guid: str
    edits: tuple[GptEdit, ...]


class NoRoomError(Exception):
    """There is no place for it; the text says why, as the end of a sentence that begins with the disk's name."""


def add_partition(device: BlockDevice, behind: int, wanted: WantedPartition) -> NewPartition:
    """Find room for a partition, with an entry behind the one in slot ``behind``; nothing is written.

    Raises NoRoomError.
    """
    table, header = _sound_table(device)
    slot = _free_slot(table, header, behind)
    start, size = _place(device, table, header, wanted)
    own = uuid.uuid5(uuid.UUID(table.disk_guid), f"{wanted.type} at {start}")
    while str(own).upper() in {each.guid for each in table.entries}:
        own = uuid.uuid5(own, wanted.type)
    sector = table.sector_size
    name = wanted.name.encode("utf-16-le").ljust(_NAME_SIZE, b"\0")
    kind = uuid.UUID(wanted.type).bytes_le
    entry = GPT_ENTRY.pack(kind, own.bytes_le, start // sector, (start + size) // sector - 1, 0, name)
    return NewPartition(slot, start, size, str(own).upper(), put_entry(device, slot, entry))


def _sound_table(device: BlockDevice) -> tuple[GptTable, GptHeader]:
    """The table, where both copies of it are sound and say the same."""
    table, _ = read_gpt(device)
    if table is None:
        raise NoRoomError("has no GPT that can be read")
    lbas = 1, device.size // table.sector_size - 1
    copies = [read_copy(device, table.sector_size, lba)[0] for lba in lbas]
    headers = [read_header(device, table.sector_size, lba)[0] for lba in lbas]
    first, last = headers
    if first is None or last is None or None in copies:
        raise NoRoomError("has no sound backup of its GPT in its last sector (`sgdisk -e IMAGE` puts it there)")
    is_same = (first.first_usable, first.last_usable, first.count, first.entry_size) == (
        (last.first_usable, last.last_usable, last.count, last.entry_size)
    )
    if not is_same or copies[0] is None or copies[1] is None or copies[0].entries != copies[1].entries:
        raise NoRoomError("has a GPT whose backup says something else")
    if copies[0].problems:
        raise NoRoomError("has a GPT with an entry that is none, and which may still be wanted")
    array = -(-first.count * first.entry_size // table.sector_size)
    if first.first_usable < first.array_at + array or first.last_usable >= last.array_at:
        raise NoRoomError("has a GPT that calls sectors usable in which it lies itself")
    return table, first


def _free_slot(table: GptTable, header: GptHeader, behind: int) -> int:
    used = {each.slot for each in table.entries}
    for slot in range(behind + 1, header.count + 1):
        if slot not in used:
            return slot
    raise NoRoomError("has no unused entry in its GPT behind that of Windows")


def _place(device: BlockDevice, table: GptTable, header: GptHeader, wanted: WantedPartition) -> tuple[int, int]:
    """The first stretch of free space that has all of the size, else the largest."""
    gaps = list(_gaps(device, table, header))
    fitting = [gap for gap in gaps if gap[1] >= wanted.size]
    start, size = fitting[0] if fitting else max(gaps, key=lambda gap: gap[1], default=(0, 0))
    if size < wanted.smallest:
        mib = 1 << 20
        raise NoRoomError(
            f"has {size // mib} MiB of free space in one piece at most, and {wanted.smallest // mib} MiB are needed"
        )
    return start, min(size, wanted.size)


def _gaps(device: BlockDevice, table: GptTable, header: GptHeader) -> Iterator[tuple[int, int]]:
    """Start and size (bytes) of each stretch of free space, aligned."""
    at = header.first_usable
    last = min(header.last_usable, device.size // table.sector_size - 1)
    ends = [(each.first, each.last) for each in sorted(table.entries, key=lambda each: each.first)]
    for first, end in (*ends, (last + 1, last + 1)):
        start = -(-at * table.sector_size // ALIGNMENT) * ALIGNMENT
        stop = min(first, last + 1) * table.sector_size // ALIGNMENT * ALIGNMENT
        if stop > start:
            yield start, stop - start
        at = max(at, end + 1)
