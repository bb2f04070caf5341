r"""Boot code that is there already, on the machine's own disks or on another installation's: Microsoft's is not ours to
ship. For an MBR alone there is free code besides (:mod:`.syslinux_mbr`), which comes last.

Of a boot sector only the code is ever taken, never the BIOS parameter block: the jump and what lies behind the block,
from 0x54 to the end of sector 15 on NTFS, from 0x5A on FAT32 (and sector 12, which that code reads next; D. Sedory, "NT
FAT32 Boot Record"), from 0x3E on FAT12 and FAT16. Of an MBR the first 440 bytes, which end before the disk signature.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.partitions import TableKind

MBR_CODE = 0x1B8
_JUMPS = (0xEB, 0xE9)
_MARK = b"\x55\xaa"
_MARK_AT = 0x1FE
_BLOCK_ENDS = {
    FileSystemKind.NTFS: 0x54,
    FileSystemKind.FAT32: 0x5A,
    FileSystemKind.FAT16: 0x3E,
    FileSystemKind.FAT12: 0x3E,
}
_FAT32_SECOND = 12 * SECTOR
_RESERVED_SECTORS = slice(0x0E, 0x10)
_DUMMY = b"not a bootable d"
"""In what mkntfs and mkfs.fat write where the boot code belongs: it says so and waits for a key."""
_TEXT = bytes((0, *b"\t\r\n", *range(0x20, 0x7F)))
_MBR_START = bytes.fromhex("33c08ed0bc007c")
"""How the MBR code of every Windows begins, after an optional cli: a stack below 0x7C00."""


class BootCode(Struct, frozen=True):
    """Boot code of one volume or, where ``kind`` is None, of a disk: (offset in bytes, bytes) each, and whose it is."""

    kind: FileSystemKind | None
    loader: Loader | None
    pieces: tuple[tuple[int, bytes], ...]
    source: str


CodeSource = Callable[[], tuple[BootCode, ...]]
"""What gives the boot code of other installations, where it is asked for."""


def none_given() -> tuple[BootCode, ...]:
    """The code source of a machine for which no other installation was given."""
    return ()


def is_missing(head: bytes, kind: FileSystemKind) -> bool:
    """Whether the boot sector at the start of ``head`` has a good parameter block and no code behind it."""
    code = head[_BLOCK_ENDS[kind] : _MARK_AT]
    if head[0x0B:0x0D] != SECTOR.to_bytes(2, "little") or len(head) < SECTOR:
        return False
    return not any(code) or _DUMMY in code


def of_volume(volume: Volume, source: str) -> BootCode | None:
    """The boot code that a volume has; None where it has none of an NT loader."""
    kind = volume.kind
    if kind is None or kind not in _BLOCK_ENDS or volume.device.size < BOOT_CODE_SIZE:
        return None
    return _of_head(volume.device.read(0, BOOT_CODE_SIZE), kind, source)


def of_mbr(disk: Disk, source: str) -> BootCode | None:
    """The boot code of a disk's MBR; None where it is not that of a Windows."""
    if disk.table.kind is not TableKind.MBR:
        return None
    code = disk.device.read(0, MBR_CODE)
    if code[: len(_MBR_START)] != _MBR_START and code[1 : len(_MBR_START) + 1] != _MBR_START:
        return None
    return BootCode(None, None, ((0, code),), source)


def of_copy(volume: Volume, copy: int | None) -> BootCode | None:
    """The code of the first sector, from the volume's own copy of it at ``copy`` (bytes); the others are in place.

    None where there is no copy, or where it is not of the same loader as the sectors that are left.
    """
    kind = volume.kind
    if copy is None or kind is None or kind not in _BLOCK_ENDS:
        return None
    sector = volume.device.read(copy, SECTOR)
    if not _is_code(sector, kind):
        return None
    further = volume.device.read(SECTOR, BOOT_CODE_SIZE - SECTOR)
    loader = named_in(further) if kind is FileSystemKind.NTFS else named_in(sector)
    if loader is None or (kind is FileSystemKind.NTFS and loader.name.encode() not in sector.upper()):
        return None
    pieces = ((0, sector[:3]), (_BLOCK_ENDS[kind], sector[_BLOCK_ENDS[kind] :]))
    return BootCode(kind, loader, pieces, f"the copy of the boot sector at sector {copy // SECTOR} of {volume.name}")


