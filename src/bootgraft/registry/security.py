"""Security cells (``sk``): descriptors that keys share, counted, in one ring through the whole hive.

A new key uses its parent's. Descriptors themselves are never changed. Layout: https://github.com/msuhanov/regf,
"Key security".
"""

import struct

from msgspec import Struct

from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.space import Space

_SK = struct.Struct("<2sHIII")
_NEXT_AT = 4
_PREVIOUS_AT = 8
_COUNT_AT = 12
_LARGEST_COUNT = 0xFFFFFFFF


class SecurityRecord(Struct, frozen=True):
    """A security cell: its neighbours in the ring, and how many keys use it."""

    offset: int
    following: int
    previous: int
    count: int


def read_security(cells: Cells, offset: int) -> SecurityRecord:
    """Read the security cell at ``offset``. Raises HiveError where there is none."""
    signature, _, following, previous, count = _SK.unpack(cells.read(offset, _SK.size))
    if signature != b"sk":
        raise cells.damaged(f"there is no security descriptor in the cell at 0x{offset:x}")
    return SecurityRecord(offset, following, previous, count)


def add_key(cells: Cells, offset: int) -> None:
    """Count one more key that uses a descriptor; nothing to do for a key that has none."""
    if offset == NIL:
        return
    record = read_security(cells, offset)
    if record.count == _LARGEST_COUNT:
        raise cells.damaged(f"the security descriptor at 0x{offset:x} says it is used by {record.count} keys")
    cells.patch(offset, _COUNT_AT, _word(record.count + 1))


def remove_keys(cells: Cells, space: Space, offset: int, keys: int) -> None:
    """Count ``keys`` fewer; a descriptor that nobody uses any more leaves the ring and is freed."""
    if offset == NIL:
        return
    record = read_security(cells, offset)
    if record.count < keys:
        raise cells.damaged(f"the security descriptor at 0x{offset:x} is used by more keys than it counts")
    if record.count > keys:
        cells.patch(offset, _COUNT_AT, _word(record.count - keys))
        return
    following, previous = read_security(cells, record.following), read_security(cells, record.previous)
    if following.previous != offset or previous.following != offset:
        raise cells.damaged(f"the ring of security descriptors is broken at 0x{offset:x}")
    cells.patch(previous.offset, _NEXT_AT, _word(following.offset))
    cells.patch(following.offset, _PREVIOUS_AT, _word(previous.offset))
    space.free(offset)


def _word(number: int) -> bytes:
    return number.to_bytes(4, "little")
