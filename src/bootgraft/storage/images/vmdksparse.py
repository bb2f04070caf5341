"""The headers of a VMDK's sparse extents: hosted products' KDMV, ESXi's COWD and seSparse. All little-endian.

Sources: VMware, "Virtual Disk Format 5.0" (hosted sparse extent, ESX Server sparse extent); for seSparse, which VMware
never published, qemu's block/vmdk.c (VMDKSESparseConstHeader).
"""

import struct
import sys
from array import array
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageinfo import Reach

MAGIC_HOSTED = b"KDMV"
MAGIC_COWD = b"COWD"
MAGIC_SE = b"\xbe\xba\xfe\xca\0\0\0\0"

_HOSTED = struct.Struct("<4sIIQQQQIQQQB4sH")
_FLAG_COMPRESSED = 1 << 16
_DEFLATE = 1
_DIRECTORY_AT_END = 2**64 - 1
_COWD = struct.Struct("<4sIIIIII")
_SE = struct.Struct("<QQQ")
_ZERO_GRAIN = 1
"""What a grain table's entry says of a grain that was zeroed and is stored nowhere."""
_MAX_DIRECTORY = 8 * 2**20
_TABLES_AT_ONCE = 2**20
"""Bytes of grain tables that are looked at together."""


class SparseHeader(Struct, frozen=True):
    """A sparse extent's header: ``sectors`` of the disk it stands for; the rest is zero or False for ESXi's kinds.

    ``grain`` is the bytes of a grain.

    ``descriptor_offset`` and ``descriptor_length`` (bytes) tell where a descriptor is embedded, both 0 without one.
    """

    sectors: int
    grain: int = 0
    version: int = 0
    compressed: bool = False
    unclean: bool = False
    descriptor_offset: int = 0
    descriptor_length: int = 0


def read_sparse_header(file: ContainerFile) -> SparseHeader:
    """Read and check the header of a sparse extent of any kind.

    Raises:
        ImageError: it is none, is damaged, or names tables that lie outside the file.
    """
    magic = file.peek(0, len(MAGIC_SE))
    if magic.startswith(MAGIC_HOSTED):
        return _read_hosted(file)
    if magic.startswith(MAGIC_COWD):
        return _read_cowd(file)
    if magic == MAGIC_SE:
        _, _, sectors = _SE.unpack(file.read(0, _SE.size, "the seSparse header"))
        return SparseHeader(_positive(file, sectors))
    raise file.corrupt("this is not a sparse VMDK extent")


def _read_hosted(file: ContainerFile) -> SparseHeader:
    data = file.read(0, SECTOR, "the sparse extent's header")
    header = _HOSTED.unpack_from(data)
    _, version, flags, sectors, grain, descriptor_at, descriptor_size, *_ = header
    metadata, unclean, compression = header[10], header[11], header[13]
    if not 1 <= version <= 3:
        raise ImageError(
            f"this is a sparse VMDK of version {version}, which is not supported",
            where=file.name,
            advice="Convert it with VMware's own tools first (vmware-vdiskmanager -r OLD.vmdk -t 0 NEW.vmdk)",
        )
    _positive(file, sectors)
    _check_directory(file, data)
    file.require(metadata * SECTOR, "the end of its grain tables")
    file.require((descriptor_at + descriptor_size) * SECTOR, "the embedded descriptor")
    return SparseHeader(
        sectors=sectors,
        grain=grain * SECTOR,
        version=version,
        compressed=bool(flags & _FLAG_COMPRESSED) or compression == _DEFLATE,
        unclean=bool(unclean),
        descriptor_offset=descriptor_at * SECTOR,
        descriptor_length=descriptor_size * SECTOR if descriptor_at else 0,
    )


