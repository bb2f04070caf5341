"""An empty FAT32 volume: the sectors that make one of a stretch of a disk.

Format: Microsoft Extensible Firmware Initiative FAT32 File System Specification (fatgen103), version 1.03. It has no
boot code: it is for firmware that reads files.
"""

import struct

from bootgraft.filesystems.fat.boot import OEM_CODE_PAGE

_RESERVED, _FSINFO, _BACKUP = 32, 1, 6
_FATS, _ROOT_CLUSTER = 2, 2
_FEWEST_CLUSTERS, _MOST_CLUSTERS = 65525 + 16, 1 << 18
"""Below the first it would be FAT16 (with some to spare, as drivers count differently); the second keeps FATs small."""
SMALLEST = 66_700
"""Sectors of the smallest volume, whatever their size."""
_MEDIA, _END = 0xF8, 0x0FFFFFFF
_JUMP, _HALT = b"\xeb\x58\x90", b"\xf4\xeb\xfd"
_BOOT = struct.Struct("<3s8sHBHBHHBHHHIIIHHIHH12xBBBI11s8s")
_MARK, _MARK_AT = b"\x55\xaa", 510
_LABEL_ATTRIBUTE = 0x08


def empty_fat32(size: int, *, sector_size: int, hidden_sectors: int, serial: int, label: str) -> bytes:
    """What an empty volume of ``size`` bytes begins with, up to the end of its root directory; the rest stays.

    ``hidden_sectors`` is where it begins on its disk, in its sectors. Raises ValueError where it is too small.
    """
    sectors = size // sector_size
    per_cluster = _cluster_sectors(sectors)
    fat_sectors = -(-(sectors - _RESERVED + _FATS * per_cluster) // (per_cluster * sector_size // 4 + _FATS))
    clusters = (sectors - _RESERVED - _FATS * fat_sectors) // per_cluster
    if clusters < _FEWEST_CLUSTERS:
        raise ValueError(size)
    name = label.upper().encode(OEM_CODE_PAGE).ljust(11)
    boot = _BOOT.pack(
        _JUMP, b"MSDOS5.0", sector_size, per_cluster, _RESERVED, _FATS, 0, 0, _MEDIA, 0, 63, 255, hidden_sectors,
        sectors, fat_sectors, 0, 0, _ROOT_CLUSTER, _FSINFO, _BACKUP, 0x80, 0, 0x29, serial, name, b"FAT32   ",
    )  # fmt: skip
    volume = bytearray((_RESERVED + _FATS * fat_sectors + per_cluster) * sector_size)
    info = struct.pack("<I480xIII12xI", 0x41615252, 0x61417272, clusters - 1, _ROOT_CLUSTER + 1, 0xAA550000)
    for at in (0, _BACKUP):
        _put(volume, at * sector_size, (boot + _HALT).ljust(_MARK_AT, b"\0") + _MARK)
        _put(volume, (at + _FSINFO) * sector_size, info)
    for number in range(_FATS):
        fat = struct.pack("<III", _END & ~0xFF | _MEDIA, _END, _END)
        _put(volume, (_RESERVED + number * fat_sectors) * sector_size, fat)
    root = (_RESERVED + _FATS * fat_sectors) * sector_size
    _put(volume, root, name + bytes([_LABEL_ATTRIBUTE]))
    return bytes(volume)


def _cluster_sectors(sectors: int) -> int:
    """As few sectors in a cluster as keep the FATs small."""
    per_cluster = 1
    while sectors // per_cluster > _MOST_CLUSTERS:
        per_cluster *= 2
    return per_cluster


def _put(volume: bytearray, at: int, data: bytes) -> None:
    volume[at : at + len(data)] = data
