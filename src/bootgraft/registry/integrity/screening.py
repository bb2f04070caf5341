"""A quick reading of a whole hive, which can tell only that nothing in it is harmful: what :mod:`survey` tells of.

Records are read many at a time and compared column by column, without an object or a path for each. Every condition of
:mod:`keys`, :mod:`values` and :mod:`security` that makes a defect is asked here too, save those that no Windows ever
notices. Whatever looks wrong, or merely unusual, is left to the survey, which decides and tells. The tests hold both
against each other on mutated hives.
"""

import re
import struct
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, repeat
from mmap import mmap
from operator import add, lt

from msgspec import Struct

from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.hive import DEPTH_LIMIT
from bootgraft.registry.integrity.cellmap import FREE, IN_USE, NOTHING, CellMap
from bootgraft.registry.integrity.defects import Defects, FullError
from bootgraft.registry.integrity.keys import HASH_MINOR, LARGEST_KEY, LONGEST_NAME, hint_fits
from bootgraft.registry.integrity.values import VALUE_LIMIT
from bootgraft.registry.lists import FAST, HASH, PLAIN, ROOT, fast_hint
from bootgraft.registry.records import INLINE, KEY_COMP_NAME, KEY_PREDEF_HANDLE, NK_SIZE, VALUE_COMP_NAME, VK_SIZE
from bootgraft.registry.upcase import name_hash, upcase
from bootgraft.registry.valuedata import BIG_DATA_MINOR, INLINE_LIMIT, SEGMENT
from bootgraft.registry.values import decode_utf16

OTHER, KEY, SECURITY = 16, 32, 64
"""What is added to a cell's state, once, when something leads to it: as a key, a descriptor, or any other record."""
_NOT_CLAIMED = (NOTHING, FREE, IN_USE)
_CLAIMED = (IN_USE + OTHER, IN_USE + KEY, IN_USE + SECURITY)
_UNSOUND = re.compile(b"[^%b]" % re.escape(bytes((*_NOT_CLAIMED, *_CLAIMED))), re.DOTALL)
"""A state that a cell has where something led to it twice, or to one that is free, or that is none."""
_AT_ONCE, _IN_WINDOW = 512, 256
"""Records that are read at once: from a hive that is in memory, and from one of which a window is."""
_NAMES = 20_000
"""Names of which facts are kept; the same ones occur in every control set."""
_KEY = struct.Struct("<iHH12xII4xI4xIIII20xHH")
_VALUE = struct.Struct("<iHHII4xH")
_SECURITY = struct.Struct("<i2sHIIII")
_HEAD = struct.Struct("<i2sH")
_BIG = struct.Struct("<i2sHI")
_SIZE = struct.Struct("<i")
_NK, _VK = int.from_bytes(b"nk", "little"), int.from_bytes(b"vk", "little")
_KEY_AT, _VALUE_AT = 4 + NK_SIZE, 4 + VK_SIZE


class Screened(Struct, frozen=True):
    """What is known of a hive without a harmful defect.

    ``state`` has a byte for every 8 bytes of the bins: as CellMap's, with OTHER, KEY or SECURITY added. ``users`` tells
    how many keys use each descriptor, ``bins`` where each bin begins.
    """

    minor: int
    root: int
    state: bytearray
    users: dict[int, int]
    bins: "array[int]"


class _DoubtError(Exception):
    """Something is not as it should be, or as it usually is: never leaves :func:`screen`."""


def screen(cells: Cells) -> Screened | None:
    """Read all of a hive; None where its survey may find a harmful defect.

    Raises HiveError where its bytes cannot be read.
    """
    defects = Defects()
    try:
        cell_map = CellMap.of(cells, defects)
        if defects.found:
            return None
        return _Screening(cells, cell_map).run()
    except (FullError, _DoubtError, IndexError, ValueError, struct.error):  # offsets lead nowhere; a state above 255
        return None


class _List(Struct):
    """The sub-keys of one key that are still to be read; ``depth`` is theirs, 1 below the root."""

    owner: int
    depth: int
    place: int
    count: int


class _Leaf(Struct):
    """A list without hashes: its sub-keys are ``count`` from ``start`` on among those that are read at once."""

    kind: bytes
    start: int
    count: int


class _KeyNames(dict[bytes, tuple[str, int, str]]):
    """Names of keys as they are stored, one byte for each character: upper case, hash, and the name."""

    def __missing__(self, raw: bytes) -> tuple[str, int, str]:
        self[raw] = facts = _facts_of(raw.decode("latin-1"))
        return facts


