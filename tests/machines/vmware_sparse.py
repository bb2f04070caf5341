"""ESXi's redo-log formats, which no free tool writes: COWD (vmfsSparse) and seSparse extents with a descriptor.

The layouts are the ones qemu reads ("vmfsSparse" since 1.0; "seSparse" read-only since 4.1; VMware's "Virtual Disk
Format 1.1" documents COWD), and ``qemu-img compare`` is what the tests judge them with. Real ones are snapshots over
a parent; these hold the whole disk.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from tests.machines.spec import SECTOR

_TABLE_ENTRIES = 4096
_NONE = 0
_SE_GRAIN = 8 * SECTOR
_SE_ALLOCATED, _SE_TABLE_PRESENT = 0x3 << 60, 0x1 << 60


def write_vmfs_sparse(raw: Path, folder: Path) -> Path:
    """Write the disk as a descriptor and one COWD extent with grains of a sector."""
    sectors = raw.stat().st_size // SECTOR
    tables = -(-sectors // _TABLE_ENTRIES)
    directory_at = 4
    directory_sectors = -(-tables * 4 // SECTOR)
    next_sector = directory_at + directory_sectors
    extent = folder / f"{raw.stem}-delta.vmdk"
    directory = [_NONE] * tables
    with extent.open("wb") as out:
        for index, entries in _grains_by_table(raw, SECTOR):
            directory[index] = next_sector
            table = [_NONE] * _TABLE_ENTRIES
            out.seek((next_sector + _TABLE_ENTRIES * 4 // SECTOR) * SECTOR)
            for entry, grain in entries:
                table[entry] = out.tell() // SECTOR
                out.write(grain)
            end = out.tell() // SECTOR
            out.seek(next_sector * SECTOR)
            out.write(struct.pack(f"<{_TABLE_ENTRIES}I", *table))
            next_sector = max(end, next_sector + _TABLE_ENTRIES * 4 // SECTOR)
        out.truncate(next_sector * SECTOR)
        out.seek(0)
        # magic, version, flags, sectors, grain size, directory, its entries, next free sector
        out.write(struct.pack("<4s7I", b"COWD", 1, 3, sectors, 1, directory_at, tables, next_sector))
        out.seek(directory_at * SECTOR)
        out.write(struct.pack(f"<{tables}I", *directory))
    return _descriptor(raw, folder, "vmfsSparse", f'RW {sectors} VMFSSPARSE "{extent.name}"')


def write_se_sparse(raw: Path, folder: Path) -> Path:
    """Write the disk as a descriptor and one seSparse extent with grains of 4 KiB."""
    size = raw.stat().st_size
    tables = -(-size // (_SE_GRAIN * _TABLE_ENTRIES))
    table_sectors = _TABLE_ENTRIES * 8 // SECTOR
    directory_at = 128
    directory_sectors = -(-tables * 8 // SECTOR)
    tables_at = 256
    grains_at = tables_at + tables * table_sectors
    extent = folder / f"{raw.stem}-sesparse.vmdk"
    directory = [0] * tables
    used = 0
    with extent.open("wb") as out:
        for index, entries in _grains_by_table(raw, _SE_GRAIN):
            directory[index] = _SE_TABLE_PRESENT | index
            table = [0] * _TABLE_ENTRIES
            for entry, grain in entries:
                table[entry] = _SE_ALLOCATED | (used & 0xFFF) << 48 | used >> 12
                out.seek(grains_at * SECTOR + used * _SE_GRAIN)
                out.write(grain.ljust(_SE_GRAIN, b"\0"))
                used += 1
            out.seek((tables_at + index * table_sectors) * SECTOR)
            out.write(struct.pack(f"<{_TABLE_ENTRIES}Q", *table))
        out.truncate(grains_at * SECTOR + used * _SE_GRAIN)
        out.seek(0)
        out.write(_se_header(size, directory_sectors, tables * table_sectors, grains_at, used))
        out.seek(directory_at * SECTOR)
        out.write(struct.pack(f"<{tables}Q", *directory))
    return _descriptor(raw, folder, "seSparse", f'RW {size // SECTOR} SESPARSE "{extent.name}"')


def _se_header(size: int, directory_sectors: int, tables_sectors: int, grains_at: int, used: int) -> bytes:
    magic, version, grain, table = 0xCAFEBABE, 0x0000_0002_0000_0001, 8, 64
    head = struct.pack("<10Q", magic, version, size // SECTOR, grain, table, 0, 0, 0, 0, 0)
    # pairs of (first sector, sectors): volatile header, journal header, journal, directory, tables, bitmap, backmap
    places = (1, 1, 2, 2, 4, 64, 128, directory_sectors, 256, tables_sectors, 0, 0, 0, 0, grains_at, used * grain)
    volatile = struct.pack("<4Q", 0xCAFECAFE, 0, 0, 0)
    return (head + struct.pack("<16Q", *places)).ljust(SECTOR, b"\0") + volatile.ljust(SECTOR, b"\0")


def _grains_by_table(raw: Path, grain: int) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
    """(table index, [(entry in it, the grain)]) of every table with a grain that is not all zeros."""
    span = grain * _TABLE_ENTRIES
    empty = bytes(grain)
    with raw.open("rb") as disk:
        index = 0
        while block := disk.read(span):
            if block.strip(b"\0"):
                grains = (
                    (entry, block[entry * grain : (entry + 1) * grain]) for entry in range(-(-len(block) // grain))
                )
                yield index, [(entry, data) for entry, data in grains if data != empty]
            index += 1


def _descriptor(raw: Path, folder: Path, kind: str, extent: str) -> Path:
    path = folder / f"{raw.stem}.vmdk"
    path.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=5e0a71c3\nparentCID=ffffffff\n"
        f'createType="{kind}"\n\n# Extent description\n{extent}\n\n# The Disk Data Base\n#DDB\n\n'
        'ddb.adapterType = "lsilogic"\nddb.virtualHWVersion = "7"\n'
    )
    return path
