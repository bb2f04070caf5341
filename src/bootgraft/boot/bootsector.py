"""What the first instructions of a BIOS start depend on: MBR code, the active flag, and the boot sector's own numbers.

The boot code of Windows reads its loader from sectors that it counts from the start of the disk: it adds the hidden
sectors of the BIOS parameter block (0x1C), and NT 4 to 2003 turn the result into cylinder, head and sector with its
heads (0x1A) and sectors per track (0x18). File system drivers ignore all three, so that a volume that was moved reads
well and starts no more. Layout: Microsoft, "NTFS Boot Sector", "FAT32 File System Specification" 1.03.
"""

import struct
from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bios.bootcode import MBR_CODE, CodeSource, none_given
from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.boot.sectorfault import SectorFault, SectorFaultKind
from bootgraft.changes import WriteSectors
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.storage.blockdevice import SECTOR
from bootgraft.storage.partitions import TableKind

_ENTRIES, _ENTRY = 0x1BE, 16
_ACTIVE = 0x80
_GEOMETRY, _HIDDEN = 0x18, 0x1C
_NO_COPY = 0xFFFF
_SECTORS_PER_TRACK, _MOST_HEADS = 63, 255
_LARGEST_WITH = ((2_114_445_312, 64), (4_228_374_780, 128))
"""Bytes of disk up to which a BIOS that assists LBA translates to so many heads; 255 above."""


def find_faults(machine: Machine, given: CodeSource = none_given) -> tuple[SectorFault, ...]:
    """Judge what a BIOS reads of disk 0 before it reads a file. A disk without an MBR has none of these faults.

    ``given`` has boot code of other installations, for where the machine's own is missing.

    Raises ImageError where the disk cannot be read.
    """
    if not machine.disks or machine.disks[0].table.kind is not TableKind.MBR:
        return ()
    disk = machine.disks[0]
    active = [volume for volume in disk.volumes if volume.partition.active]
    if len(active) != 1 or disk.table.invalid_flags or _starts_nothing(active[0]):
        fault = _active_fault(machine, disk)
        if fault is not None or len(active) != 1:
            return () if fault is None else (fault,)
    return (*_mbr_faults(machine, disk, given), *_boot_sector_faults(machine, disk, active[0], given))


def _active_fault(machine: Machine, disk: Disk) -> SectorFault | None:
    """None, several, or one with a flag that is no flag: told only where one partition alone can be meant."""
    elsewhere = [each for each in search.active_volumes_with(machine, "\\ntldr") if each.disk != disk.index]
    primaries = [each for each in disk.volumes if not each.partition.logical]
    startable = [each for each in primaries if _has_loader(each)]
    if elsewhere or len(startable) != 1:
        return None
    (wanted,) = startable
    active = [each.name for each in disk.volumes if each.partition.active]
    shown = f"active are {', '.join(active)}" if active else "no partition is active"
    if disk.table.invalid_flags:
        slots = ", ".join(map(str, disk.table.invalid_flags))
        shown += f"; the flag in slot {slots} is neither 0x80 nor 0x00"
    evidence = (
        f"{disk.name}, sector 0: {shown}",
        f"{wanted.name} alone has a loader with its boot menu",
    )
    changes = tuple(_flag_changes(disk, wanted.partition.slot))
    what = f"{wanted.name} must be the one active partition of {disk.name}"
    return SectorFault(SectorFaultKind.ACTIVE_PARTITION, what, evidence, changes)


def _flag_changes(disk: Disk, slot: int) -> Iterator[WriteSectors]:
    for each in range(1, 5):
        offset = _ENTRIES + (each - 1) * _ENTRY
        before, wanted = disk.device.read(offset, 1), bytes([_ACTIVE if each == slot else 0])
        if before != wanted:
            yield WriteSectors(disk.index, offset, wanted, before, f"the active flag of slot {each} in the MBR")


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


def _mbr_faults(machine: Machine, disk: Disk, given: CodeSource) -> Iterator[SectorFault]:
    if any(disk.device.read(0, MBR_CODE)):
        return
    from bootgraft.boot.bootcodefault import mbr_fault  # a machine that was not cloned by volumes has MBR code

    yield mbr_fault(machine, disk, given)


