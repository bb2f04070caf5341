"""What a disk may hold after a power loss at any moment of a recording.

What was flushed is there. Of what was not, each write is there, or is not, or is torn at its sectors, whatever came
before or after it; where a file grew, its new length may be there without what was written. Names change in their
order, as every journalling file system keeps it, and stop anywhere behind the last flush of their folder. A file whose
name is not there is lost, flushed or not.
"""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from benchmarks.powerloss.operations import Create, Files, Flush, FlushFolder, Operation, Remove, Rename, Resize, Write

SECTOR = 512
_MORE_OFTEN = 8
"""How much more often the power goes at an operation on a file that has its name."""


class Loss(StrEnum):
    """What becomes of what was not flushed."""

    NOTHING = "nothing lost"
    ALL = "all lost"
    SOME = "some lost"
    TORN = "some torn"
    NEWEST = "all but the newest lost"
    LENGTHS = "lengths there, contents not"


class _File(Struct):
    """A file, whatever it is called: its content at the beginning, and which operations were done to it."""

    content: bytes
    done: list[int] = field(default_factory=list)


class Recording(Struct, frozen=True):
    """The files of a folder before a program ran, and what it did."""

    before: Files
    operations: Sequence[Operation]

    def state(self, chance: random.Random) -> tuple[str, dict[Path, bytes]]:
        """The files that some power loss leaves, and what to call it."""
        weights = [1, *(1 if _is_in_the_making(each) else _MORE_OFTEN for each in self.operations)]
        (at,) = chance.choices(range(len(weights)), weights)
        loss = chance.choice(tuple(Loss))
        return f"after operation {at} of {len(self.operations)}, {loss}", _left(self, at, loss, chance)

    def after(self) -> dict[Path, bytes]:
        """The files once all is there."""
        return _left(self, len(self.operations), Loss.NOTHING, random.Random(0))


def _is_in_the_making(operation: Operation) -> bool:
    """Whether it is about a file that has not its name yet: what becomes of that is nothing to anybody."""
    return not isinstance(operation, Rename) and operation.path.suffix == ".partial"


def _left(recording: Recording, at: int, loss: Loss, chance: random.Random) -> dict[Path, bytes]:
    operations = recording.operations[:at]
    files, durable = _files(recording.before, operations)
    names = _names(recording.before, operations, files, loss, chance)
    pending = [number for each in files for number in each.done if number >= durable.get(id(each), 0)]
    kept = {
        number: _what_arrives(operations[number], loss, chance, newest=number == max(pending)) for number in pending
    }
    return {path: _content(each, operations, kept) for path, each in names.items()}


def _files(before: Files, operations: Sequence[Operation]) -> tuple[list[_File], dict[int, int]]:
    """All files that there ever were, and for each (by its identity) up to which operation it is durable."""
    named = {path: _File(content) for path, content in before.items()}
    everything, durable = list(named.values()), dict[int, int]()
    for number, each in enumerate(operations):
        match each:
            case Create(path):
                named[path] = _File(b"")
                everything.append(named[path])
            case Rename(old, new):
                named[new] = named.pop(old)
            case Remove(path):
                del named[path]
            case Write(path) | Resize(path):
                named[path].done.append(number)
            case Flush(path, covers):
                durable[id(named[path])] = max(covers, durable.get(id(named[path]), 0))
    return everything, durable


def _names(
    before: Files, operations: Sequence[Operation], files: Sequence[_File], loss: Loss, chance: random.Random
) -> dict[Path, _File]:
    """The names that are there: changes up to the last flush of the folder, and some of those behind it."""
    changes = [number for number, each in enumerate(operations) if isinstance(each, Create | Rename | Remove)]
    there = _names_that_changed(operations, changes, loss, chance)
    unnamed = iter(files)
    named = {path: next(unnamed) for path in before}
    for number in changes:
        each = operations[number]
        created = next(unnamed) if isinstance(each, Create) else None
        if number not in there:
            continue
        if created is not None and isinstance(each, Create):
            named[each.path] = created
        elif isinstance(each, Rename):
            named[each.new] = named.pop(each.old)
        elif isinstance(each, Remove):
            del named[each.path]
    return named


def _names_that_changed(
    operations: Sequence[Operation], changes: Sequence[int], loss: Loss, chance: random.Random
) -> set[int]:
    """Which changes of names are there: in each folder some first ones, at least those that were flushed."""
    there = set[int]()
    for folder in sorted({_folder(operations[number]) for number in changes}):
        own = [number for number in changes if _folder(operations[number]) == folder]
        flushes = (each for each in operations if isinstance(each, FlushFolder) and each.path == folder)
        flushed = max((each.covers for each in flushes), default=0)
        fresh = [number for number in own if number >= flushed]
        some = {Loss.NOTHING: len(fresh), Loss.ALL: 0}.get(loss, chance.randint(0, len(fresh)))
        there |= {*(number for number in own if number < flushed), *fresh[:some]}
    return there


def _folder(operation: Operation) -> Path:
    return (operation.new if isinstance(operation, Rename) else operation.path).parent


class _Arrived(Struct, frozen=True):
    """Of a write that was not flushed: the sectors (counted in the file) that are there, and whether its length is."""

    sectors: frozenset[int]
    length: bool


def _what_arrives(operation: Operation, loss: Loss, chance: random.Random, *, newest: bool) -> _Arrived:
    everything = frozenset(_sectors(operation))
    match loss:
        case Loss.NOTHING:
            there = everything
        case Loss.ALL | Loss.LENGTHS:
            there = frozenset[int]()
        case Loss.NEWEST:
            there = everything if newest else frozenset()
        case Loss.SOME:
            there = everything if chance.random() < 0.5 else frozenset()
        case Loss.TORN:
            share = chance.choice((0.0, 0.3, 0.7, 1.0))
            there = frozenset(each for each in everything if chance.random() < share)
    whole = there == everything and (bool(everything) or loss is Loss.NOTHING)
    if isinstance(operation, Resize):
        whole = loss in (Loss.NOTHING, Loss.LENGTHS) or (loss is not Loss.ALL and chance.random() < 0.5)
    return _Arrived(there, whole or loss is Loss.LENGTHS)


def _sectors(operation: Operation) -> range:
    if not isinstance(operation, Write) or not operation.data:
        return range(0)
    return range(operation.offset // SECTOR, (operation.offset + len(operation.data) - 1) // SECTOR + 1)


def _content(file: _File, operations: Sequence[Operation], kept: Mapping[int, _Arrived]) -> bytes:
    content = bytearray(file.content)
    for number in file.done:
        operation, arrived = operations[number], kept.get(number)
        if isinstance(operation, Resize):
            _resize(content, operation, there=arrived is None or arrived.length)
        elif isinstance(operation, Write):
            _write(content, operation, arrived)
    return bytes(content)


def _resize(content: bytearray, operation: Resize, *, there: bool) -> None:
    if not there or (operation.only_grows and len(content) >= operation.size):
        return
    del content[operation.size :]
    content.extend(bytes(operation.size - len(content)))


def _write(content: bytearray, operation: Write, arrived: _Arrived | None) -> None:
    end = operation.offset + len(operation.data)
    spans = [(operation.offset, end)]
    if arrived is not None:
        sectors = sorted(arrived.sectors)
        spans = [(max(operation.offset, at * SECTOR), min(end, (at + 1) * SECTOR)) for at in sectors]
        if arrived.length:
            content.extend(bytes(max(0, end - len(content))))
    for start, stop in spans:
        content.extend(bytes(max(0, stop - len(content))))
        content[start:stop] = operation.data[start - operation.offset : stop - operation.offset]
