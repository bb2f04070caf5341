"""Transaction logs as Windows writes them, from the format's public description; bootgraft itself only reads them.

https://github.com/msuhanov/regf, "Format of transaction log files". ``before`` and ``after`` are whole hive files.
"""

import struct
from collections.abc import Sequence

from msgspec import Struct

from bootgraft.registry.logs.marvin32 import marvin32

PAGE, SECTOR, BASE = 4096, 512, 4096
OLD, OLDEST, NEW = 1, 2, 6


def bins_of(hive: bytes) -> bytes:
    """The bins' data, without what a file may have behind it."""
    return hive[BASE : BASE + struct.unpack_from("<I", hive, 40)[0]]


def sealed(block: bytes | bytearray) -> bytes:
    """A base block with the right checksum."""
    block = bytearray(block)
    total = 0
    for word in struct.unpack_from("<127I", block):
        total ^= word
    struct.pack_into("<I", block, 508, {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total))
    return bytes(block)


def rebased(hive: bytes, *, primary: int, secondary: int, timestamp: int | None = None, kind: int = 0) -> bytes:
    """A hive (or its base block alone) with other sequence numbers, timestamp and file type."""
    data = bytearray(hive)
    struct.pack_into("<II", data, 4, primary, secondary)
    if timestamp is not None:
        struct.pack_into("<Q", data, 12, timestamp)
        if len(data) > BASE:
            struct.pack_into("<Q", data, BASE + 20, timestamp)
    struct.pack_into("<I", data, 28, kind)
    return sealed(data[:SECTOR]) + bytes(data[SECTOR:])


def dirty_pages(before: bytes, after: bytes, size: int = PAGE) -> list[int]:
    """Offsets in the bins' data of the pages of ``size`` bytes that differ."""
    old, new = bins_of(before), bins_of(after)
    return [at for at in range(0, len(new), size) if old[at : at + size] != new[at : at + size]]


def old_log(before: bytes, after: bytes, *, sequence: int, kind: int = OLD, cluster: int = 1) -> bytes:
    """The log of one write in the old format; it belongs to a hive with the timestamp of ``after``."""
    block = bytearray(rebased(after[:SECTOR], primary=sequence, secondary=sequence, kind=kind))
    struct.pack_into("<I", block, 44, cluster)
    sector = cluster * SECTOR
    bins = bins_of(after)
    vector = bytearray(len(bins) // SECTOR // 8)
    pages = b""
    for at in dirty_pages(before, after):
        vector[at // PAGE] = 0xFF
        pages += bins[at : at + PAGE]
    head = sealed(block).ljust(sector, b"\0") + b"DIRT" + vector
    return head.ljust(-(-len(head) // sector) * sector, b"\0") + pages


class Write(Struct, frozen=True):
    """One transaction: from one state of a hive to the next."""

    before: bytes
    after: bytes
    sequence: int
    flags: int = 0


def entry(write: Write) -> bytes:
    """One entry of a log in the new format, its size a multiple of 512."""
    bins = bins_of(write.after)
    pages = dirty_pages(write.before, write.after) or [0]
    content = b"".join(struct.pack("<II", at, PAGE) for at in pages)
    content += b"".join(bins[at : at + PAGE] for at in pages)
    size = -(-(40 + len(content)) // SECTOR) * SECTOR
    return hashed(struct.pack("<IIIII", size, write.flags, write.sequence, len(bins), len(pages)), content, size)


def hashed(numbers: bytes, content: bytes, size: int) -> bytes:
    """An entry made of its five numbers (from the size on) and its content, with right checksums."""
    content = content.ljust(size - 40, b"\0")
    head = b"HvLE" + numbers + struct.pack("<Q", marvin32(content))
    return head + struct.pack("<Q", marvin32(head)) + content


def new_log(writes: Sequence[Write], *, behind: bytes = b"") -> bytes:
    """A log in the new format; ``behind`` is what an earlier use of the file left behind the last entry."""
    first = writes[0]
    block = rebased(first.before[:SECTOR], primary=first.sequence, secondary=first.sequence, kind=NEW)
    return block + b"".join(map(entry, writes)) + behind