def of_saved(volume: Volume) -> BootCode | None:
    r"""The code in ``\BOOTSECT.BAK``, where Setup of Vista and later keeps the boot sector that it replaced."""
    try:
        data = volume.filesystem().read("\\BOOTSECT.BAK", 0, BOOT_CODE_SIZE)
    except (FileSystemError, PartitionTableError):  # mostly because there is none
        return None
    kind = volume.kind
    whole = BOOT_CODE_SIZE if kind in (FileSystemKind.NTFS, FileSystemKind.FAT32) else SECTOR
    if kind is None or kind not in _BLOCK_ENDS or len(data) < whole or _is_ntfs(data) is not _is_ntfs_kind(kind):
        return None
    return _of_head(data, kind, f"\\BOOTSECT.BAK on {volume.name}")


def harvest(machine: Machine, name: str) -> tuple[BootCode, ...]:
    """The boot code of every disk and volume of another installation, which messages call ``name``."""
    return tuple(_harvest(machine, name))


def _harvest(machine: Machine, name: str) -> Iterator[BootCode]:
    for disk in machine.disks:
        code = of_mbr(disk, f"the MBR of {name}")
        if code is not None:
            yield code
    for volume in machine.volumes():
        code = of_volume(volume, f"{volume.name.removeprefix('disk 0 ')} of {name}")
        if code is not None:
            yield code


def for_volume(
    machine: Machine, volume: Volume, loader: Loader, copy: int | None, given: CodeSource
) -> BootCode | None:
    """The code that lets the boot sector of ``volume`` start ``loader``, from what is nearest; None if none has it.

    In this order: its own copy, the machine's other volumes, ``BOOTSECT.BAK``, what was given.
    """
    own = of_copy(volume, copy)
    if own is not None and own.loader is loader:
        return own
    others = (each for each in machine.volumes() if each is not volume)
    found = [of_volume(each, each.name) for each in others]
    found += [of_saved(each) for each in machine.volumes() if each.kind in search.OPENABLE]
    for code in found:
        if code is not None and _fits(code, volume, loader):
            return code
    return next((code for code in given() if _fits(code, volume, loader)), None)


def for_mbr(machine: Machine, disk: Disk, given: CodeSource) -> BootCode:
    """MBR code for a disk: of another one of the machine's disks, of what was given, else free code."""
    for other in machine.disks:
        code = None if other is disk else of_mbr(other, f"the MBR of {other.name}")
        if code is not None:
            return code
    code = next((code for code in given() if code.kind is None), None)
    return _free_mbr() if code is None else code


def is_no_mbr_code(code: bytes) -> bool:
    """Whether the first bytes of a disk are clearly no code: one byte over and over, or nothing but text.

    Or what mkfs.fat writes in front of a whole disk that it formats.
    """
    return len(set(code)) <= 1 or _DUMMY in code or not code.translate(None, delete=_TEXT)


def _free_mbr() -> BootCode:
    from bootgraft.boot.bios import syslinux_mbr  # most disks have boot code

    return BootCode(None, None, ((0, syslinux_mbr.CODE),), syslinux_mbr.SOURCE)


def _fits(code: BootCode, volume: Volume, loader: Loader) -> bool:
    if code.kind is not volume.kind or code.loader is not loader:
        return False
    if code.kind is not FileSystemKind.FAT32:
        return True
    reserved = int.from_bytes(volume.device.read(0, SECTOR)[_RESERVED_SECTORS], "little")
    return all(offset + len(data) <= reserved * SECTOR for offset, data in code.pieces)


def _of_head(head: bytes, kind: FileSystemKind, source: str) -> BootCode | None:
    loader = named_in(head[: BOOT_CODE_SIZE if kind is FileSystemKind.NTFS else SECTOR])
    if loader is None or not _is_code(head, kind):
        return None
    end = _BLOCK_ENDS[kind]
    pieces = [(0, head[:3]), (end, head[end:BOOT_CODE_SIZE] if kind is FileSystemKind.NTFS else head[end:SECTOR])]
    if kind is FileSystemKind.FAT32:
        reserved = int.from_bytes(head[_RESERVED_SECTORS], "little")
        second = head[_FAT32_SECOND : _FAT32_SECOND + SECTOR]
        if loader is Loader.FREELDR or reserved * SECTOR < _FAT32_SECOND + SECTOR or not any(second):
            return None
        pieces.append((_FAT32_SECOND, second))
    return BootCode(kind, loader, tuple(pieces), source)


def _is_code(sector: bytes, kind: FileSystemKind) -> bool:
    return sector[0] in _JUMPS and sector[_MARK_AT:SECTOR] == _MARK and not is_missing(sector, kind)


def _is_ntfs(head: bytes) -> bool:
    return head[3:11] == b"NTFS    "


def _is_ntfs_kind(kind: FileSystemKind) -> bool:
    return kind is FileSystemKind.NTFS