class _ValueNames(dict[bytes, str]):
    """Such names of values in upper case."""

    def __missing__(self, raw: bytes) -> str:
        upper = upcase(raw.decode("latin-1"))
        if len(raw) <= LONGEST_NAME:  # a hostile hive may have thousands of 64 KB
            self[raw] = upper
        return upper


class _Screening:
    def __init__(self, cells: Cells, cell_map: CellMap) -> None:
        self._map = cell_map
        self._data = cell_map.data
        self._state = cell_map.state
        self._is_whole = cell_map.window.is_whole
        self._at_once = _AT_ONCE if self._is_whole else _IN_WINDOW
        self._minor = cells.minor
        self._paired = (FAST, HASH) if cells.minor >= HASH_MINOR else (FAST,)  # each key with a word beside it
        self._root = cells.root
        self._most_keys = self._at_once + cell_map.size // _KEY_AT
        self._users: Counter[int] = Counter()
        self._claimed = 0
        self._pending: list[_List] = []
        self._values: list[int] = []
        self._counts: list[int] = []  # of the values of each key
        self._one_cell = SEGMENT if cells.minor >= BIG_DATA_MINOR else INLINE - 1
        self._names = _KeyNames()
        self._uppers = _ValueNames()

    def run(self) -> Screened:
        """Walk the tree, then the ring of descriptors; every cell must have been led to once."""
        self._read_keys([self._root], [], [0])
        (first_descriptor,) = self._users
        while self._pending:
            self._read_lists()
        self._read_values()
        self._read_ring(first_descriptor)
        state = self._state
        if _UNSOUND.search(state) or len(state) - sum(map(state.count, _NOT_CLAIMED)) != self._claimed:
            raise _DoubtError
        return Screened(self._minor, self._root, state, dict(self._users), self._map.bins)

    def _count(self, cells: int) -> None:
        """Count what is claimed: no more than there can be cells, so that nothing is read for ever."""
        self._claimed += cells
        if self._claimed > len(self._state):
            raise _DoubtError

    def _claim(self, offset: int, need: int, kind: int = OTHER) -> int:
        """Take a cell of at least ``need`` bytes; its capacity. That it is one in use shows in the end."""
        if offset & 7:
            raise _DoubtError
        self._state[offset >> 3] += kind
        capacity = self._map.load(offset)
        if need > capacity:
            raise _DoubtError
        self._count(1)
        return capacity

    def _claim_all(self, offsets: Sequence[int], kind: int) -> None:
        """The same for many cells whose sizes are looked at elsewhere."""
        self._count(len(offsets))
        state = self._state
        seen = 0
        for at in offsets:
            seen |= at
            state[at >> 3] += kind
        if seen & 7:
            raise _DoubtError
        if not self._is_whole:
            self._map.window.load_around(offsets, LARGEST_KEY)

    def _read_lists(self) -> None:
        """Read the lists that come next, and the keys in them."""
        offsets: list[int] = []
        parents: list[int] = []
        depths: list[int] = []
        hints: list[int] = []
        leaves: list[_Leaf] = []
        ends: list[int] = []
        while self._pending and len(offsets) < self._at_once:
            each = self._pending.pop()
            self._read_list(each.place, offsets, hints, leaves)
            if len(offsets) - len(parents) != each.count or each.depth > DEPTH_LIMIT:
                raise _DoubtError
            parents += [each.owner] * each.count
            depths += [each.depth] * each.count
            ends.append(len(offsets))
        names = self._read_keys(offsets, parents, depths)
        uppers = [each[0] for each in names]
        ascends = list(map(lt, uppers, islice(uppers, 1, None)))
        for end in ends[:-1]:
            ascends[end - 1] = True  # the first sub-key of another key
        if not all(ascends):
            raise _DoubtError
        hashes = [each[1] for each in names]
        for leaf in leaves:
            span = slice(leaf.start, leaf.start + leaf.count)
            hashes[span] = hints[span]  # these are no hashes
            if leaf.kind == FAST and not all(map(_is_hint, hints[span], names[span])):
                raise _DoubtError
        if hints != hashes:
            raise _DoubtError

    def _read_list(self, place: int, offsets: list[int], hints: list[int], leaves: list[_Leaf]) -> None:
        """Read a list of sub-keys, or the lists that it lists."""
        window = self._map.window
        if not self._is_whole:
            window.load(place, place + _HEAD.size)
        size, kind, count = _HEAD.unpack_from(self._data, place)
        width = 2 if kind in self._paired else 1
        if not self._is_whole:
            window.load(place, place + _HEAD.size + 4 * width * count)
        if place & 7 or size + 4 * width * count > -_HEAD.size:
            raise _DoubtError
        self._state[place >> 3] += OTHER
        self._count(1)
        words = _words(width * count)(self._data, place + _HEAD.size)
        if kind == ROOT:
            self._read_lists_of(words, offsets, hints, leaves)
            return
        if kind != HASH or width == 1:
            if width == 1 and kind != PLAIN:
                raise _DoubtError
            leaves.append(_Leaf(kind, len(offsets), count))
        offsets += words[::width]
        if len(offsets) > self._most_keys:  # else parts that are listed again and again fill the memory
            raise _DoubtError
        hints += words[width - 1 :: width]

    def _read_lists_of(self, places: Sequence[int], offsets: list[int], hints: list[int], leaves: list[_Leaf]) -> None:
        for place in places:
            self._map.load(place)
            if _HEAD.unpack_from(self._data, place)[1] == ROOT:
                raise _DoubtError
            self._read_list(place, offsets, hints, leaves)

    def _read_keys(
        self, offsets: Sequence[int], parents: Sequence[int], depths: Sequence[int]
    ) -> list[tuple[str, int, str]]:
        """Read keys, and note what they lead to; upper case and hash of their names, and these."""
        self._claim_all(offsets, KEY)
        rows = map(_KEY.unpack_from, repeat(self._data), offsets)
        (
            sizes, signatures, flags, above, subkeys, lists, values, value_lists, security, classes, lengths,
            class_lengths,
        ) = zip(*rows, strict=True)  # fmt: skip
        if (
            signatures.count(_NK) != len(offsets)
            or (parents and list(above) != parents)
            or min(sizes) < -4 - LARGEST_KEY
            or max(map(add, sizes, lengths)) > -_KEY_AT
            or not 0 < min(lengths) <= max(lengths) <= LONGEST_NAME
        ):
            raise _DoubtError
        data = self._data
        names = [data[at + _KEY_AT : at + _KEY_AT + length] for at, length in zip(offsets, lengths, strict=True)]
        facts = self._facts(names, flags)
        self._users.update(security)
        for at, count in enumerate(subkeys):
            if count:
                self._pending.append(_List(offsets[at], depths[at] + 1, lists[at], count))
        for at, length in zip(classes, class_lengths, strict=True) if any(class_lengths) else ():
            if length and at != NIL:
                self._claim(at, length)
        listed = [each for each in zip(value_lists, values, flags, strict=True) if each[1]]
        self._list_values([(at, count) for at, count, flag in listed if not flag & KEY_PREDEF_HANDLE])
        return facts

    def _facts(self, names: Sequence[bytes], flags: Sequence[int]) -> list[tuple[str, int, str]]:
        """Upper case and hash of names as they are stored, and these; ``flags`` are those of their keys."""
        if not all(each & KEY_COMP_NAME for each in set(flags)):
            return [
                _facts_of(raw.decode("latin-1") if each & KEY_COMP_NAME else _wide(raw))
                for raw, each in zip(names, flags, strict=True)
            ]
        known = self._names
        if len(known) > _NAMES:
            known.clear()
        return list(map(known.__getitem__, names))

    def _list_values(self, listed: Sequence[tuple[int, int]]) -> None:
        """Note the values that lists name, by their places and counts, and read those that came together."""
        self._count(len(listed))
        data, state, size_at = self._data, self._state, _SIZE.unpack_from
        seen = 0
        for at, count in listed:
            if count > VALUE_LIMIT:
                raise _DoubtError
            if not self._is_whole:
                self._map.window.load(at, at + _SIZE.size + 4 * count)
            if size_at(data, at)[0] + 4 * count > -_SIZE.size:
                raise _DoubtError
            seen |= at
            state[at >> 3] += OTHER
            self._values += _words(count)(data, at + 4)
            self._counts.append(count)
            if len(self._values) >= self._at_once:
                self._read_values()
        if seen & 7:
            raise _DoubtError

    def _read_values(self) -> None:
        """Read the values that were noted; those of one key must have different names."""
        names: list[str] = []
        for start in range(0, len(self._values), self._at_once):
            names += self._read_some(self._values[start : start + self._at_once])
        at = 0
        for count in self._counts:
            if count > 1 and len(set(names[at : at + count])) != count:
                raise _DoubtError
            at += count
        self._values.clear()
        self._counts.clear()

    def _read_some(self, offsets: Sequence[int]) -> list[str]:
        """Read values and claim their data; their names in upper case."""
        self._claim_all(offsets, OTHER)
        rows = map(_VALUE.unpack_from, repeat(self._data), offsets)
        cell_sizes, signatures, lengths, sizes, places, flags = zip(*rows, strict=True)
        if signatures.count(_VK) != len(offsets) or max(map(add, cell_sizes, lengths)) > -_VALUE_AT:
            raise _DoubtError
        names = self._value_names(offsets, lengths)
        uppers = self._uppers
        if len(uppers) > _NAMES:
            uppers.clear()
        self._claim_data(sizes, places)
        return [
            uppers[raw] if each & VALUE_COMP_NAME or not raw else upcase(decode_utf16(raw))
            for raw, each in zip(names, flags, strict=True)
        ]

    def _value_names(self, offsets: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
        data = self._data
        if not self._is_whole and max(lengths) > LARGEST_KEY - _VALUE_AT:
            raise _DoubtError  # it may reach beyond what is in memory
        return [data[at + _VALUE_AT : at + _VALUE_AT + length] for at, length in zip(offsets, lengths, strict=True)]

    def _claim_data(self, sizes: Sequence[int], places: Sequence[int]) -> None:
        """Claim where the data of values lies that is not in their records."""
        inline = [size for size in sizes if size >= INLINE]
        if inline and max(inline) > INLINE + INLINE_LIMIT:
            raise _DoubtError
        plain = [(at, size) for at, size in zip(places, sizes, strict=True) if 0 < size <= self._one_cell]
        self._count(len(plain))
        if not self._is_whole and plain:
            self._map.window.load_around([at for at, _ in plain], _SIZE.size)
        data, state, size_at = self._data, self._state, _SIZE.unpack_from
        seen = 0
        for at, size in plain:
            seen |= at
            state[at >> 3] += OTHER
            if size_at(data, at)[0] + size > -_SIZE.size:
                raise _DoubtError
        if seen & 7:
            raise _DoubtError
        if len(inline) + len(plain) < len(sizes):
            self._claim_others(zip(places, sizes, strict=True))

    def _claim_others(self, all_of_them: Iterable[tuple[int, int]]) -> None:
        """Claim the segments of big data; values without data lead nowhere."""
        for at, size in all_of_them:
            if size == 0 and at not in (0, NIL):
                raise _DoubtError
            if not self._one_cell < size < INLINE:
                continue
            self._claim(at, _BIG.size - 4)
            _, signature, count, listed = _BIG.unpack_from(self._data, at)
            if signature != b"db" or count != -(-size // SEGMENT):
                raise _DoubtError
            self._claim(listed, 4 * count)
            segments = struct.unpack_from(f"<{count}I", self._data, listed + 4)
            for index, segment in enumerate(segments):
                self._claim(segment, min(SEGMENT, size - index * SEGMENT))

    def _read_ring(self, first: int) -> None:
        """Follow the ring of descriptors: it must close, and have every key's."""
        members: dict[int, int] = {}  # each with the one before it, as it says
        previous, at = NIL, first
        while at not in members:
            capacity = self._claim(at, _SECURITY.size - 4, SECURITY)
            _, signature, _, following, before, count, length = _SECURITY.unpack_from(self._data, at)
            if signature != b"sk" or _SECURITY.size - 4 + length > capacity or count < self._users[at]:
                raise _DoubtError
            if previous not in (NIL, before):
                raise _DoubtError
            members[at] = before
            previous, at = at, following
        if at != first or members[first] != previous or not members.keys() >= self._users.keys():
            raise _DoubtError


_few_words = [struct.Struct(f"<{count}I").unpack_from for count in range(64)]


def _words(count: int) -> Callable[[mmap, int], tuple[int, ...]]:
    """What unpacks so many words."""
    return _few_words[count] if count < len(_few_words) else struct.Struct(f"<{count}I").unpack_from


def _is_hint(hint: int, facts: tuple[str, int, str]) -> bool:
    return hint == fast_hint(facts[2]) or hint_fits(hint, facts[0])


def _facts_of(name: str) -> tuple[str, int, str]:
    return upcase(name), name_hash(name), name


def _wide(raw: bytes) -> str:
    if len(raw) & 1:
        raise _DoubtError
    return decode_utf16(raw)
