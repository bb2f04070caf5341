"""Dynamic disks written by hand: no tool makes any. As the Linux-NTFS project's documentation of the LDM has them.

``ldmtool``, which reads them, is the judge of what is made here.
"""

import struct

from msgspec import Struct

GROUP = "3f2a7c10-5b1e-4f08-9d27-1d8d0c1a4e01"
SECTOR, DATABASE = 512, 2048
_VMDB, _VBLK = 17, 128
_LOG_SIZE = 224


class Extent(Struct, frozen=True):
    """A piece of a volume: which disk (from 1), first sector from the start of the disk's data area, sectors."""

    disk: int
    start: int
    sectors: int


class Plex(Struct, frozen=True):
    """One component: its layout (1 striped, 2 concatenated, 3 RAID-5) and its pieces."""

    layout: int
    extents: tuple[Extent, ...]


class Group(Struct, frozen=True):
    """A disk group: the GUIDs of its disks, and its volumes by name, each with its plexes."""

    disks: tuple[str, ...]
    volumes: tuple[tuple[str, tuple[Plex, ...]], ...]


def write_ldm(image: bytearray, group: Group, number: int, *, first_sector: int = 63) -> None:
    """Make the disk image number ``number`` (from 1) of the group: its last MiB holds the database."""
    total = len(image) // SECTOR
    config = total - DATABASE
    header = _private_header(group.disks[number - 1], first_sector, config)
    for sector in (6, config + DATABASE - 1, config + 1856):
        image[sector * SECTOR : (sector + 1) * SECTOR] = header
    database = _database(group)
    image[config * SECTOR : config * SECTOR + len(database)] = database
    image[(config + DATABASE - 1) * SECTOR :] = header


def _private_header(guid: str, first: int, config: int) -> bytes:
    head = bytearray(SECTOR)
    head[:8] = b"PRIVHEAD"
    struct.pack_into(">IHH", head, 8, 0, 2, 11)
    head[0x30 : 0x30 + 36] = guid.encode()
    head[0x70 : 0x70 + 36] = b"1b77da20-c717-11d0-a5be-00a0c91db73c"
    head[0xB0 : 0xB0 + 36] = GROUP.encode()
    head[0xF0:0xFB] = b"TESTDg0\0\0\0\0"
    struct.pack_into(">QQQQQQII", head, 0x11B, first, config - first, config, DATABASE, 2, DATABASE - 2, 1, 1)
    struct.pack_into(">QQ", head, 0x153, DATABASE - 2, _LOG_SIZE)
    return bytes(head)


def _database(group: Group) -> bytes:
    data = bytearray(DATABASE * SECTOR)
    toc = bytearray(SECTOR)
    toc[:8] = b"TOCBLOCK"
    toc[0x24:0x2E] = b"config\0\0\0\0"
    struct.pack_into(">QQ", toc, 0x2E, _VMDB, 1024)
    toc[0x46:0x50] = b"log\0\0\0\0\0\0\0"
    struct.pack_into(">QQ", toc, 0x50, 1500, _LOG_SIZE)
    for sector in (1, 2, DATABASE - 3, DATABASE - 2):
        data[sector * SECTOR : (sector + 1) * SECTOR] = toc
    records = list(_records(group))
    vmdb = bytearray(SECTOR)
    struct.pack_into(">4sIIIHHH", vmdb, 0, b"VMDB", len(records) + 4, _VBLK, SECTOR, 1, 4, 10)
    vmdb[0x16:0x1D] = b"TESTDg0"
    vmdb[0x35 : 0x35 + 36] = GROUP.encode()
    kinds = [record[3] for record in records]
    counts = (kinds.count(kind) for kind in (0x51, 0x32, 0x33, 0x34))
    struct.pack_into(">QQIIII", vmdb, 0x75, 1, 1, *counts)
    at = _VMDB * SECTOR
    data[at : at + SECTOR] = vmdb
    for sequence, record in enumerate(records):
        piece = struct.pack(">4sIIHH", b"VBLK", sequence + 4, sequence + 1, 0, 1) + record
        where = at + SECTOR + sequence * _VBLK
        data[where : where + _VBLK] = piece.ljust(_VBLK, b"\0")
    return bytes(data)


def _number(value: int) -> bytes:
    data = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([len(data)]) + data


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


def _record(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">HBBI", 0, flags, kind, len(body)) + body


def _records(group: Group) -> list[bytes]:
    made = [_record(0x35, 0, _number(1) + _text("TESTDg0") + _text(GROUP) + bytes(12))]
    disks = {number: 10 + number for number in range(1, len(group.disks) + 1)}
    for number, guid in enumerate(group.disks, start=1):
        made.append(
            _record(0x34, 0, _number(disks[number]) + _text(f"Disk{number}") + _text(guid) + _text("") + bytes(12))
        )
    following = 100
    for name, plexes in group.volumes:
        volume, following = following, following + 1
        size = sum(each.sectors for each in plexes[0].extents)
        kind = "raid5" if plexes[0].layout == 3 else "gen"
        body = (
            _number(volume)
            + _text(name)
            + _text(kind)
            + _text("")
            + b"ACTIVE".ljust(14, b"\0")
            + bytes([4 if plexes[0].layout == 3 else 3, 0, 0])
        )
        body += bytes(4) + _number(len(plexes)) + bytes(16) + _number(size) + bytes(4) + b"\x07" + bytes(16)
        made.append(_record(0x51, 0, body))
        for plex_number, plex in enumerate(plexes, start=1):
            component, following = following, following + 1
            body = _number(component) + _text(f"{name}-{plex_number:02d}") + _text("ACTIVE")
            body += (
                bytes([plex.layout]) + bytes(4) + _number(len(plex.extents)) + bytes(16) + _number(volume) + bytes(1)
            )
            flags = 0
            if plex.layout != 2:
                flags = 0x10
                body += _number(128) + _number(len(plex.extents))
            made.append(_record(0x32, flags, body))
            offset = 0
            for index, extent in enumerate(plex.extents, start=1):
                number, following = following, following + 1
                body = _number(number) + _text(f"Disk{extent.disk}-{index:02d}") + bytes(12)
                body += struct.pack(">QQ", extent.start, offset) + _number(extent.sectors)
                body += _number(component) + _number(disks[extent.disk])
                made.append(_record(0x33, 0, body))
                offset += extent.sectors
    return made
