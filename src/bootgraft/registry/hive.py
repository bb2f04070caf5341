"""A registry hive file: opened, walked, edited in memory, and written back page by page.

``Hive.open`` reads the base block only; keys and values are read when they are asked for. Edits live in memory
until ``commit``, which writes the changed pages and, last of all, the base block. Format:
https://github.com/msuhanov/regf, "Windows registry file format specification".
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.errors import HiveError
from bootgraft.registry import alternate as alternates
from bootgraft.registry import baseblock, keyvalues, lists, valuedata
from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.pages import PagedStore, Storage
from bootgraft.registry.records import KeyNode, ValueRecord, read_key
from bootgraft.registry.values import Value, decode_utf16

if TYPE_CHECKING:  # a clean hive that is only read needs nothing of them
    from bootgraft.registry.edit import Editor
    from bootgraft.registry.logs.recovery import Recovery

__all__ = ["DEPTH_LIMIT", "Hive", "Key", "Storage", "Value"]

DEPTH_LIMIT = 512
"""Levels of keys below the root that Windows allows."""


class Key(Struct, frozen=True):
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

    def walk(self) -> "Iterator[Key]":
        """The key itself and everything below it, parents first; without recursion, as keys may be 512 deep."""
        pending = [self]
        while pending:
            key = pending.pop()
            yield key
            pending.extend(reversed(tuple(key.keys())))

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

    def __init__(
        self,
        storage: Storage,
        store: PagedStore,
        base: baseblock.BaseBlock,
        *,
        name: str,
        pending: "Recovery | None",
        alternate: Storage | None,
    ) -> None:
        self.name = name
        self.pending = pending  # what was replayed over the file and is not in it yet; None for a hive that lies clean
        self._storage = storage
        self._alternate = alternate
        self.cells = Cells(store, bins_size=base.bins_size, minor=base.minor, root=base.root, name=name)
        self._store = store
        self._base = base

    @classmethod
    def open(
        cls, storage: Storage, *, name: str, pending: "Recovery | None" = None, alternate: Storage | None = None
    ) -> "Hive":
        """Open a hive file; ``name`` is what errors say it is called.

        A dirty hive is opened through ``recovery.recover``, which gives ``storage`` and ``pending``. ``alternate`` is
        the SYSTEM.ALT that a commit brings into line, where the Windows is one that has such a file.

        Raises:
            DirtyHiveError: transactions are pending; nothing may be read or written before they are replayed.
            HiveError: it is damaged or no hive.
        """
        store = PagedStore(storage, name=name)
        sector = store.read(0, min(baseblock.SECTOR, store.file_size))
        base = baseblock.parse(sector, file_size=store.file_size, name=name)
        return cls(storage, store, base, name=name, pending=pending, alternate=alternate)

    @property
    def version(self) -> int:
        """The minor version: 3 to 6 for hives written since NT 4."""
        return self._base.minor

    @property
    def root(self) -> Key:
        """The root key."""
        node = read_key(self.cells, self._base.root)  # its flags say nothing: Windows sets them when it loads the hive
        return Key(self, node.offset, "", node.name, node.last_written)

    def key(self, path: str) -> Key | None:
        """The key at a path such as ``ControlSet001\\Services\\atapi``, without regard to case; empty is the root."""
        key, missing = self._reach(path)
        return None if missing else key

    @cached_property
    def _editor(self) -> "Editor":
        from bootgraft.registry.edit import Editor  # most hives are only read

        return Editor(self.cells)

    @property
    def is_changed(self) -> bool:
        """Whether a commit would write anything."""
        return self._store.is_changed

    @property
    def keeps_alternate(self) -> bool:
        """Whether a commit also brings the SYSTEM.ALT beside the hive into line."""
        return self._alternate is not None and self.version <= alternates.LAST_VERSION

    def create_key(self, path: str) -> Key:
        """Create the key at ``path`` and those above it that are missing; one that exists is returned unchanged.

        A new key has its parent's security. Raises HiveError for a name that Windows would not take or not find.
        """
        key, missing = self._reach(path)
        if not missing:
            return key
        if sum(1 for name in path.split("\\") if name) > DEPTH_LIMIT:
            raise self._refused(f"keys cannot be nested more than {DEPTH_LIMIT} deep")
        self._editor.create(key.offset, missing)
        return self._existing(path)

    def set_value(self, path: str, name: str, kind: int, data: bytes) -> None:
        """Set a value of an existing key. Giving a value the type and data that it has changes nothing."""
        self._editor.set_value(self._existing(path).offset, name, kind, data)

    def delete_value(self, path: str, name: str) -> None:
        """Delete a value; neither a missing value nor a missing key is an error."""
        key = self.key(path)
        if key is not None:
            self._editor.delete_value(key.offset, name)

    def delete_key(self, path: str) -> None:
        """Delete a key and everything below it; a missing key is no error, the root cannot be deleted."""
        key = self.key(path)
        if key is None:
            return
        if not key.path:
            raise self._refused("the root key cannot be deleted")
        self._editor.delete_key(key.offset)

    def commit(self, *, filetime: int) -> None:
        """Write what changed: pages, then new bins, and the base block last; nothing where nothing changed.

        ``filetime`` (100 ns since 1601) becomes the time of the hive and of every key that was edited. Both
        sequence numbers become the old one plus one. With the edits goes what was pending in the hive's logs.
        """
        if self.is_changed:
            self._write(filetime)

    def settle(self, *, filetime: int) -> None:
        """Commit, and where nothing was edited still write what was pending in the hive's logs into it."""
        if self.is_changed or self.pending is not None:
            self._write(filetime)

    def _write(self, filetime: int) -> None:
        self._editor.stamp(filetime)
        self._store.write(baseblock.FIRST_BIN_TIMESTAMP, filetime.to_bytes(8, "little"))
        self._store.write_back(limit=baseblock.BASE_SIZE + self.cells.bins_size)
        sequence = (self._base.primary + 1) & 0xFFFFFFFF
        sector = self._store.read(0, baseblock.SECTOR)
        sealed = baseblock.seal(sector, sequence=sequence, timestamp=filetime, bins_size=self.cells.bins_size)
        self._store.write(0, sealed)
        self._store.write_back(limit=baseblock.BASE_SIZE)
        self._base = baseblock.parse(sealed, file_size=self._store.file_size, name=self.name)
        self.pending = None
        if self._alternate is not None and self.keeps_alternate:
            alternates.bring_into_line(self._storage, self._alternate, bins_size=self.cells.bins_size)

    def _reach(self, path: str) -> tuple[Key, list[str]]:
        """Follow a path as far as it exists: the last key there is, and the names that are missing."""
        key = self.root
        names = [name for name in path.split("\\") if name]
        for done, name in enumerate(names):
            child = key.key(name)
            if child is None:
                return key, names[done:]
            key = child
        return key, []

    def _existing(self, path: str) -> Key:
        key = self.key(path)
        if key is None:
            raise self._refused(f"there is no key {path!r}")
        return key

    def _refused(self, what: str) -> HiveError:
        return HiveError(what, where=self.name, advice="Check the path; the hive was not changed")


def _value(cells: Cells, record: ValueRecord) -> Value:
    return Value(record.name, record.type, valuedata.read_data(cells, record))
