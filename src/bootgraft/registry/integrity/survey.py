"""An integrity check of a whole hive: every bin, every cell and every record once, and what is wrong with them.

What the kernel checks when it loads a hive (ReactOS' sdk/lib/cmlib/cmcheck.c has the checks and codes of NT), and what
it does not check but stumbles over later: a sub-key under a wrong hash is there and never found. Format:
https://github.com/msuhanov/regf. Nothing is written; damage is not raised but told, as defects.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.registry.cells import NIL
from bootgraft.registry.hive import DEPTH_LIMIT, Hive
from bootgraft.registry.integrity.cellmap import CellMap
from bootgraft.registry.integrity.defects import (
    DEFECT_LIMIT,
    Defect,
    DefectKind,
    Defects,
    DefectSeverity,
    FullError,
    Generation,
)
from bootgraft.registry.integrity.keys import Node, read_children, read_node
from bootgraft.registry.integrity.reading import Reading
from bootgraft.registry.integrity.security import check_security
from bootgraft.registry.integrity.values import check_values
from bootgraft.registry.records import KEY_PREDEF_HANDLE

_ROOT_AT = 36  # in the base block

__all__ = [
    "DEFECT_LIMIT",
    "Defect",
    "DefectKind",
    "DefectSeverity",
    "Generation",
    "IntegrityReport",
    "survey",
    "verify",
]


class IntegrityReport(Struct, frozen=True):
    """What an integrity check found. ``free_bytes`` are those of free cells, ``unreachable`` cells in use but lost."""

    defects: tuple[Defect, ...]
    keys: int
    values: int
    bins_size: int
    free_bytes: int
    unreachable: int

    @property
    def sound(self) -> bool:
        """Whether Windows would load all of it, find all of it and have nothing to repair."""
        return all(defect.severity is DefectSeverity.HARMLESS for defect in self.defects)


def verify(hive: Hive, generation: Generation | None = None) -> tuple[Defect, ...]:
    """All that is wrong with a hive as it stands, edits included: at most DEFECT_LIMIT defects and one that says so.

    ``generation`` is that of the Windows that loads it: without one the strictest is meant. Reads all of it. Raises
    HiveError where its bytes cannot be read, never for what they say.
    """
    return survey(hive, generation).defects


def survey(hive: Hive, generation: Generation | None = None) -> IntegrityReport:
    """As :func:`verify`, with what there is: keys, values and room."""
    defects = Defects(generation)
    try:
        reading = Reading(CellMap.of(hive.cells, defects), hive.cells.minor, defects)
    except FullError:
        return IntegrityReport(tuple(defects.found), 0, 0, hive.cells.bins_size, 0, 0)
    count = 0
    try:
        _walk(reading, hive.cells.store.u32(_ROOT_AT))
        count, total, first = reading.map.unreached()
        if count:
            what = f"{count} cells in use ({total} bytes) belong to nothing"
            reading.report_hive(DefectKind.UNREACHABLE, first, what)
    except FullError:
        pass  # the last defect says so
    return IntegrityReport(
        tuple(defects.found), reading.keys, reading.values, reading.map.size, reading.map.free_bytes, count
    )


def _walk(reading: Reading, root: int) -> None:
    """Walk the tree below the key at ``root``, without recursion: keys may be 512 deep."""
    node = read_node(reading, root)
    if node is None:
        reading.report_hive(DefectKind.ROOT_KEY, root, "there is no root key where the base block says")
        return
    pending: list[Iterator[Node]] = [iter(read_whole(reading, node))]
    parents = [root]
    while pending:
        child = next(pending[-1], None)
        if child is None:
            pending.pop()
            parents.pop()
            if reading.names:
                reading.names.pop()
            continue
        reading.names.append(child.name)
        _check_place(reading, child, parents[-1])
        if len(pending) > DEPTH_LIMIT:
            reading.report(DefectKind.KEY_DEPTH, child.offset, f"keys are nested more than {DEPTH_LIMIT} deep")
            reading.names.pop()
            continue
        pending.append(iter(read_whole(reading, child)))
        parents.append(child.offset)
    check_security(reading, node.security)


def _check_place(reading: Reading, node: Node, parent: int) -> None:
    if node.parent != parent:
        reading.report(DefectKind.KEY_PARENT, node.offset, "the key names another parent than the one that lists it")


def read_whole(reading: Reading, node: Node) -> list[Node]:
    """Check one key with its values and lists, and return its sub-keys, of which only the names are checked."""
    reading.keys += 1
    reading.security_users[node.security] += 1
    if node.class_length and node.class_offset != NIL:
        reading.take(node.class_offset, node.class_length, DefectKind.CLASS_NAME, "the class name")
    if node.values and not node.flags & KEY_PREDEF_HANDLE:
        maxima = (node.max_value_name, node.max_value_data)
        check_values(reading, node.offset, node.values, node.value_list, maxima)
    return read_children(reading, node) if node.subkeys else []
