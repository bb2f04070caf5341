"""A registry hive file: opened, walked, edited in memory, and written back page by page.

``Hive.open`` reads the base block only; keys and values are read when they are asked for. Edits live in memory
until ``commit``, which writes the changed pages and, last of all, the base block. Format:
https://github.com/msuhanov/regf, "Windows registry file format specification".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bootgraft.errors import HiveError
from bootgraft.registry import baseblock, keyvalues, lists, valuedata
from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.pages import PagedStore, Storage
from bootgraft.registry.records import KEY_HIVE_ENTRY, KeyNode, ValueRecord, read_key
from bootgraft.registry.values import Value, decode_utf16

__all__ = ["DEPTH_LIMIT", "Hive", "Key", "Storage", "Value"]

DEPTH_LIMIT = 512
"""Levels of keys below the root that Windows allows."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it was when it was looked up; its sub-keys and values are read anew each time.

    ``path`` counts from the hive's root, whose own path is empty; ``last_written`` is a FILETIME (100 ns since
    1601). Every method raises HiveError for damage, and for a key that was deleted since.
    """

    hive: "Hive"
    offset: int
    path: str
    name: str
    last_written: int

    def key(self, name: str) -> "Key | None":
        """The sub-key of that name, without regard to case."""
        child = lists.find(self.hive.cells, self.node(), name)
        return None if child is None else self._child(child)

    def keys(self) -> "Iterator[Key]":
        """All sub-keys, ascending by upper-case name."""
        return map(self._child, lists.children(self.hive.cells, self.node()))

    def value(self, name: str) -> Value | None:
        """The value of that name, without regard to case; the empty name is the default value."""
        record = keyvalues.find_record(self.hive.cells, self.node(), name)
        return None if record is None else _value(self.hive.cells, record)

    def values(self) -> Iterator[Value]:
        """All values, in the order in which they were created."""
        return (_value(self.hive.cells, record) for record in keyvalues.records(self.hive.cells, self.node()))

    def class_name(self) -> str:
        """The key's class, empty for nearly every key."""
        node = self.node()
        if node.class_offset == NIL or node.class_length == 0:
            return ""
        return decode_utf16(self.hive.cells.read(node.class_offset, node.class_length))

    def node(self) -> KeyNode:
        """The key's record as it stands now."""
        node = read_key(self.hive.cells, self.offset)
        if node.name != self.name:
            raise HiveError(
                f"the key {self.path!r} was deleted meanwhile",
                where=self.hive.name,
                advice="Look the key up again after deleting",
            )
        return node

    def _child(self, node: KeyNode) -> "Key":
        path = f"{self.path}\\{node.name}" if self.path else node.name
        if path.count("\\") >= DEPTH_LIMIT:
            raise self.hive.cells.damaged(f"keys are nested more than {DEPTH_LIMIT} deep")
        return Key(self.hive, node.offset, path, node.name, node.last_written)


class Hive:
    """One hive. Open it with :meth:`open`."""

    def __init__(self, store: PagedStore, base: baseblock.BaseBlock, *, name: str) -> None:
        self.name = name
        self.cells = Cells(store, bins_size=base.bins_size, minor=base.minor, name=name)
        self._store = store
        self._base = base

    @classmethod
    def open(cls, storage: Storage, *, name: str) -> "Hive":
        """Open a hive file; ``name`` is what errors say it is called.

        Raises:
            DirtyHiveError: transactions are pending; nothing may be read or written before they are replayed.
            HiveError: it is damaged or no hive.
        """
        store = PagedStore(storage, name=name)
        sector = store.read(0, min(baseblock.SECTOR, store.file_size))
        return cls(store, baseblock.parse(sector, file_size=store.file_size, name=name), name=name)

    @property
    def version(self) -> int:
        """The minor version: 3 to 6 for hives written since NT 4."""
        return self._base.minor

    @property
    def root(self) -> Key:
        """The root key."""
        node = read_key(self.cells, self._base.root)
        if not node.flags & KEY_HIVE_ENTRY:
            raise self.cells.damaged("the root key is not marked as one")
        return Key(self, node.offset, "", node.name, node.last_written)

    def key(self, path: str) -> Key | None:
        """The key at a path such as ``ControlSet001\\Services\\atapi``, without regard to case; empty is the root."""
        key: Key | None = self.root
        for name in filter(None, path.split("\\")):
            if key is None:
                return None
            key = key.key(name)
        return key


def _value(cells: Cells, record: ValueRecord) -> Value:
    return Value(record.name, record.type, valuedata.read_data(cells, record))
