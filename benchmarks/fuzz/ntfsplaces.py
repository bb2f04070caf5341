"""Where the structures of a sound NTFS volume lie, found by a reader of its own, as small as the seeds allow.

Sources: the headers of libntfs-3g-dev (layout.h, logfile.h).
"""

import struct
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

RECORD = 1024
_LIST, _NAME, _DATA, _ROOT, _ALLOCATION, _REPARSE, _END = 0x20, 0x30, 0x80, 0x90, 0xA0, 0xC0, 0xFFFFFFFF
_LOG, _BITMAP, _UPCASE, _SECURE = 2, 6, 10, 9
_FIRST_USER = 16
_RESTART_PAGES = 2
_RAW_LIMIT = 64 * 1024
"""Bytes at the beginning of a stretch of content that are worth changing."""


class Kind(StrEnum):
    """What lies at a place, which says how it is changed."""

    BOOT = "boot sector"
    SYSTEM = "MFT record of NTFS's own"
    RECORD = "MFT record"
    INDEX = "index buffer"
    RESTART = "restart page"
    BITMAP = "cluster bitmap"
    UPCASE = "upper case table"
    SECURITY = "security descriptors"
    LIST = "attribute list"
    WOF = "compressed content"
    CONTENT = "content"


class Place(Struct, frozen=True):
    """A structure: offset and length in bytes."""

    kind: Kind
    offset: int
    length: int


class Attribute(Struct, frozen=True):
    """One in a record: where its header begins there, its type, length and whether its value lies elsewhere."""

    at: int
    type: int
    length: int
    non_resident: bool


def places(volume: bytes) -> dict[Kind, list[Place]]:
    """All places of a volume, by kind."""
    found: dict[Kind, list[Place]] = {}
    for each in _places(volume):
        found.setdefault(each.kind, []).append(each)
    return found


def _places(volume: bytes) -> Iterator[Place]:
    cluster = volume[0x0D] * int.from_bytes(volume[0x0B:0x0D], "little")
    yield Place(Kind.BOOT, 0, 0x54)
    mft, mirror = (at * cluster for at in struct.unpack_from("<QQ", volume, 0x30))
    for number in range(4):
        yield Place(Kind.SYSTEM, mirror + number * RECORD, RECORD)
    first = volume[mft : mft + RECORD]
    table = [span for each in attributes(first) if each.type == _DATA for span in runs(first, each, cluster)]
    records = [at for start, length in table for at in range(start, start + length, RECORD)]
    for number, at in enumerate(records):
        record = unfixed(volume[at : at + RECORD])
        if record[:4] != b"FILE" or not record[0x16] & 1:
            continue
        yield Place(Kind.SYSTEM if number < _FIRST_USER else Kind.RECORD, at, RECORD)
        for attribute in attributes(record):
            if attribute.non_resident:
                yield from _elsewhere(number, record, attribute, cluster)


def _elsewhere(number: int, record: bytes, attribute: Attribute, cluster: int) -> Iterator[Place]:
    spans = list(runs(record, attribute, cluster))
    if attribute.type == _ALLOCATION:
        for start, length in spans:
            yield from (Place(Kind.INDEX, at, 4096) for at in range(start, start + length, 4096))
    elif attribute.type == _DATA and number == _LOG:
        yield from (Place(Kind.RESTART, spans[0][0] + page * 4096, 4096) for page in range(_RESTART_PAGES))
    elif attribute.type == _LIST:
        yield from (Place(Kind.LIST, start, length) for start, length in spans)
    elif attribute.type == _DATA and number:
        kinds = {_BITMAP: Kind.BITMAP, _UPCASE: Kind.UPCASE, _SECURE: Kind.SECURITY}
        name = record[attribute.at + 9]
        kind = kinds.get(number, Kind.WOF if name else Kind.CONTENT)
        yield from (Place(kind, start, min(length, _RAW_LIMIT)) for start, length in spans)


def attributes(record: bytes | bytearray) -> Iterator[Attribute]:
    """The attributes of a record whose update sequence was undone, as far as they make sense."""
    at = int.from_bytes(record[0x14:0x16], "little")
    while at + 0x18 <= len(record):
        kind, length = struct.unpack_from("<II", record, at)
        if kind == _END or length < 0x18 or at + length > len(record):
            return
        yield Attribute(at, kind, length, bool(record[at + 8]))
        at += length


def runs(record: bytes, attribute: Attribute, cluster: int) -> Iterator[tuple[int, int]]:
    """(offset, length) in bytes of an attribute's clusters, holes left out."""
    at = attribute.at + int.from_bytes(record[attribute.at + 0x20 : attribute.at + 0x22], "little")
    place = 0
    while record[at]:
        length_size, delta_size = record[at] & 15, record[at] >> 4
        length = int.from_bytes(record[at + 1 : at + 1 + length_size], "little")
        delta = record[at + 1 + length_size : at + 1 + length_size + delta_size]
        at += 1 + length_size + delta_size
        place += int.from_bytes(delta, "little", signed=True)
        if delta_size:
            yield place * cluster, length * cluster


def unfixed(block: bytes) -> bytes:
    """A record, index buffer or restart page with the ends of its sectors as they were before it was written."""
    at, count = struct.unpack_from("<HH", block, 4)
    if not count or at + 2 * count > len(block) or (count - 1) * 512 > len(block):
        return block
    data = bytearray(block)
    for sector in range(1, count):
        data[sector * 512 - 2 : sector * 512] = block[at + 2 * sector : at + 2 * sector + 2]
    return bytes(data)


def fixed(block: bytes) -> bytes:
    """The same made ready for the disk: the ends of its sectors are in the update sequence."""
    at, count = struct.unpack_from("<HH", block, 4)
    if not count or at + 2 * count > len(block) or (count - 1) * 512 > len(block):
        return block
    data = bytearray(block)
    number = block[at : at + 2]
    for sector in range(1, count):
        data[at + 2 * sector : at + 2 * sector + 2] = data[sector * 512 - 2 : sector * 512]
        data[sector * 512 - 2 : sector * 512] = number
    return bytes(data)
