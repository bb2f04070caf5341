"""Sub-key lists: ``li``, ``lf`` and ``lh`` leaves, and the ``ri`` roots that join leaves when there are many keys.

Layouts: https://github.com/msuhanov/regf, "Index leaf" to "Index root". Lists ascend by upper-case name, across all
leaves of a root. Windows searches ``lh`` by hash and the others by bisection, so that a key under a wrong hash or
in the wrong place is there and yet never found; :func:`find` finds either one.
"""

import struct
from collections.abc import Iterator
from itertools import chain

from msgspec import Struct

from bootgraft.registry.cells import Cells
from bootgraft.registry.records import KeyNode, read_key
from bootgraft.registry.upcase import name_hash, upcase

PLAIN, FAST, HASH, ROOT = b"li", b"lf", b"lh", b"ri"
_HINT_LENGTH = 4
_HEADER = 4


class Leaf(Struct, frozen=True):
    """One leaf: ``keys`` are offsets of key nodes, ``hints`` the word beside each (none in ``li``)."""

    offset: int
    kind: bytes
    keys: tuple[int, ...]
    hints: tuple[int, ...]


class SubkeyList(Struct, frozen=True):
    """All leaves of one key in order; ``root`` is the cell of the ``ri`` that joins them, None for a single leaf.

    ``keys`` are the offsets of all key nodes, in order.
    """

    root: int | None
    leaves: tuple[Leaf, ...]
    keys: tuple[int, ...]


class ListPosition(Struct, frozen=True):
    """Where a name stands or belongs in a key's lists: ``index`` counts through all leaves."""

    key: KeyNode | None
    index: int


def fast_hint(name: str) -> int:
    """The word beside a key in ``lf``: its first four characters, 0 first where one is beyond Latin-1."""
    start = name[:_HINT_LENGTH]
    raw = bytearray(ord(char) & 0xFF for char in start)
    if any(ord(char) > 0xFF for char in start):
        raw[0] = 0
    return int.from_bytes(raw, "little")


def read_list(cells: Cells, node: KeyNode) -> SubkeyList:
    """Read a key's whole list of sub-keys. Raises HiveError where it is damaged or its count is not the key's."""
    if node.subkey_count == 0:
        return SubkeyList(None, (), ())
    known = cells.parsed.get(node.subkey_list)
    if not isinstance(known, SubkeyList):
        known = cells.parsed[node.subkey_list] = _parse_list(cells, node.subkey_list)
    if len(known.keys) != node.subkey_count:
        held = len(known.keys)
        raise cells.damaged(f"the key {node.name!r} says {node.subkey_count} sub-keys, its list holds {held}")
    return known


def _parse_list(cells: Cells, offset: int) -> SubkeyList:
    kind, count = _head(cells, offset)
    if kind != ROOT:
        leaf = _read_leaf(cells, offset)
        return SubkeyList(None, (leaf,), leaf.keys)
    offsets = _words(cells, offset, count)
    if len(set(offsets)) != count:
        raise cells.damaged(f"the list at 0x{offset:x} names a part of itself twice")
    leaves = tuple(_read_leaf(cells, each) for each in offsets)
    return SubkeyList(offset, leaves, tuple(chain.from_iterable(leaf.keys for leaf in leaves)))


def read_child(cells: Cells, node: KeyNode, offset: int) -> KeyNode:
    """Read a sub-key, and see that it names ``node`` as its parent and is not the root: so no walk goes in circles."""
    child = read_key(cells, offset)
    if child.parent != node.offset or offset == cells.root:
        raise cells.damaged(f"the key {child.name!r} is listed below {node.name!r} but belongs elsewhere")
    return child


def children(cells: Cells, node: KeyNode) -> Iterator[KeyNode]:
    """All sub-keys in the order of the lists."""
    offsets = read_list(cells, node).keys
    if len(set(offsets)) != len(offsets):
        raise cells.damaged(f"the key {node.name!r} lists a sub-key twice")
    return (read_child(cells, node, offset) for offset in offsets)


def find(cells: Cells, node: KeyNode, name: str) -> KeyNode | None:
    """The sub-key of that name, without regard to case: by hash or hint first, then by bisection."""
    lists = read_list(cells, node)
    wanted = upcase(name)
    digest = name_hash(name)
    start = wanted[:_HINT_LENGTH].encode("latin-1", "replace") if wanted.isascii() else b""
    for leaf in lists.leaves:
        for at in _places(leaf, digest, start):
            child = read_child(cells, node, leaf.keys[at])
            if upcase(child.name) == wanted:
                return child
    return locate(cells, node, lists, name).key


def locate(cells: Cells, node: KeyNode, lists: SubkeyList, name: str) -> ListPosition:
    """Bisect for a name: the key that has it, or else the index at which it belongs."""
    wanted = upcase(name)
    keys = lists.keys
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        child = read_child(cells, node, keys[middle])
        found = upcase(child.name)
        if found == wanted:
            return ListPosition(child, middle)
        if found < wanted:
            low = middle + 1
        else:
            high = middle
    return ListPosition(None, low)


def _places(leaf: Leaf, digest: int, start: bytes) -> Iterator[int]:
    """Where in a leaf a name may stand that has this hash and begins so."""
    if leaf.kind != HASH:
        yield from (at for at, hint in enumerate(leaf.hints) if _hint_fits(hint, start))
        return
    at = -1
    for _ in range(leaf.hints.count(digest)):
        at = leaf.hints.index(digest, at + 1)
        yield at


def _hint_fits(hint: int, start: bytes) -> bool:
    """Whether an ``lf`` hint may belong to a name that begins so; unknown where either has characters beyond ASCII."""
    raw = hint.to_bytes(_HINT_LENGTH, "little").rstrip(b"\0")
    return not start or not raw.isascii() or raw[:1] in (b"", b"\0") or raw.upper() == start


def _head(cells: Cells, offset: int) -> tuple[bytes, int]:
    kind, count = struct.unpack("<2sH", cells.read(offset, _HEADER))
    return kind, count


def _words(cells: Cells, offset: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}I", cells.read(offset, 4 * count, _HEADER))


def _read_leaf(cells: Cells, offset: int) -> Leaf:
    kind, count = _head(cells, offset)
    if kind == PLAIN:
        return Leaf(offset, kind, _words(cells, offset, count), ())
    if kind not in (FAST, HASH):
        raise cells.damaged(f"there is no list of sub-keys in the cell at 0x{offset:x}")
    words = _words(cells, offset, 2 * count)
    return Leaf(offset, kind, words[0::2], words[1::2])
