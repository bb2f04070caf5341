"""The partition table of a disk: which stretches of it are volumes, as Windows and the firmware see them.

MBR with its logical partitions (:mod:`.mbr`) or GPT (:mod:`.gpt`). A table is read even where it has faults: they are
listed as problems, and whoever needs a partition that one of them breaks gets the error.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice
from bootgraft.storage.disks import mbr

_BOOT_SECTOR_MARKS = ((3, b"NTFS    "), (3, b"EXFAT   "), (3, b"-FVE-FS-"), (0x36, b"FAT1"), (0x52, b"FAT32   "))
"""Where a file system's own boot sector says what it is: NTFS, exFAT, BitLocker, FAT12/16, FAT32."""

_LARGE_SECTOR, _BYTES_PER_SECTOR = 4096, 11
"""The larger of the two sizes of sectors that disks have, and where a boot sector says which one it was made for."""

LDM_METADATA = "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3"
_DYNAMIC = frozenset({"0x42", LDM_METADATA, "AF9B60A0-1431-4F62-BC68-3311714A69AD"})
"""What the table calls partitions of dynamic disks: type of MBR entries, type GUIDs of metadata and of data on GPT."""

_CONTAINERS = frozenset(f"0x{kind:02X}" for kind in mbr.CONTAINER_TYPES)


class TableKind(StrEnum):
    """How a disk is divided."""

    MBR = "mbr"
    GPT = "gpt"
    NONE = "none"


class Partition(Struct, frozen=True):
    """One entry of the table. ``start`` and ``size`` are bytes; neither is promised to lie inside the disk."""

    slot: int  # MBR: 1 to 4 primary, from 5 on logical in chain order; GPT: index in the entry array, from 1
    start: int
    size: int
    type: str  # "0x07", or the type GUID in upper case
    active: bool
    logical: bool
    guid: str | None = None  # the partition's own GUID in upper case; None on MBR disks
    attributes: int = 0  # the 64 bits of its GPT entry; 0 on MBR disks

    @property
    def is_container(self) -> bool:
        """Whether it is an extended partition: it holds the logical ones, no file system, and has no ARC number."""
        return self.type in _CONTAINERS and not self.logical

    @property
    def is_dynamic(self) -> bool:
        """Whether the table says that it belongs to the Logical Disk Manager."""
        return self.type in _DYNAMIC


class PartitionTable(Struct, frozen=True):
    """What a disk's table says, and what is wrong with it."""

    kind: TableKind
    signature: int | None  # the MBR disk signature; None on GPT disks and where there is no table
    partitions: tuple[Partition, ...]  # in slot order, extended partitions included
    sector_size: int  # bytes
    problems: tuple[str, ...]
    disk_guid: str | None = None
    invalid_flags: tuple[int, ...] = ()  # slots whose flag is neither 0x80 nor 0x00: Microsoft's MBR code stops there


def read_partition_table(device: BlockDevice) -> PartitionTable:
    """Read the partition table of a whole disk.

    A disk without one gives kind NONE and one problem that says what is there instead.

    Raises:
        ImageError: the device itself cannot be read.
    """
    sector = device.read(0, min(SECTOR, device.size))
    record = mbr.parse_record(sector)
    if record is None:
        return _no_table(device, sector)
    if _is_boot_sector(sector, record):
        return _without("the disk begins with a file system's boot sector and has no partition table")
    if any(entry.type == mbr.PROTECTIVE_TYPE for entry in record.entries):
        return _read_protected(device, record)
    return _read_mbr(device, record)


def number_partitions(table: PartitionTable) -> dict[int, int]:
    """Map each partition's slot to its ARC number: what ``partition(n)`` means to ntldr and to the kernel, from 1.

    The rule is Microsoft's (Knowledge Base Q102873): every partition whose type is neither 0 nor that of an extended
    partition gets a number, first the primary ones in the order of the table's slots, then the logical ones in the
    order of the chain. Hidden, recovery and OEM partitions count; where a partition lies on the disk does not.
    A GPT disk gives an empty map: no loader that reads ARC paths starts from one.
    """
    if table.kind is not TableKind.MBR:
        return {}
    ordinary = sorted(each.slot for each in table.partitions if not each.is_container)
    return {slot: number for number, slot in enumerate(ordinary, start=1)}


def _no_table(device: BlockDevice, sector: bytes) -> PartitionTable:
    if device.size >= 2 * SECTOR and device.read(SECTOR, 8) == b"EFI PART":
        return _without("sector 0 lacks the protective MBR that belongs before the GPT in sector 1; Windows ignores it")
    if not any(sector):
        return _without("sector 0 holds only zeros: no partition table")
    return _without("sector 0 lacks the 55 AA signature of a partition table")


def _without(problem: str) -> PartitionTable:
    return PartitionTable(TableKind.NONE, None, (), SECTOR, (problem,))


def _is_boot_sector(sector: bytes, record: mbr.BootRecord) -> bool:
    """Tell a file system's boot sector from an MBR: it says its name, and what it has at 0x1BE makes no table."""
    if not any(sector[offset : offset + len(mark)] == mark for offset, mark in _BOOT_SECTOR_MARKS):
        return False
    return not record.entries or any(entry.flag not in (0x00, 0x80) or not entry.sectors for entry in record.entries)


