"""Which file system a volume holds, and opening it.

Decided by the boot sector alone: the partition type is often wrong after a conversion, and magic numbers further in
may be left over from an older format.
"""

import struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice

_NTFS_BPB = struct.Struct("<HBHBHHBHHHII4xQQ")
_BITLOCKER_TO_GO = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")  # 4967D63B-2E29-4AD8-8399-F6A339E3D001
_BITLOCKER_TO_GO_OFFSET = 0x1A8

_SIGNATURES = {
    b"-FVE-FS-": FileSystemKind.BITLOCKER,
    b"EXFAT   ": FileSystemKind.EXFAT,
    b"ReFS\0\0\0\0": FileSystemKind.REFS,
}

_ADVICE = {
    FileSystemKind.BITLOCKER: (
        "the volume is encrypted with BitLocker",
        "Decrypt it on the original machine (manage-bde -off C:) and convert it again; suspending is not enough",
    ),
    FileSystemKind.EXFAT: ("the volume holds exFAT", "Windows does not boot from exFAT; choose another volume"),
    FileSystemKind.REFS: (
        "the volume holds ReFS, which bootgraft cannot open",
        "If Windows boots from it, install the driver with pnputil before the conversion, then convert it again",
    ),
}


def identify(device: BlockDevice) -> FileSystemKind | None:
    """Tell the file system by the boot sector; None where it is none that Windows boots from or encrypts.

    Raises:
        ImageError: the device cannot be read.
    """
    if device.size < SECTOR:
        return None
    sector = device.read(0, SECTOR)
    oem = sector[3:11]
    if sector[_BITLOCKER_TO_GO_OFFSET : _BITLOCKER_TO_GO_OFFSET + 16] == _BITLOCKER_TO_GO and oem == b"MSWIN4.1":
        return FileSystemKind.BITLOCKER  # before FAT: it looks like a FAT32 volume to older Windows
    if oem in _SIGNATURES:
        return _SIGNATURES[oem]
    if oem == b"NTFS    " and _is_ntfs(sector):
        return FileSystemKind.NTFS
    from bootgraft.filesystems.fat.boot import read_layout  # most volumes never come here

    try:
        return read_layout(sector, where="boot sector").kind
    except FileSystemError:
        return None


def promised_size(device: BlockDevice) -> int | None:
    """Bytes from the volume's first to the last that its NTFS or FAT counts as its own; None for any other volume.

    Raises:
        ImageError: the device cannot be read.
    """
    kind = identify(device)
    sector = device.read(0, SECTOR)
    if kind is FileSystemKind.NTFS:
        size, *_, total, _ = _NTFS_BPB.unpack_from(sector, 11)
        return int(size) * int(total)
    if kind in (FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32):
        size, short, long = (int.from_bytes(sector[at:end], "little") for at, end in ((11, 13), (19, 21), (32, 36)))
        return size * (short or long)
    return None


def mount(device: BlockDevice, *, writable: bool, name: str, accept_unclean: bool = False) -> FileSystem:
    """Open the NTFS or FAT volume that fills ``device``; ``name`` is what errors call it.

    ``accept_unclean`` lets a FAT volume be written whose dirty flag is set; an NTFS volume has a journal, which must
    be emptied first.

    Raises:
        FileSystemError: there is another file system, or none that is known.
    """
    kind = identify(device)
    if kind is FileSystemKind.NTFS:
        from bootgraft.filesystems.ntfs.volume import mount_ntfs  # loads libntfs-3g

        return mount_ntfs(device, writable=writable, name=name)
    if kind in (FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32):
        from bootgraft.filesystems.fat.volume import mount_fat

        return mount_fat(device, writable=writable, name=name, accept_unclean=accept_unclean)
    what, advice = _ADVICE[kind] if kind else _unknown(device)
    raise FileSystemError(what, where=name, advice=advice)


def _is_ntfs(sector: bytes) -> bool:
    """Whether the BIOS parameter block is one that the NT driver takes for NTFS.

    Source: Linux kernel documentation of NTFS and Microsoft's description of the boot sector ("How NTFS Works"): the
    fields that only FAT uses are zero, the count of sectors and the place of $MFT are not.
    """
    size, cluster, reserved, fats, root, total16, _, fat16, _, _, _, total32, total, mft = _NTFS_BPB.unpack_from(
        sector, 11
    )
    return (
        size in (256, 512, 1024, 2048, 4096)
        and (cluster.bit_count() == 1 or cluster >= 0xF4)  # above 128 sectors: two's complement of the exponent
        and not (reserved or fats or root or total16 or fat16 or total32)
        and 0 < mft < total
    )


def _unknown(device: BlockDevice) -> tuple[str, str]:
    if device.size < SECTOR:
        return f"the volume has only {device.size} bytes", "Check the partition table of the image"
    if not any(device.read(0, SECTOR)):
        return (
            "the boot sector of the volume is empty",
            "The conversion did not copy it, or it is not a Windows volume; convert it again or choose another volume",
        )
    return (
        "the volume holds no file system that bootgraft knows",
        "Choose another volume, or restore its boot sector from the copy in the last sector (NTFS) or sector 6 (FAT32)",
    )
