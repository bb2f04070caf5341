"""What a BIOS reads of disk 0 before it reads a file: MBR code, the active flag, and a boot sector.

The boot code of Windows reads its loader from sectors that it counts from the start of the disk: it adds the hidden
sectors of the BIOS parameter block (0x1C), and NT 4 to 2003 turn the result into cylinder, head and sector with its
heads (0x1A) and sectors per track (0x18). File system drivers ignore all three, so that a volume that was moved reads
well and starts no more. Layout: Microsoft, "NTFS Boot Sector", "FAT32 File System Specification" 1.03.
"""

import struct

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.partitions import TableKind

_NO_COPY = 0xFFFF


class BootSector(Struct, frozen=True):
    """The boot sector of the active partition with the code behind it, on 512-byte sectors; ``head`` is 8 KiB.

    ``copy_place`` is where its copy belongs (bytes in the volume), None for a file system that keeps none; ``copy``
    where there is one of this volume.
    """

    volume: Volume
    head: bytes
    copy_place: int | None
    copy: int | None


class FirstSectors(Struct, frozen=True):
    """The first sectors of disk 0. ``active`` is the one active partition, None where there is none, or several.

    ``wanted`` is the partition that must be the active one, where that is another one and is certain: nothing else is
    worth a word before that. ``boot_sector`` is None where it is not one that is judged.
    """

    disk: Disk
    active: Volume | None
    wanted: Volume | None
    boot_sector: BootSector | None


def read_first_sectors(machine: Machine) -> FirstSectors | None:
    """Read them; None for a machine whose disk 0 has no MBR. Raises ImageError where the disk cannot be read."""
    if not machine.disks or machine.disks[0].table.kind is not TableKind.MBR:
        return None
    disk = machine.disks[0]
    found = [volume for volume in disk.volumes if volume.partition.active]
    active = found[0] if len(found) == 1 else None
    wanted = None
    if active is None or disk.table.invalid_flags or _starts_nothing(active):
        wanted = _startable(machine, disk)
    boot_sector = None if active is None or wanted is not None else _boot_sector(active)
    return FirstSectors(disk, active, wanted, boot_sector)


def _startable(machine: Machine, disk: Disk) -> Volume | None:
    """The partition that alone can be meant to be active; None where there is none, or several."""
    elsewhere = [each for each in search.active_volumes_with(machine, "\\ntldr") if each.disk != disk.index]
    primaries = [each for each in disk.volumes if not each.partition.logical]
    startable = [each for each in primaries if _has_loader(each)]
    if elsewhere or len(startable) != 1 or startable[0].kind not in search.OPENABLE:
        return None  # a single one that cannot be read is not known to be the one
    return startable[0]


def _starts_nothing(volume: Volume) -> bool:
    """Whether Windows' own boot code is in front of a volume that can be read and has no loader at all."""
    if volume.kind not in search.OPENABLE or volume.device.size < BOOT_CODE_SIZE:
        return False
    if named_in(volume.device.read(0, BOOT_CODE_SIZE)) not in (Loader.BOOTMGR, Loader.NTLDR):
        return False
    try:
        filesystem = volume.filesystem()
        return not any(search.find_entry(filesystem, f"\\{loader}") for loader in Loader)
    except (FileSystemError, PartitionTableError):
        return False


def _has_loader(volume: Volume) -> bool:
    """Whether a loader and its menu lie there; a volume that cannot be read counts, as it may have them."""
    if volume.kind is None or volume.partition.is_container:
        return False
    if volume.kind not in search.OPENABLE:
        return True
    pairs = (("\\ntldr", "\\boot.ini"), ("\\bootmgr", "\\Boot\\BCD"), ("\\freeldr.sys", "\\freeldr.ini"))
    try:
        filesystem = volume.filesystem()
        return any(all(search.find_entry(filesystem, path) for path in pair) for pair in pairs)
    except (FileSystemError, PartitionTableError):
        return True


def _boot_sector(volume: Volume) -> BootSector | None:
    if volume.kind not in search.OPENABLE or volume.device.size < BOOT_CODE_SIZE:
        return None
    head = volume.device.read(0, BOOT_CODE_SIZE)
    if head[0x0B:0x0D] != SECTOR.to_bytes(2, "little"):
        return None
    place = _copy_place(volume, head)
    return BootSector(volume, head, place, place if _is_copy(volume, head, place) else None)


def _is_copy(volume: Volume, head: bytes, place: int | None) -> bool:
    """Whether the copy of the boot sector is there, and is one of this volume."""
    if place is None or not SECTOR <= place <= volume.device.size - SECTOR:
        return False
    same = slice(0x28, 0x50) if volume.kind is FileSystemKind.NTFS else slice(0x20, 0x47)
    copy = volume.device.read(place, SECTOR)
    return copy[same] == head[same] and copy[0x1FE:] == b"\x55\xaa"


def _copy_place(volume: Volume, head: bytes) -> int | None:
    """Where the copy of the boot sector belongs (bytes in the volume); None for a file system that keeps none."""
    if volume.kind is FileSystemKind.NTFS:  # the sector behind the volume's last one
        place: int = struct.unpack_from("<Q", head, 0x28)[0]
    elif volume.kind is FileSystemKind.FAT32:
        place = struct.unpack_from("<H", head, 0x32)[0]
        if place in (0, _NO_COPY):
            return None
    else:
        return None
    return place * SECTOR