def _read_protected(device: BlockDevice, record: mbr.BootRecord) -> PartitionTable:
    from bootgraft.storage.disks.gpt import read_gpt

    table, reasons = read_gpt(device)
    if table is None:
        read = _read_mbr(device, record)
        problem = f"the MBR announces a GPT (type 0xEE), but {'; '.join(reasons)}"
        return PartitionTable(read.kind, read.signature, read.partitions, SECTOR, (problem, *read.problems))
    problems = list(table.problems)
    ordinary = [entry for entry in record.entries if entry.type != mbr.PROTECTIVE_TYPE]
    if ordinary:
        listed = ", ".join(f"slot {entry.slot} type 0x{entry.type:02X}" for entry in ordinary)
        problems.append(f"hybrid MBR: beside the protective entry it has {listed}; Windows follows the GPT")
    partitions = tuple(
        Partition(
            slot=entry.slot,
            start=entry.first * table.sector_size,
            size=(entry.last - entry.first + 1) * table.sector_size,
            type=entry.type,
            active=False,
            logical=False,
            guid=entry.guid,
            attributes=entry.attributes,
        )
        for entry in table.entries
    )
    problems.extend(_layout_problems(partitions, device.size))
    return PartitionTable(TableKind.GPT, None, partitions, table.sector_size, tuple(problems), table.disk_guid)


def _read_mbr(device: BlockDevice, record: mbr.BootRecord) -> PartitionTable:
    invalid = [entry for entry in record.entries if entry.flag not in (0x00, 0x80)]
    problems = [
        f"partition {entry.slot} has the flag 0x{entry.flag:02X}, which must be 0x80 or 0x00: "
        "Microsoft's MBR code stops with 'Invalid partition table'"
        for entry in invalid
    ]
    partitions = [_from_mbr(entry, entry.slot, logical=False) for entry in record.entries]
    containers = record.containers
    if len(containers) > 1:
        slots = " and ".join(str(entry.slot) for entry in containers)
        problems.append(f"partitions {slots} are both extended partitions; only one is allowed, the first was followed")
    if containers:
        logicals, chain_problems = mbr.read_logicals(device, containers[0])
        partitions += [_from_mbr(entry, 5 + index, logical=True) for index, entry in enumerate(logicals)]
        problems += chain_problems
    problems += _layout_problems(partitions, device.size)
    problems += _other_sectors(device, record)
    return PartitionTable(
        kind=TableKind.MBR,
        signature=record.signature,
        partitions=tuple(partitions),
        sector_size=SECTOR,
        problems=tuple(problems),
        invalid_flags=tuple(entry.slot for entry in invalid),
    )


def _other_sectors(device: BlockDevice, record: mbr.BootRecord) -> Iterator[str]:
    """Say so where the first partition begins as the table has it only if sectors have 4096 bytes.

    Such tables come from 4K-native disks, and from disks in housings that presented them as such.
    """
    entry = next((each for each in record.entries if each.start and not each.is_container), None)
    if entry is None or (entry.start + 1) * _LARGE_SECTOR > device.size or _has_mark(device, entry.start * SECTOR):
        return
    at = entry.start * _LARGE_SECTOR
    if _has_mark(device, at) and int.from_bytes(device.read(at + _BYTES_PER_SECTOR, 2), "little") == _LARGE_SECTOR:
        yield (
            f"the table counts sectors of {_LARGE_SECTOR} bytes: the file system of partition {entry.slot} begins at "
            f"byte {at}, not at byte {entry.start * SECTOR}. The disk was divided on a 4K-native disk or behind a "
            "housing that presented it as one, and is read with 512 now"
        )


def _has_mark(device: BlockDevice, at: int) -> bool:
    """Whether a file system's own boot sector lies there."""
    sector = device.read(at, SECTOR)
    return any(sector[offset : offset + len(mark)] == mark for offset, mark in _BOOT_SECTOR_MARKS)


def _from_mbr(entry: mbr.MbrEntry, slot: int, *, logical: bool) -> Partition:
    return Partition(
        slot=slot,
        start=entry.start * SECTOR,
        size=entry.sectors * SECTOR,
        type=f"0x{entry.type:02X}",
        active=entry.flag == 0x80 and not logical,
        logical=logical,
    )


def _layout_problems(partitions: Iterable[Partition], size: int) -> Iterator[str]:
    """Name the partitions that are empty, reach beyond the disk's ``size`` bytes, or overlap another."""
    end = 0
    before: Partition | None = None
    for partition in sorted(partitions, key=lambda each: (each.start, each.slot)):
        if partition.type == f"0x{mbr.PROTECTIVE_TYPE:02X}":
            continue
        if not partition.size:
            yield f"partition {partition.slot} (type {partition.type}) has no sectors"
        if partition.start + partition.size > size:
            yield (
                f"partition {partition.slot} (type {partition.type}) ends at byte {partition.start + partition.size}, "
                f"beyond the end of the disk at byte {size}: the image is truncated, or the disk was made smaller"
            )
        if partition.is_container:
            continue  # logical partitions lie inside it
        if before is not None and partition.start < end:
            yield f"partitions {before.slot} and {partition.slot} overlap"
        if partition.start + partition.size > end:
            end, before = partition.start + partition.size, partition
