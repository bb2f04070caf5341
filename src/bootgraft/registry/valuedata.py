"""Where a value's bytes lie: inside its record, in one cell, or in the segments of a big-data record (``db``).

Layouts: https://github.com/msuhanov/regf, "Data size" and "Big data". Big data exists since version 1.4, for more
than 16344 bytes. Some writers put more than that into one cell in any version; it is read, as the cell's size tells.
"""

import struct

from msgspec import Struct

from bootgraft.registry.cells import Cells
from bootgraft.registry.records import INLINE, ValueRecord

INLINE_LIMIT = 4
SEGMENT = 16344
"""Bytes in every segment of big data but the last."""
BIG_DATA_MINOR = 4
_DB = struct.Struct("<2sHI")


class BigData(Struct, frozen=True):
    """A big-data record: its own cell is ``offset``; ``segments`` are the cells of the pieces, in order."""

    offset: int
    list_offset: int
    segments: tuple[int, ...]


def length(record: ValueRecord) -> int:
    """Bytes of data that a value has."""
    return record.size & ~INLINE


def read_data(cells: Cells, record: ValueRecord) -> bytes:
    """A value's bytes. Raises HiveError where they are not where the record says."""
    size = length(record)
    if record.size & INLINE:
        if size > INLINE_LIMIT:
            raise cells.damaged(f"the value {record.name!r} says {size} bytes inside its record")
        return record.data.to_bytes(4, "little")[:size]
    if size == 0:
        return b""
    big = read_big(cells, record)
    if big is None:
        return cells.read(record.data, size)
    pieces = [cells.read(offset, min(SEGMENT, size - at * SEGMENT)) for at, offset in enumerate(big.segments)]
    return b"".join(pieces)


def read_big(cells: Cells, record: ValueRecord) -> BigData | None:
    """The big-data record of a value that is too long for its cell; None where the data lies in one cell."""
    size = length(record)
    if size <= cells.capacity(record.data) or size <= SEGMENT or cells.minor < BIG_DATA_MINOR:
        return None
    signature, count, list_offset = _DB.unpack(cells.read(record.data, _DB.size))
    if signature != b"db" or count != -(-size // SEGMENT):
        raise cells.damaged(f"the {size} bytes of the value {record.name!r} are not where its record says")
    segments = struct.unpack(f"<{count}I", cells.read(list_offset, 4 * count))
    if len(set(segments)) != count:
        raise cells.damaged(f"the value {record.name!r} names a segment of its data twice")
    return BigData(record.data, list_offset, segments)