def require_grains(file: ContainerFile) -> None:
    """Check that every grain that a hosted sparse extent has begins inside the file.

    qemu reads a grain beyond the end as zeros, and gives its place to the next grain that is written: of a copy that
    was cut short, two parts of the disk would share it from then on. The tables take 1/16384 of the disk's size, so
    they are compared in bulk, and holes in them, for parts of the disk that were never written, cost next to nothing.

    Raises:
        ImageError: one does not.
    """
    limit = -(-file.size // SECTOR)
    if any(_names_beyond(tables, limit) for tables in _tables(file)):
        raise file.truncated("a part of the disk that its grain tables name")


def grains_reach(file: ContainerFile) -> Reach:
    """Say how far the grains reach that a hosted sparse extent has.

    Raises:
        ImageError: its directory contradicts the format.
    """
    grain = _HOSTED.unpack_from(file.read(0, SECTOR, "the sparse extent's header"))[4] * SECTOR
    last = max((max(_entries(tables)) for tables in _tables(file) if tables.count(0) < len(tables)), default=0)
    return Reach(last * SECTOR + grain if last > _ZERO_GRAIN else 0, grain, grain)


def _tables(file: ContainerFile) -> Iterator[bytes]:
    """Yield the grain tables, in pieces of whole entries, without most of the holes in them."""
    directory, table_entries = _read_directory(file, file.read(0, SECTOR, "the sparse extent's header"))
    for start, length in _table_runs(directory, 4 * table_entries):
        at = start
        while (at := file.next_data(at)) < start + length:
            tables = file.peek(at, min(_TABLES_AT_ONCE, start + length - at))
            at += len(tables)
            yield tables


def _entries(tables: bytes) -> "array[int]":
    """Return the entries of grain tables."""
    entries = array("I", tables)
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


def _table_runs(directory: "array[int]", size: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, length) in bytes of the grain tables, joined where one follows the other."""
    start = end = 0
    for sector in directory:
        offset = sector * SECTOR
        if sector and offset != end:
            if end > start:
                yield start, end - start
            start = offset
        end = offset + size if sector else end
    if end > start:
        yield start, end - start


def _names_beyond(tables: bytes, sectors: int) -> bool:
    """Whether an entry is not below ``sectors``; most tables are told by their being empty, or by the highest bytes."""
    if sectors > 0xFFFFFFFF or tables == bytes(len(tables)):  # an entry has 32 bits
        return False
    highest, heads = sectors >> 24, tables[3::4]
    if heads.translate(None, bytes(range(highest + 1))):
        return True
    if highest not in heads:
        return False
    return max(_entries(tables)) >= sectors


def _check_directory(file: ContainerFile, data: bytes) -> None:
    """Check that the grain directory and every grain table lie inside the file."""
    directory, table_entries = _read_directory(file, data)
    file.require(max(directory, default=0) * SECTOR + 4 * table_entries, "a grain table")


def _read_directory(file: ContainerFile, data: bytes) -> "tuple[array[int], int]":
    """Return the grain directory, in sectors, and the number of entries in each grain table."""
    directory_at = _HOSTED.unpack_from(data)[9]
    if directory_at == _DIRECTORY_AT_END:  # streamOptimized as it was streamed: a footer repeats the header
        data = file.peek(file.size - 2 * SECTOR, SECTOR)
        if len(data) < SECTOR or not data.startswith(MAGIC_HOSTED):
            raise file.truncated("the footer that a streamed VMDK ends with")
        directory_at = _HOSTED.unpack_from(data)[9]
    _, _, _, sectors, grain, _, _, table_entries, *_ = _HOSTED.unpack_from(data)
    if not 0 < table_entries <= 512 or not 0 < grain <= 2**21:
        raise file.corrupt(f"grains of {grain} sectors, {table_entries} to a table, cannot be")
    length = 4 * -(-sectors // (grain * table_entries))
    if length > _MAX_DIRECTORY:
        raise file.corrupt(f"the disk's {sectors} sectors are more than its grain size allows")
    directory = array("I", file.read(directory_at * SECTOR, length, "the grain directory"))
    if sys.byteorder == "big":
        directory.byteswap()
    return directory, table_entries


def _read_cowd(file: ContainerFile) -> SparseHeader:
    data = file.read(0, _COWD.size, "the ESXi sparse extent's header")
    _, _version, _flags, sectors, grain, directory_at, entries = _COWD.unpack(data)
    if not 0 < grain <= 2**21 or 4 * entries > _MAX_DIRECTORY:
        raise file.corrupt(f"grains of {grain} sectors and a grain directory of {entries} entries cannot be")
    file.require(directory_at * SECTOR + 4 * entries, "the grain directory")
    return SparseHeader(_positive(file, sectors))


def _positive(file: ContainerFile, sectors: int) -> int:
    """Refuse an extent of no sectors: qemu then takes its embedded text for a descriptor that may name any file."""
    if not 0 < sectors < 2**53 // SECTOR:
        raise file.corrupt(f"a sparse extent of {sectors} sectors cannot be")
    return sectors
