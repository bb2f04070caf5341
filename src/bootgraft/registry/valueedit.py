"""Changing the values of one key: in place where the bytes fit, else with cells taken and returned."""

import struct

from bootgraft.registry import keyvalues, valuedata
from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.records import (
    INLINE,
    MAX_VALUE_DATA_AT,
    MAX_VALUE_NAME_AT,
    VALUE_COUNT_AT,
    VALUE_LIST_AT,
    VK_SIZE_AT,
    VK_TYPE_AT,
    KeyNode,
    ValueRecord,
    new_value,
    utf16_length,
)
from bootgraft.registry.space import Space
from bootgraft.registry.valuedata import BIG_DATA_MINOR, INLINE_LIMIT, SEGMENT

_SEGMENT_LIMIT = 0xFFFF
_SEGMENT_PADDING = bytes(4)
"""Windows leaves four bytes of each segment's cell unused."""


def set_value(cells: Cells, space: Space, node: KeyNode, name: str, kind: int, data: bytes) -> bool:
    """Give a key a value, new or instead of one of that name; False where it has just this type and data already."""
    record = keyvalues.find_record(cells, node, name)
    if record is None:
        size, place = _store(cells, space, data)
        _list(cells, space, node, space.allocate(new_value(name, kind=kind, size=size, data=place)))
    elif record.type == kind and valuedata.read_data(cells, record) == data:
        return False
    else:
        _replace(cells, space, record, data)
        cells.patch(record.offset, VK_TYPE_AT, _word(kind))
    if utf16_length(name) > node.max_value_name:
        cells.patch(node.offset, MAX_VALUE_NAME_AT, _word(utf16_length(name)))
    if len(data) > node.max_value_data:
        cells.patch(node.offset, MAX_VALUE_DATA_AT, _word(len(data)))
    return True


def delete_value(cells: Cells, space: Space, node: KeyNode, record: ValueRecord) -> None:
    """Take a value out of its key's list and free its cells."""
    left = [offset for offset in keyvalues.value_offsets(cells, node) if offset != record.offset]
    for offset in (*data_cells(cells, record), record.offset):
        space.free(offset)
    cells.patch(node.offset, VALUE_COUNT_AT, _word(len(left)))
    if left:
        cells.patch(node.value_list, 0, _words(left))
        return
    space.free(node.value_list)
    cells.patch(node.offset, VALUE_LIST_AT, _word(NIL))
    cells.patch(node.offset, MAX_VALUE_NAME_AT, bytes(8))


def data_cells(cells: Cells, record: ValueRecord) -> tuple[int, ...]:
    """The cells that hold a value's data and nothing else."""
    if record.size & INLINE or record.size == 0:
        return ()
    big = valuedata.read_big(cells, record)
    return (record.data,) if big is None else (*big.segments, big.list_offset, big.offset)


def _replace(cells: Cells, space: Space, record: ValueRecord, data: bytes) -> None:
    """Give a value other data: in the cells it has where they fit."""
    if _fits(cells, record, len(data)):
        big = valuedata.read_big(cells, record)
        for at, offset in enumerate((record.data,) if big is None else big.segments):
            cells.patch(offset, 0, data if big is None else data[at * SEGMENT : (at + 1) * SEGMENT])
        cells.patch(record.offset, VK_SIZE_AT, _word(len(data)))
        return
    old = data_cells(cells, record)
    size, place = _store(cells, space, data)
    cells.patch(record.offset, VK_SIZE_AT, _words([size, place]))
    for offset in old:
        space.free(offset)


def _fits(cells: Cells, record: ValueRecord, size: int) -> bool:
    """Whether data of ``size`` bytes belongs where a value's present data lies, without wasting most of a cell."""
    if record.size & INLINE or record.size == 0 or size <= INLINE_LIMIT:
        return False
    if size > SEGMENT and cells.minor >= BIG_DATA_MINOR:
        return size == record.size and valuedata.read_big(cells, record) is not None
    return size <= cells.capacity(record.data) <= 2 * size + 8 and valuedata.read_big(cells, record) is None


def _store(cells: Cells, space: Space, data: bytes) -> tuple[int, int]:
    """Put data where its size asks for, and return the size and data fields of its value's record."""
    if len(data) <= INLINE_LIMIT:
        return len(data) | INLINE, int.from_bytes(data.ljust(4, b"\0"), "little")
    if len(data) <= SEGMENT or cells.minor < BIG_DATA_MINOR:
        return len(data), space.allocate(data)
    pieces = [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]
    if len(pieces) > _SEGMENT_LIMIT:
        raise cells.damaged(f"a value of {len(data)} bytes is too long for a registry hive")
    segments = [space.allocate(piece + _SEGMENT_PADDING) for piece in pieces]
    listed = space.allocate(_words(segments))
    return len(data), space.allocate(struct.pack("<2sHI", b"db", len(pieces), listed))


def _list(cells: Cells, space: Space, node: KeyNode, value: int) -> None:
    """Add a value record behind the last one of a key's list, in place where the list's cell has room."""
    offsets = keyvalues.value_offsets(cells, node)
    data = _words([*offsets, value])
    if offsets and len(data) <= cells.capacity(node.value_list):
        cells.patch(node.value_list, 0, data)
    else:
        cells.patch(node.offset, VALUE_LIST_AT, _word(space.allocate(data)))
        if offsets:
            space.free(node.value_list)
    cells.patch(node.offset, VALUE_COUNT_AT, _word(len(offsets) + 1))


def _words(numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _word(number: int) -> bytes:
    return number.to_bytes(4, "little")
