"""From wanted edits of hives to a plan that holds only what changes, in the order in which it can be carried out.

A .reg file is a sequence: it may delete a key and make it again, or set a value twice. What counts is how it ends, so
a key that is deleted and made again is kept, and loses what it is not given again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from bootgraft.changes import (
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    RegistryChange,
    RegistryData,
    SetValue,
)
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.upcase import upcase


class WantedKey(Struct, frozen=True):
    """One key as it is wanted: gone, or there with these values; None in place of data is a value to delete."""

    hive: FileId
    key: str
    delete: bool = False
    values: tuple[tuple[str, RegistryData | None], ...] = ()


def plan_edits(wanted: Iterable[WantedKey], open_hive: Callable[[FileId], Hive]) -> tuple[RegistryChange, ...]:
    """Plan the edits, hive by hive. Raises HiveError for damage on the way."""
    by_hive: dict[FileId, list[WantedKey]] = {}
    for each in wanted:
        by_hive.setdefault(each.hive, []).append(each)
    return tuple(
        change for place, edits in by_hive.items() for change in _HivePlan(place, open_hive(place)).changes(edits)
    )


class _Key(Struct):
    """How a key is to end: its path as first written, and by upper-case name its values as first written."""

    path: str
    values: dict[str, tuple[str, RegistryData | None]] = field(default_factory=dict)


class _Keys:
    """Keys by upper-case path, which know at once whether there is any at or below a path, or above it."""

    def __init__(self) -> None:
        self.keys: dict[str, _Key] = {}
        self._below: Counter[str] = Counter()

    def get(self, path: str) -> _Key | None:
        return self.keys.get(upcase(path))

    def add(self, path: str) -> _Key:
        upper = upcase(path)
        if upper not in self.keys:
            self.keys[upper] = _Key(path)
            self._below.update(_with_parents(upper))
        return self.keys[upper]

    def has_in(self, path: str) -> bool:
        """Whether there is one at ``path`` or below it."""
        return self._below[upcase(path)] > 0

    def has_above(self, path: str) -> bool:
        """Whether there is one at ``path`` or above it."""
        return any(each in self.keys for each in _with_parents(upcase(path)))

    def drop(self, path: str) -> None:
        """Forget what is at ``path`` and below it."""
        if not self.has_in(path):
            return
        upper = upcase(path)
        for each in [each for each in self.keys if each == upper or each.startswith(upper + "\\")]:
            del self.keys[each]
            self._below.subtract(_with_parents(each))


class _HivePlan:
    def __init__(self, place: FileId, hive: Hive) -> None:
        self._place = place
        self._hive = hive
        self._gone = _Keys()  # the tops of trees to go
        self._wanted = _Keys()

    def changes(self, edits: Iterable[WantedKey]) -> Iterator[RegistryChange]:
        for edit in edits:
            if edit.delete:
                self._delete(edit.key)
            else:
                self._set(edit)
        for gone in self._gone.keys.values():
            yield from self._removals(gone.path)
        for wanted in self._wanted.keys.values():
            yield from self._settings(wanted)

    def _delete(self, path: str) -> None:
        self._wanted.drop(path)
        if not self._gone.has_above(path) and self._hive.key(path) is not None:
            self._gone.drop(path)
            self._gone.add(path)

    def _set(self, edit: WantedKey) -> None:
        for path in reversed(list(_with_parents(edit.key))):
            self._wanted.add(path)  # a key that is made brings those above it, which stay when it goes again
        key = self._wanted.add(edit.key)
        for name, data in edit.values:
            present = key.values.get(upcase(name))
            key.values[upcase(name)] = (present[0] if present else name, data)

    def _removals(self, path: str) -> Iterator[RegistryChange]:
        """What goes of a tree that is deleted: all of it, or all but what is made again."""
        top = self._hive.key(path)
        pending = [] if top is None else [top]
        while pending:
            key = pending.pop()
            if not self._wanted.has_in(key.path):
                yield DeleteKey(self._place, key.path)
                continue
            again = self._wanted.get(key.path)
            for value in key.values():
                if again is None or upcase(value.name) not in again.values:
                    yield DeleteValue(self._place, key.path, value.name, RegistryData(value.type, value.data))
            pending.extend(key.keys())

    def _settings(self, wanted: _Key) -> Iterator[RegistryChange]:
        key = self._hive.key(wanted.path)
        path = wanted.path if key is None else key.path
        if key is None:
            yield CreateKey(self._place, path)
        for name, data in wanted.values.values():
            before = _present(key, name)
            if data is None and before is not None:
                yield DeleteValue(self._place, path, name, before)
            elif data is not None and data != before:
                yield SetValue(self._place, path, name, data, before)


def _present(key: Key | None, name: str) -> RegistryData | None:
    value = None if key is None else key.value(name)
    return None if value is None else RegistryData(value.type, value.data)


def _with_parents(path: str) -> Iterator[str]:
    """A path and every one above it but the root."""
    while path:
        yield path
        path = path.rpartition("\\")[0]
