"""The boot sector of a FAT volume: where its FATs, root directory and clusters lie.

Source: Microsoft Extensible Firmware Initiative FAT32 File System Specification (fatgen103), version 1.03. Where that
leaves a case open, the NT driver decides, because it is what will run on the volume (Microsoft's fastfat sample).
"""

import struct
from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystemKind

BOOT_SECTOR_SIZE = 512
"""Bytes of the boot sector that carry meaning, whatever the sector size is."""

OEM_CODE_PAGE = "cp437"
"""Code page of short names and labels."""

_BPB = struct.Struct("<3x8xHBHBHHBHHHII")
_BPB32 = struct.Struct("<IHHIHH")
_MEDIA = frozenset({0xF0, *range(0xF8, 0x100)})
_JUMPS = frozenset({0xE9, 0xEB})
_FAT12_CLUSTERS = 4085
_FAT16_CLUSTERS = 65525
_FAT32_CLUSTERS = 0x0FFFFFF5
_NO_LABELS = frozenset({"", "NO NAME"})


class FatLayout(Struct, frozen=True):
    """Where everything lies. Offsets and sizes are bytes from the start of the volume."""

    kind: FileSystemKind
    size: int
    cluster_size: int
    cluster_count: int
    fat_offsets: tuple[int, ...]  # the FATs that are kept alike; the first of them is read
    root_offset: int  # of the fixed root directory; unused on FAT32
    root_size: int  # of the fixed root directory; 0 on FAT32
    root_cluster: int  # 0 on FAT12 and FAT16
    data_offset: int  # of cluster 2
    fsinfo_offset: int | None
    label: str  # the one in the boot sector
    unclean: bool  # the NT driver's own dirty flags

    @property
    def entry_bits(self) -> int:
        """Bits in a FAT entry: 12, 16 or 32 (of which 28 count)."""
        return {FileSystemKind.FAT12: 12, FileSystemKind.FAT16: 16}.get(self.kind, 32)

    @property
    def end_cluster(self) -> int:
        """The number after the last cluster's; the first cluster is number 2."""
        return self.cluster_count + 2

    def pieces(self, chain: Sequence[int], offset: int, length: int) -> Iterator[tuple[int, int]]:
        """Where ``length`` bytes at ``offset`` of a cluster chain lie: (offset, length) on the volume, joined."""
        start = run = 0
        while length > 0:
            index, inside = divmod(offset, self.cluster_size)
            size = min(self.cluster_size - inside, length)
            place = self.data_offset + (chain[index] - 2) * self.cluster_size + inside
            if run and place == start + run:
                run += size
            else:
                if run:
                    yield start, run
                start, run = place, size
            offset += size
            length -= size
        if run:
            yield start, run


