"""The values of one key, as its value list names them. Reading only; see ``edit`` for the rest."""

import struct
from collections.abc import Iterator

from bootgraft.registry import valuedata
from bootgraft.registry.cells import Cells
from bootgraft.registry.records import KeyNode, ValueRecord, read_value
from bootgraft.registry.upcase import upcase


def value_offsets(cells: Cells, node: KeyNode) -> tuple[int, ...]:
    """Cells of the value records, in the order of the list. Raises HiveError where one is named twice."""
    count = node.value_count
    if count == 0:
        return ()
    offsets: tuple[int, ...] = struct.unpack(f"<{count}I", cells.read(node.value_list, 4 * count))
    if len(set(offsets)) != count:
        raise cells.damaged(f"the key {node.name!r} lists a value twice")
    return offsets


def records(cells: Cells, node: KeyNode) -> Iterator[ValueRecord]:
    """All value records of a key; together they cannot hold more bytes than the hive has."""
    total = 0
    for offset in value_offsets(cells, node):
        record = read_value(cells, offset)
        total += valuedata.length(record)
        if total > cells.bins_size:
            raise cells.damaged(f"the values of the key {node.name!r} hold more bytes than the hive")
        yield record


def find_record(cells: Cells, node: KeyNode, name: str) -> ValueRecord | None:
    """The first value of that name, without regard to case."""
    wanted = upcase(name)
    for offset in value_offsets(cells, node):
        record = read_value(cells, offset)
        if record.name == name or upcase(record.name) == wanted:
            return record
    return None
