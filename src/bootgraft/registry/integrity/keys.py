"""Key nodes and lists of sub-keys, read strictly."""

import struct
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from bootgraft.registry.integrity.defects import DefectKind
from bootgraft.registry.integrity.reading import Reading
from bootgraft.registry.lists import FAST, HASH, PLAIN, ROOT, fast_hint
from bootgraft.registry.records import KEY_COMP_NAME, NK_SIZE
from bootgraft.registry.upcase import name_hash, upcase
from bootgraft.registry.values import decode_utf16

_NK = struct.Struct("<2sH12xII4xI4xIIIIH2xIII4xHH")
_HEAD = struct.Struct("<2sH")
LONGEST_NAME = 512
"""Bytes; Windows takes 255 characters."""
LARGEST_KEY = 1116
"""Bytes of a key's cell that the kernel takes for sane: the record, 512 characters and 16 bytes."""
HASH_MINOR = 5


class Node(Struct):
    """A key node; names and offsets as in ``records.KeyNode``, and its name's length in UTF-16 bytes."""

    offset: int
    name: str
    name_size: int
    flags: int
    parent: int
    subkeys: int
    subkey_list: int
    values: int
    value_list: int
    security: int
    class_offset: int
    class_length: int
    max_name: int
    max_class: int
    max_value_name: int
    max_value_data: int


def read_node(reading: Reading, offset: int) -> Node | None:
    """Read the key node at ``offset``, None where there is none."""
    at = reading.take(offset, NK_SIZE, DefectKind.KEY_RECORD, "a key")
    if not at:
        return None
    (
        signature, flags, parent, subkeys, subkey_list, values, value_list, security, class_offset,
        max_name, max_class, max_value_name, max_value_data, length, class_length,
    ) = _NK.unpack_from(reading.data, at)  # fmt: skip
    capacity = reading.capacity(offset)
    if signature != b"nk" or NK_SIZE + length > capacity or capacity > LARGEST_KEY:
        reading.report(DefectKind.KEY_RECORD, offset, "there is no key in this cell, or it leaves the cell")
        return None
    raw = reading.data[at + NK_SIZE : at + NK_SIZE + length]
    compressed = flags & KEY_COMP_NAME
    name = raw.decode("latin-1") if compressed else decode_utf16(raw)
    if not name or length > LONGEST_NAME or (length & 1 and not compressed):
        reading.report(DefectKind.KEY_NAME, offset, f"{name[:40]!r} cannot be a key's name")
    return Node(
        offset, name, 2 * length if compressed else length, flags, parent, subkeys, subkey_list, values, value_list,
        security, class_offset, class_length, max_name, max_class, max_value_name, max_value_data,
    )  # fmt: skip


def read_children(reading: Reading, node: Node) -> list[Node]:
    """Read the sub-keys that a key lists: order, hashes, counts and maxima are checked here."""
    children: list[Node] = []
    previous, listed, longest, longest_class = "", 0, 0, 0
    for kind, offset, hint in _entries(reading, node):
        listed += 1
        child = read_node(reading, offset)
        if child is None:
            continue
        upper, digest, start = _name_facts(child.name)
        if children and upper <= previous:
            _report_order(reading, child, same=upper == previous)
        previous = upper
        if (kind == HASH and hint != digest) or (kind == FAST and hint != start and not hint_fits(hint, upper)):
            what = "its list has a wrong hash for it: Windows does not find it"
            reading.report(DefectKind.SUBKEY_HASH, offset, what, child=child.name)
        longest = max(longest, child.name_size)
        longest_class = max(longest_class, child.class_length)
        children.append(child)
    if listed != node.subkeys:
        what = f"the key says {node.subkeys} sub-keys, its list holds {listed}"
        reading.report(DefectKind.SUBKEY_COUNT, node.offset, what)
    if longest > node.max_name or longest_class > node.max_class:
        reading.report(
            DefectKind.MAXIMUM, node.offset, "the key says less than its longest sub-key's name or class has"
        )
    return children


def _report_order(reading: Reading, child: Node, *, same: bool) -> None:
    if same:
        what = "a sub-key of this name is listed before it: only one of them is found"
        reading.report(DefectKind.SUBKEY_TWICE, child.offset, what, child=child.name)
    else:
        what = "it is not listed where its name belongs: Windows may not find it, or takes it away"
        reading.report(DefectKind.SUBKEY_ORDER, child.offset, what, child=child.name)


def _entries(reading: Reading, node: Node) -> Iterator[tuple[bytes, int, int]]:
    """Each entry of a key's lists: the kind of its leaf, the key's offset, and the word beside it (0 in ``li``)."""
    for offset, at, kind, count in _leaves(reading, node.subkey_list):
        if kind == HASH and reading.minor < HASH_MINOR:
            what = f"its sub-keys are listed by hash, which no Windows before XP knows (version 1.{reading.minor})"
            reading.report(DefectKind.SUBKEY_LIST_KIND, offset, what)
        width = 1 if kind == PLAIN else 2
        if _HEAD.size + 4 * width * count > reading.capacity(offset):
            reading.report(DefectKind.SUBKEY_LIST, offset, f"the list of {count} sub-keys leaves its cell")
            continue
        words = struct.unpack_from(f"<{width * count}I", reading.data, at + _HEAD.size)
        for index in range(0, width * count, width):
            yield kind, words[index], words[index + width - 1]


def _leaves(reading: Reading, offset: int) -> Iterator[tuple[int, int, bytes, int]]:
    """The leaves of a list: offset, place of its data, kind and count."""
    head = _read_head(reading, offset)
    if head is None:
        return
    at, kind, count = head
    if kind != ROOT:
        yield offset, at, kind, count
        return
    if _HEAD.size + 4 * count > reading.capacity(offset):
        reading.report(DefectKind.SUBKEY_LIST, offset, f"the list of {count} lists leaves its cell")
        return
    for leaf in struct.unpack_from(f"<{count}I", reading.data, at + _HEAD.size):
        below = _read_head(reading, leaf)
        if below is not None and below[1] == ROOT:
            reading.report(DefectKind.SUBKEY_LIST, leaf, "a list of lists below another one")
        elif below is not None:
            yield leaf, *below


def _read_head(reading: Reading, offset: int) -> tuple[int, bytes, int] | None:
    at = reading.take(offset, _HEAD.size, DefectKind.SUBKEY_LIST, "the list of sub-keys")
    if not at:
        return None
    kind, count = _HEAD.unpack_from(reading.data, at)
    if kind not in (PLAIN, FAST, HASH, ROOT):
        reading.report(DefectKind.SUBKEY_LIST, offset, "there is no list of sub-keys in this cell")
        return None
    return at, kind, count


@lru_cache(maxsize=2**14)
def _name_facts(name: str) -> tuple[str, int, int]:
    """Upper case, hash and hint of a name; most names occur in every control set."""
    return upcase(name), name_hash(name), fast_hint(name)


def hint_fits(hint: int, upper: str) -> bool:
    """Whether an ``lf`` hint is the start of a name in another case, or the 0 that says to look at the name itself."""
    raw = hint.to_bytes(4, "little")
    return raw[0] == 0 or upcase(raw.rstrip(b"\0").decode("latin-1")) == upper[:4]
