"""Changing sub-key lists: a key goes in where its name belongs, and comes out without leaving empty parts.

A leaf keeps the kind that it has. A key's first list is of the kind that its hive's version asks for: ``lh`` since
1.5 (Windows XP), ``lf`` since 1.3 (NT 4, 2000, and every BCD store), ``li`` before. A leaf has to fit a 4096-byte
bin: Windows turns an ``lf`` of more than 507 keys into an ``li``, and splits an ``lh`` above 507 and an ``li``
above 1012 in two below an ``ri``. So do we; hives written by Windows have no ``lf`` below an ``ri``.
"""

import struct

from msgspec.structs import replace

from bootgraft.registry import lists
from bootgraft.registry.cells import NIL, Cells
from bootgraft.registry.lists import FAST, HASH, PLAIN, ROOT, Leaf, SubkeyList
from bootgraft.registry.records import (
    MAX_CLASS_AT,
    MAX_NAME_AT,
    SUBKEY_COUNT_AT,
    SUBKEY_LIST_AT,
    KeyNode,
    utf16_length,
)
from bootgraft.registry.space import Space
from bootgraft.registry.upcase import name_hash

LEAF_LIMIT = 507
PLAIN_LIMIT = 1012
_ROOT_LIMIT = 0xFFFF
_HASH_MINOR = 5
_FAST_MINOR = 3


def insert(cells: Cells, space: Space, node: KeyNode, name: str, child: int) -> None:
    """List a new sub-key of ``node``. Raises HiveError where the name is there already or a list is damaged."""
    known = lists.read_list(cells, node)
    place = lists.locate(cells, node, known, name)
    if place.key is not None:
        raise cells.damaged(f"the key {name!r} exists below {node.name!r}, but its list does not lead to it")
    if not known.leaves:
        kind = HASH if cells.minor >= _HASH_MINOR else FAST if cells.minor >= _FAST_MINOR else PLAIN
        _set_list(cells, node, _write(cells, space, _with_key(Leaf(NIL, kind, (), ()), 0, name, child)))
    else:
        _insert_into(cells, space, node, known, place.index, name, child)
    cells.patch(node.offset, SUBKEY_COUNT_AT, _word(node.subkey_count + 1))
    if utf16_length(name) > node.max_name:
        cells.patch(node.offset, MAX_NAME_AT, utf16_length(name).to_bytes(2, "little"))


def remove(cells: Cells, space: Space, node: KeyNode, child: int) -> None:
    """Take a sub-key out of the lists of ``node``; a leaf or root that becomes empty is freed."""
    known = lists.read_list(cells, node)
    at = next((at for at, leaf in enumerate(known.leaves) if child in leaf.keys), None)
    if at is None:
        raise cells.damaged(f"the key at 0x{child:x} is in no list of {node.name!r}")
    leaf = _without_key(known.leaves[at], child)
    if leaf.keys:
        _write(cells, space, leaf)
    else:
        space.free(leaf.offset)
        left = [other.offset for other in known.leaves if other.offset != leaf.offset]
        if known.root is not None:
            _write_root(cells, space, known.root, left)
        _set_list(cells, node, known.root if known.root is not None and left else NIL)
    cells.patch(node.offset, SUBKEY_COUNT_AT, _word(node.subkey_count - 1))
    if node.subkey_count == 1:
        cells.patch(node.offset, MAX_NAME_AT, bytes(2))
        cells.patch(node.offset, MAX_CLASS_AT, bytes(4))


def _insert_into(
    cells: Cells, space: Space, node: KeyNode, known: SubkeyList, index: int, name: str, child: int
) -> None:
    at = 0
    while at + 1 < len(known.leaves) and index > len(known.leaves[at].keys):
        index -= len(known.leaves[at].keys)
        at += 1
    old = known.leaves[at]
    parts = _split(_with_key(old, index, name, child))
    offsets = [leaf.offset for leaf in known.leaves]
    offsets[at : at + 1] = [_write(cells, space, part) for part in parts]
    if known.root is None and len(offsets) == 1:
        _set_list(cells, node, offsets[0])
    elif known.root is None or offsets != [leaf.offset for leaf in known.leaves]:
        _set_list(cells, node, _write_root(cells, space, known.root, offsets))


def _with_key(leaf: Leaf, index: int, name: str, child: int) -> Leaf:
    keys = (*leaf.keys[:index], child, *leaf.keys[index:])
    if leaf.kind == PLAIN:
        return replace(leaf, keys=keys)
    hint = name_hash(name) if leaf.kind == HASH else lists.fast_hint(name)
    return replace(leaf, keys=keys, hints=(*leaf.hints[:index], hint, *leaf.hints[index:]))


def _without_key(leaf: Leaf, child: int) -> Leaf:
    at = leaf.keys.index(child)
    return replace(leaf, keys=leaf.keys[:at] + leaf.keys[at + 1 :], hints=leaf.hints[:at] + leaf.hints[at + 1 :])


def _split(leaf: Leaf) -> tuple[Leaf, ...]:
    """A leaf as it is, or its halves where it is too long; the second half has no cell yet."""
    if leaf.kind == FAST and len(leaf.keys) > LEAF_LIMIT:
        leaf = Leaf(leaf.offset, PLAIN, leaf.keys, ())
    if len(leaf.keys) <= (PLAIN_LIMIT if leaf.kind == PLAIN else LEAF_LIMIT):
        return (leaf,)
    half = len(leaf.keys) // 2
    return (
        replace(leaf, keys=leaf.keys[:half], hints=leaf.hints[:half]),
        Leaf(NIL, leaf.kind, leaf.keys[half:], leaf.hints[half:]),
    )


def _write(cells: Cells, space: Space, leaf: Leaf) -> int:
    """Store a leaf, in its cell where it fits, and return where it is now."""
    words: list[int] = []
    if leaf.kind == PLAIN:
        words.extend(leaf.keys)
    else:
        for pair in zip(leaf.keys, leaf.hints, strict=True):
            words.extend(pair)
    return _store(cells, space, leaf.offset, _pack(leaf.kind, len(leaf.keys), words))


def _write_root(cells: Cells, space: Space, offset: int | None, leaves: list[int]) -> int:
    """Store an ``ri``, or free it where it has no leaves left."""
    if not leaves and offset is not None:
        space.free(offset)
        return NIL
    if len(leaves) > _ROOT_LIMIT:
        raise cells.damaged("a key has more sub-keys than its lists can hold")
    return _store(cells, space, NIL if offset is None else offset, _pack(ROOT, len(leaves), leaves))


def _store(cells: Cells, space: Space, offset: int, data: bytes) -> int:
    if offset != NIL and len(data) <= cells.capacity(offset):
        cells.patch(offset, 0, data)
        return offset
    new = space.allocate(data)
    if offset != NIL:
        space.free(offset)
    return new


def _set_list(cells: Cells, node: KeyNode, offset: int) -> None:
    cells.patch(node.offset, SUBKEY_LIST_AT, _word(offset))


def _pack(kind: bytes, count: int, words: list[int]) -> bytes:
    return struct.pack(f"<2sH{len(words)}I", kind, count, *words)


def _word(number: int) -> bytes:
    return number.to_bytes(4, "little")