def _boot_sector_faults(machine: Machine, disk: Disk, volume: Volume, given: CodeSource) -> Iterator[SectorFault]:
    """What is wrong with the active partition's boot sector, on 512-byte sectors."""
    if volume.kind not in search.OPENABLE or volume.device.size < BOOT_CODE_SIZE:
        return
    head = volume.device.read(0, BOOT_CODE_SIZE)
    if head[0x0B:0x0D] != SECTOR.to_bytes(2, "little"):
        return
    from bootgraft.boot import bootcodefault

    copy = _copy_at(volume, head)
    yield from bootcodefault.code_faults(machine, disk, volume, head, copy, given)
    if copy is None and _copy_place(volume, head) is not None:
        yield bootcodefault.copy_fault(volume)
    loader = named_in(head)
    if loader in (Loader.BOOTMGR, Loader.NTLDR):
        yield from _number_faults(disk, volume, head, loader)


def _number_faults(disk: Disk, volume: Volume, head: bytes, loader: Loader) -> Iterator[SectorFault]:
    """The fields of a boot sector whose code is Windows' own."""
    hidden, start = struct.unpack_from("<I", head, _HIDDEN)[0], volume.partition.start // SECTOR
    if hidden != start and start < 2**32:
        yield SectorFault(
            SectorFaultKind.HIDDEN_SECTORS,
            f"the boot sector of {volume.name} looks for its loader in the wrong place of the disk",
            (f"{volume.name}, boot sector: {hidden} hidden sectors (at 0x1C), but it starts at sector {start}",),
            _in_both(disk, volume, head, _HIDDEN, struct.pack("<I", start), "the hidden sectors"),
        )
    if loader is Loader.NTLDR:
        yield from _geometry_faults(disk, volume, head)


def _geometry_faults(disk: Disk, volume: Volume, head: bytes) -> Iterator[SectorFault]:
    per_track, heads = struct.unpack_from("<HH", head, _GEOMETRY)
    usual = next((heads_ for size, heads_ in _LARGEST_WITH if disk.device.size < size), _MOST_HEADS)
    if per_track == _SECTORS_PER_TRACK and heads in (usual, _MOST_HEADS):
        return
    evidence = (
        f"{volume.name}, boot sector: {heads} heads (at 0x1A) and {per_track} sectors per track (at 0x18); a virtual "
        f"BIOS has {usual} or {_MOST_HEADS}, and {_SECTORS_PER_TRACK}"
    )
    wanted = struct.pack("<HH", _SECTORS_PER_TRACK, usual)
    yield SectorFault(
        SectorFaultKind.GEOMETRY,
        f"the boot sector of {volume.name} has the geometry of another disk controller",
        (evidence,),
        _in_both(disk, volume, head, _GEOMETRY, wanted, "sectors per track and heads"),
    )


def _in_both(disk: Disk, volume: Volume, head: bytes, field: int, wanted: bytes, name: str) -> tuple[WriteSectors, ...]:
    """The change of one field, in the boot sector and in its copy where that is one."""
    start = volume.partition.start
    places = [(0, f"{name} in the boot sector of {volume.name}")]
    copy = _copy_at(volume, head)
    if copy is not None:
        places.append((copy, f"{name} in its copy at the sector {copy // SECTOR} of {volume.name}"))
    changes = []
    for place, what in places:
        before = volume.device.read(place + field, len(wanted))
        if before != wanted:
            changes.append(WriteSectors(disk.index, start + place + field, wanted, before, what))
    return tuple(changes)


def _copy_at(volume: Volume, head: bytes) -> int | None:
    """Where the copy of the boot sector begins (bytes in the volume); None where there is none of this volume."""
    place = _copy_place(volume, head)
    if place is None or not SECTOR <= place <= volume.device.size - SECTOR:
        return None
    same = slice(0x28, 0x50) if volume.kind is FileSystemKind.NTFS else slice(0x20, 0x47)
    copy = volume.device.read(place, SECTOR)
    return place if copy[same] == head[same] and copy[0x1FE:] == b"\x55\xaa" else None


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
