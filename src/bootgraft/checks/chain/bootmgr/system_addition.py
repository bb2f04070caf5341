"""A new EFI system partition in the free space of the disk: its entry in the table, and an empty FAT32 volume."""

import zlib

from bootgraft.boot.bootmgr import uefi
from bootgraft.changes import Change, FormatVolume, WriteSectors
from bootgraft.filesystems.fat.format import SMALLEST
from bootgraft.machine import Disk, Volume
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.gpt_addition import NewPartition, WantedPartition, add_partition

OPTION = "--add-system-partition"
_MIB = 1 << 20
_SIZE, _SMALLEST, _SMALLEST_4K = 260 * _MIB, 100 * _MIB, 260 * _MIB
"""What Microsoft's guide for OEMs gives it at least, on sectors of 512 and of 4096 bytes (FAT32 needs that many)."""
_LABEL, _NAME = "SYSTEM", "EFI system partition"


def addition(disk: Disk, windows: Volume) -> NewPartition:
    """Where a system partition comes to lie, its entry behind that of the Windows. Raises NoRoomError."""
    smallest = _SMALLEST if disk.table.sector_size == SECTOR else _SMALLEST_4K
    wanted = WantedPartition(uefi.SYSTEM_PARTITION, _NAME, _SIZE, smallest)
    return add_partition(disk.device, windows.partition.slot, wanted)


def addition_changes(disk: Disk, added: NewPartition) -> tuple[Change, ...]:
    """What makes it: the volume, then its entry in both copies of the table."""
    volume = _volume(disk, added.start, added.size, added.guid)
    entries = (WriteSectors(disk.index, each.offset, each.data, each.before, each.what) for each in added.edits)
    return (volume, *entries)


def format_changes(disk: Disk, blank: Volume) -> tuple[Change, ...]:
    """What makes an empty volume of an EFI system partition that has none; nothing where it is too small for that."""
    partition = blank.partition
    if partition.size < SMALLEST * disk.table.sector_size or not blank.is_inside_disk:
        return ()
    return (_volume(disk, partition.start, partition.size, partition.guid or blank.name),)


def _volume(disk: Disk, start: int, size: int, name: str) -> FormatVolume:
    return FormatVolume(disk.index, start, size, disk.table.sector_size, zlib.crc32(name.encode()), _LABEL)