def read_layout(sector: bytes, *, where: str) -> FatLayout:
    """Read a boot sector (its first 512 bytes).

    Raises:
        FileSystemError: a field has a value that the specification does not allow.
    """
    if len(sector) < BOOT_SECTOR_SIZE:
        raise _invalid(f"is {len(sector)} bytes long", where)
    fields = _Fields(*_BPB.unpack_from(sector))
    fault = _fault(sector[0], fields)
    if fault:
        raise _invalid(fault, where)
    fat32 = fields.fat_size16 == 0
    fat_sectors, flags, version, root_cluster, fsinfo, _backup = _BPB32.unpack_from(sector, 36)
    if not fat32:
        fat_sectors, flags, version, root_cluster, fsinfo = fields.fat_size16, 0, 0, 0, 0
    if version:
        raise _invalid(f"says FAT32 version {version:#x}", where)
    root_size = fields.root_entries * 32
    root_sector = fields.reserved + fields.fats * fat_sectors
    data_sector = root_sector + -(-root_size // fields.sector_size)
    clusters = (fields.total - data_sector) // fields.cluster_sectors
    kind = _kind(clusters, fat32=fat32, where=where)
    layout = FatLayout(
        kind=kind,
        size=fields.total * fields.sector_size,
        cluster_size=fields.cluster_sectors * fields.sector_size,
        cluster_count=clusters,
        fat_offsets=_fat_offsets(fields, fat_sectors, flags, where),
        root_offset=root_sector * fields.sector_size,
        root_size=root_size,
        root_cluster=root_cluster,
        data_offset=data_sector * fields.sector_size,
        fsinfo_offset=fsinfo * fields.sector_size if 0 < fsinfo < fields.reserved else None,
        label=_label(sector, 0x42 if fat32 else 0x26),
        # CurrentHead: fastfat keeps 0x01 (dirty) and 0x02 (test the surface) here and reads nothing else
        unclean=bool(sector[0x41 if fat32 else 0x25] & 0x03),
    )
    if (clusters + 2) * layout.entry_bits > fat_sectors * fields.sector_size * 8:
        raise _invalid(f"has FATs of {fat_sectors} sectors, too few for {clusters} clusters", where)
    if fat32 and not 2 <= root_cluster < layout.end_cluster:
        raise _invalid(f"puts the root directory at cluster {root_cluster} of {clusters}", where)
    return layout


class _Fields(Struct, frozen=True):
    """The BIOS parameter block up to offset 36, in sectors."""

    sector_size: int
    cluster_sectors: int
    reserved: int
    fats: int
    root_entries: int
    total16: int
    media: int
    fat_size16: int
    track_sectors: int
    heads: int
    hidden: int
    total32: int

    @property
    def total(self) -> int:
        return self.total16 or self.total32


def _fault(jump: int, fields: _Fields) -> str | None:
    """Say what no FAT boot sector may hold."""
    checks = (
        (jump in _JUMPS, f"begins with byte {jump:#04x}, which is no jump"),
        (fields.sector_size in (512, 1024, 2048, 4096), f"says {fields.sector_size} bytes per sector"),
        (
            fields.cluster_sectors.bit_count() == 1,  # powers of two up to 128 in a byte
            f"says {fields.cluster_sectors} sectors per cluster",
        ),
        (fields.reserved > 0, "reserves no sector for itself"),
        (fields.fats > 0, "says there is no FAT"),
        (fields.media in _MEDIA, f"says media type {fields.media:#04x}"),
        (fields.total > 0, "says the volume has no sectors"),
        (
            (fields.root_entries == 0) == (fields.fat_size16 == 0),
            f"has {fields.root_entries} root entries with a 16-bit FAT size of {fields.fat_size16}",
        ),
    )
    return next((text for holds, text in checks if not holds), None)


def _kind(clusters: int, *, fat32: bool, where: str) -> FileSystemKind:
    """Tell the FAT type.

    fatgen103 goes by the count of clusters alone. A volume without a 16-bit FAT size is FAT32 to the NT driver
    however few clusters it has, and cannot be read as anything else.
    """
    if clusters < 1:
        raise _invalid("leaves no room for clusters", where)
    if fat32:
        if clusters >= _FAT32_CLUSTERS:
            raise _invalid(f"says {clusters} clusters, more than FAT32 can number", where)
        return FileSystemKind.FAT32
    if clusters >= _FAT16_CLUSTERS:
        raise _invalid(f"says {clusters} clusters, more than FAT16 can number", where)
    return FileSystemKind.FAT12 if clusters < _FAT12_CLUSTERS else FileSystemKind.FAT16


def _fat_offsets(fields: _Fields, fat_sectors: int, flags: int, where: str) -> tuple[int, ...]:
    """Offsets of the FATs in use: all, or on FAT32 with mirroring off (flag 0x80) the active one."""
    active = range(fields.fats)
    if flags & 0x80:
        active = active[flags & 0x0F : (flags & 0x0F) + 1]
    if not active or not fat_sectors:
        raise _invalid("says there is no FAT in use", where)
    return tuple((fields.reserved + index * fat_sectors) * fields.sector_size for index in active)


def _label(sector: bytes, offset: int) -> str:
    """Return the label behind the extended boot signature 0x29 at ``offset``."""
    if sector[offset] != 0x29:
        return ""
    label = sector[offset + 5 : offset + 16].decode(OEM_CODE_PAGE).rstrip(" \0")
    return "" if label in _NO_LABELS else label


def _invalid(fault: str, where: str) -> FileSystemError:
    return FileSystemError(
        f"the boot sector of the FAT volume {fault}",
        where=where,
        advice="Compare it with the original disk's; on FAT32, sector 6 usually holds a copy",
    )
