"""Edits of a hive in memory: each either happens whole or leaves everything as it was.

The keys an edit touched are remembered, to get their timestamp when the hive is written.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from bootgraft.errors import HiveError
from bootgraft.registry import keyvalues, listedit, lists, security, valueedit
from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.records import KEY_PREDEF_HANDLE, TIMESTAMP_AT, KeyNode, new_key, read_key, utf16_length
from bootgraft.registry.space import Space
from bootgraft.registry.upcase import is_portable

_KEY_NAME_LIMIT = 255
_VALUE_NAME_LIMIT = 16383
_LARGEST_TYPE = 0xFFFFFFFF


class _Tree(Struct):
    """What belongs to a key and everything below it: cells to free, and keys counted by security cell."""

    cells: set[int] = field(default_factory=set)
    keys: set[int] = field(default_factory=set)
    security: Counter[int] = field(default_factory=Counter)


class Editor:
    """Edits by cell offset. Every method raises HiveError for damage in what it has to touch, and changes nothing."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._space = Space(cells)
        self._touched: set[int] = set()

    def create(self, parent: int, names: list[str]) -> int:
        """Create keys below ``parent``, each below the one before, and return the last one's offset."""
        for name in names:
            self._check_key_name(name)
        with self._whole():
            for name in names:
                node = read_key(self._cells, parent)
                child = self._space.allocate(new_key(name, parent=node))
                security.add_key(self._cells, node.security)
                listedit.insert(self._cells, self._space, node, name, child)
                self._touched.update((parent, child))
                parent = child
        return parent

    def set_value(self, key: int, name: str, kind: int, data: bytes) -> None:
        """Set a value of a key; the same type and data as it has is no change."""
        if utf16_length(name) > 2 * _VALUE_NAME_LIMIT or not 0 <= kind <= _LARGEST_TYPE:
            raise self._refused(f"the value {name[:40]!r} of type {kind} cannot be stored in a registry hive")
        with self._whole():
            node = self._with_values(key)
            if valueedit.set_value(self._cells, self._space, node, name, kind, data):
                self._touched.add(key)

    def delete_value(self, key: int, name: str) -> None:
        """Delete a value of a key; that there is none of that name is no change."""
        with self._whole():
            node = self._with_values(key)
            record = keyvalues.find_record(self._cells, node, name)
            if record is not None:
                valueedit.delete_value(self._cells, self._space, node, record)
                self._touched.add(key)

    def delete_key(self, key: int) -> None:
        """Delete a key with all that is below it; every cell is returned."""
        with self._whole():
            node = read_key(self._cells, key)
            tree = self._collect(node)
            listedit.remove(self._cells, self._space, read_key(self._cells, node.parent), key)
            for offset in sorted(tree.cells):
                self._space.free(offset)
            for offset, count in tree.security.items():
                security.remove_keys(self._cells, self._space, offset, count)
            self._touched -= tree.keys
            self._touched.add(node.parent)

    def stamp(self, filetime: int) -> None:
        """Give every touched key its last-written time."""
        for key in self._touched:
            self._cells.patch(key, TIMESTAMP_AT, filetime.to_bytes(8, "little"))
        self._touched.clear()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Undo what was done inside when it fails."""
        bins_size, touched = self._cells.bins_size, set(self._touched)
        self._cells.store.begin()
        done = False
        try:
            yield
            done = True
        finally:
            if done:
                self._cells.store.accept()
            else:
                self._cells.store.rollback()
                self._cells.set_bins_size(bins_size)
                self._space.forget()
                self._touched = touched

    def _collect(self, top: KeyNode) -> _Tree:
        """Find every cell of a tree before any is freed; a cell that two owners claim is damage."""
        tree = _Tree()
        pending = [top]
        while pending:
            node = pending.pop()
            tree.keys.add(node.offset)
            tree.security[node.security] += 1
            for offset in self._cells_of(node):
                if offset in tree.cells:
                    raise self._cells.damaged(f"the cell at 0x{offset:x} has two owners below {top.name!r}")
                tree.cells.add(offset)
            pending.extend(lists.children(self._cells, node))
        return tree

    def _cells_of(self, node: KeyNode) -> Iterator[int]:
        """All cells that belong to one key alone, without its sub-keys'."""
        yield node.offset
        if node.class_offset != NIL and node.class_length:
            yield node.class_offset
        known = lists.read_list(self._cells, node)
        if known.root is not None:
            yield known.root
        yield from (leaf.offset for leaf in known.leaves)
        if node.value_count:
            yield node.value_list
        for record in keyvalues.records(self._cells, node):
            yield record.offset
            yield from valueedit.data_cells(self._cells, record)

    def _with_values(self, key: int) -> KeyNode:
        node = read_key(self._cells, key)
        if node.flags & KEY_PREDEF_HANDLE:
            raise self._refused(f"the key {node.name!r} stands for a predefined handle and has no values")
        return node

    def _check_key_name(self, name: str) -> None:
        if not name or "\\" in name or utf16_length(name) > 2 * _KEY_NAME_LIMIT:
            raise self._refused(f"{name[:40]!r} cannot be a key's name")
        if not is_portable(name):
            raise self._refused(
                f"Windows versions disagree about the upper case of {name!r}; a key of that name could be lost"
            )

    def _refused(self, what: str) -> HiveError:
        return HiveError(what, where=self._cells.name, advice="Use another name; the hive was not changed")
