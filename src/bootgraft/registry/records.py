"""The records in cells: key nodes (``nk``) and values (``vk``), as they stand on disk.

Layouts: https://github.com/msuhanov/regf, "Key node" and "Key value". Fields are changed by patching the cell at
the ``…_AT`` offsets below, so that everything else in a record stays as Windows wrote it.
"""

import struct

from msgspec import Struct

from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.values import decode_utf16

KEY_SYM_LINK = 0x10
KEY_COMP_NAME = 0x20
KEY_PREDEF_HANDLE = 0x40
VALUE_COMP_NAME = 0x01
INLINE = 0x8000_0000

TIMESTAMP_AT = 4
SUBKEY_COUNT_AT = 20
SUBKEY_LIST_AT = 28
VALUE_COUNT_AT = 36
VALUE_LIST_AT = 40
MAX_NAME_AT = 52  # 16 bits; the upper half of the word holds virtualization flags since Vista
MAX_CLASS_AT = 56
MAX_VALUE_NAME_AT = 60
MAX_VALUE_DATA_AT = 64

VK_SIZE_AT = 4
VK_TYPE_AT = 12

_NK = struct.Struct("<2sHQ10IHBB4IHH")
_VK = struct.Struct("<2sHIIIHH")
NK_SIZE = _NK.size
VK_SIZE = _VK.size
_USUAL_NAME = 128
_LONGEST_KEY_NAME = 512
"""Bytes: 255 characters is Windows' limit for a key's name."""
_RECURSE = 0x8


class KeyNode(Struct, frozen=True):
    """A key node; ``…_list``, ``security`` and ``parent`` are cell offsets, ``max_…`` bytes of UTF-16."""

    offset: int
    name: str
    flags: int
    last_written: int
    parent: int
    subkey_count: int
    subkey_list: int
    value_count: int
    value_list: int
    security: int
    class_offset: int
    class_length: int
    max_name: int
    virtualization: int
    max_value_name: int
    max_value_data: int


class ValueRecord(Struct, frozen=True):
    """A value's record; ``size`` still carries the INLINE bit, ``data`` is a cell offset or the inline bytes."""

    offset: int
    name: str
    type: int
    size: int
    data: int


def read_key(cells: Cells, offset: int) -> KeyNode:
    """Read the key node in the cell at ``offset``. Raises HiveError where there is none."""
    known = cells.parsed.get(offset)
    if isinstance(known, KeyNode):
        return known
    node = _parse_key(cells, offset)
    cells.parsed[offset] = node
    return node


def _parse_key(cells: Cells, offset: int) -> KeyNode:
    raw = cells.read_up_to(offset, NK_SIZE + _USUAL_NAME)
    if len(raw) < NK_SIZE or raw[:2] != b"nk":
        raise cells.damaged(f"there is no key in the cell at 0x{offset:x}")
    (
        _, flags, written, _, parent, subkeys, _, subkey_list, _, values, value_list, security, class_offset,
        max_name, virtualization, _, _, max_value_name, max_value_data, _, name_length, class_length,
    ) = _NK.unpack_from(raw)  # fmt: skip
    if name_length > _LONGEST_KEY_NAME:
        raise cells.damaged(f"the key at 0x{offset:x} has a name of {name_length} bytes")
    name = raw[NK_SIZE : NK_SIZE + name_length]
    if len(name) < name_length:
        name = cells.read(offset, name_length, NK_SIZE)
    return KeyNode(
        offset=offset,
        name=_decode(cells, name, compressed=bool(flags & KEY_COMP_NAME), offset=offset),
        flags=flags,
        last_written=written,
        parent=parent,
        subkey_count=subkeys,
        subkey_list=subkey_list,
        value_count=0 if flags & KEY_PREDEF_HANDLE else values,
        value_list=value_list,
        security=security,
        class_offset=class_offset,
        class_length=class_length,
        max_name=max_name,
        virtualization=virtualization,
        max_value_name=max_value_name,
        max_value_data=max_value_data,
    )


def read_value(cells: Cells, offset: int) -> ValueRecord:
    """Read the value record in the cell at ``offset``. Raises HiveError where there is none."""
    known = cells.parsed.get(offset)
    if isinstance(known, ValueRecord):
        return known
    record = _parse_value(cells, offset)
    cells.parsed[offset] = record
    return record


def _parse_value(cells: Cells, offset: int) -> ValueRecord:
    raw = cells.read_up_to(offset, VK_SIZE + _USUAL_NAME)
    if len(raw) < VK_SIZE or raw[:2] != b"vk":
        raise cells.damaged(f"there is no value in the cell at 0x{offset:x}")
    _, name_length, size, data, kind, flags, _ = _VK.unpack_from(raw)
    name = raw[VK_SIZE : VK_SIZE + name_length]
    if len(name) < name_length:
        name = cells.read(offset, name_length, VK_SIZE)
    decoded = _decode(cells, name, compressed=bool(flags & VALUE_COMP_NAME), offset=offset)
    return ValueRecord(offset, decoded, kind, size, data)


def new_key(name: str, *, parent: KeyNode) -> bytes:
    """The data of a new key's cell: no sub-keys, no values, its parent's security, no class."""
    stored, compressed = _encode(name)
    # A parent marked so passes its virtualization flags on to new children (REG_KEY_RECURSE_FLAG).
    virtualization = parent.virtualization & 0xF if parent.virtualization & _RECURSE else 0
    return (
        _NK.pack(
            b"nk", KEY_COMP_NAME if compressed else 0, 0, 0, parent.offset, 0, 0, NIL, NIL, 0, NIL, parent.security,
            NIL, 0, virtualization, 0, 0, 0, 0, 0, len(stored), 0,
        )
        + stored
    )  # fmt: skip


def new_value(name: str, *, kind: int, size: int, data: int) -> bytes:
    """The data of a new value's cell."""
    stored, compressed = _encode(name)
    return _VK.pack(b"vk", len(stored), size, data, kind, VALUE_COMP_NAME if compressed and name else 0, 0) + stored


def utf16_length(name: str) -> int:
    """Bytes that a name takes in UTF-16."""
    return len(name.encode("utf-16-le", "surrogatepass"))


def _encode(name: str) -> tuple[bytes, bool]:
    """A name as it is stored, and whether as one byte for each character."""
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return name.encode("utf-16-le", "surrogatepass"), False


def _decode(cells: Cells, raw: bytes, *, compressed: bool, offset: int) -> str:
    if compressed:
        return raw.decode("latin-1")
    if len(raw) % 2:
        raise cells.damaged(f"the name in the cell at 0x{offset:x} has half a character")
    return decode_utf16(raw)
