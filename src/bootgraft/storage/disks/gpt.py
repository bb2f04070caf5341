"""The GUID partition table: header, entry array and their backups.

Format: UEFI specification 2.10, §5.3 "GUID Partition Table (GPT) Disk Layout". Numbers called LBA count sectors of the
table's own size, 512 or 4096 bytes; whichever has a header in its sector 1 is the disk's.
"""

import struct
import uuid
import zlib

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import BlockDevice

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
GPT_ENTRY = struct.Struct("<16s16sQQQ72s")
"""An entry: type, own GUID, first and last LBA, attributes, name."""
_SIGNATURE = b"EFI PART"
_MAX_ARRAY = 1 << 20
"""Bytes of entry array read at most: 64 times the 16 KiB that every partitioning program makes."""


class GptEntry(Struct, frozen=True):
    """One used entry; first and last LBA are both inside the partition."""

    slot: int  # index in the entry array, from 1
    type: str  # the type GUID, upper-case
    guid: str  # the partition's own GUID, upper-case
    first: int
    last: int
    name: str
    attributes: int = 0  # the 64 bits as they stand


class GptTable(Struct, frozen=True):
    """A GPT whose checksums hold, and what was wrong with its other copy."""

    sector_size: int
    disk_guid: str
    entries: tuple[GptEntry, ...]
    problems: tuple[str, ...]


class GptHeader(Struct, frozen=True):
    """What a header says of its entries; ``array_at`` is an LBA, as are the first and last that partitions may use."""

    first_usable: int
    last_usable: int
    disk_guid: bytes
    array_at: int
    count: int
    entry_size: int
    array_crc: int


def read_gpt(device: BlockDevice) -> tuple[GptTable | None, tuple[str, ...]]:
    """Read the primary table, or its backup where the primary is damaged.

    Returns the table, or None and why neither copy can be used.
    """
    sector_size = _find_sector_size(device)
    table, primary_problem = read_copy(device, sector_size, 1)
    last = device.size // sector_size - 1
    if table is not None:
        return _checked_against_end(table, device, last), ()
    backup, backup_problem = read_copy(device, sector_size, last)
    if backup is None:
        return None, (f"the primary GPT {primary_problem}, and its backup in the last sector {backup_problem}",)
    problem = f"the primary GPT {primary_problem}; its backup was used"
    return GptTable(backup.sector_size, backup.disk_guid, backup.entries, (problem, *backup.problems)), ()


def _find_sector_size(device: BlockDevice) -> int:
    """Return 512 or 4096, by where a header lies: in sector 1, or in the last one where sector 1 was wiped."""
    for sector_size in (512, 4096):
        for offset in (sector_size, (device.size // sector_size - 1) * sector_size):
            if 0 < offset <= device.size - sector_size and device.read(offset, 8) == _SIGNATURE:
                return sector_size
    return 512


def _checked_against_end(table: GptTable, device: BlockDevice, last: int) -> GptTable:
    """Note a missing backup: the sign of an image that was cut short or grown without moving it."""
    _, problem = read_copy(device, table.sector_size, last)
    if not problem:
        return table
    note = f"the backup GPT in the last sector {problem}"
    return GptTable(table.sector_size, table.disk_guid, table.entries, (*table.problems, note))


def read_copy(device: BlockDevice, sector_size: int, lba: int) -> tuple[GptTable | None, str]:
    """Read the copy whose header is at ``lba``; the text ends a sentence that begins with the copy's name."""
    header, problem = read_header(device, sector_size, lba)
    if header is None:
        return None, problem
    length = header.count * header.entry_size
    offset = header.array_at * sector_size
    if offset + length > device.size:
        return None, "has an entry array beyond the end of the disk"
    array = device.read(offset, length)
    if zlib.crc32(array) != header.array_crc:
        return None, "has an entry array whose checksum is wrong"
    entries, problems = _parse_entries(array, header)
    return GptTable(sector_size, _guid(header.disk_guid), entries, problems), ""


def read_header(device: BlockDevice, sector_size: int, lba: int) -> tuple[GptHeader | None, str]:
    """Read the header at ``lba``, or say as :func:`read_copy` does why it cannot be used."""
    if lba < 1 or (lba + 1) * sector_size > device.size:
        return None, "lies beyond the end of the disk"
    data = device.read(lba * sector_size, sector_size)
    fields = _HEADER.unpack_from(data)
    signature, _revision, length, crc, _, own, _, first, last, guid, array_at, count, entry_size, array_crc = fields
    if signature != _SIGNATURE:
        return None, "has no header"
    if not _HEADER.size <= length <= sector_size:
        return None, f"has a header of {length} bytes"
    if zlib.crc32(data[:16] + bytes(4) + data[20:length]) != crc:
        return None, "has a header whose checksum is wrong"
    if own != lba:
        return None, f"has a header that belongs in sector {own}"
    if entry_size < GPT_ENTRY.size or entry_size % 8 or not 0 < count * entry_size <= _MAX_ARRAY:
        return None, f"has an entry array of {count} times {entry_size} bytes"
    return GptHeader(first, last, guid, array_at, count, entry_size, array_crc), ""


def _parse_entries(array: bytes, header: GptHeader) -> tuple[tuple[GptEntry, ...], tuple[str, ...]]:
    entries: list[GptEntry] = []
    problems: list[str] = []
    for index in range(header.count):
        kind, guid, first, last, attributes, name = GPT_ENTRY.unpack_from(array, index * header.entry_size)
        if not any(kind):
            continue
        if last < first:
            problems.append(f"GPT entry {index + 1} ends (sector {last}) before it begins (sector {first})")
            continue
        text = name.decode("utf-16-le", "replace").partition("\0")[0]
        entries.append(GptEntry(index + 1, _guid(kind), _guid(guid), first, last, text, attributes))
    return tuple(entries), tuple(problems)


def _guid(data: bytes) -> str:
    return str(uuid.UUID(bytes_le=data)).upper()
