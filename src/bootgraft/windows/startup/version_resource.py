"""What a binary says that it is: the original name and the file version in its version resource, by a few small reads.

A kernel has two megabytes, and pefile takes ten times as long to be loaded as these reads. Layout: Microsoft, "PE
Format" (the section .rsrc: a tree of type, name and language) and ``VS_VERSIONINFO`` with its ``VS_FIXEDFILEINFO`` and
``StringFileInfo``. Files are hostile input: of what is not as it should be nothing is said.
"""

import struct
from collections.abc import Callable, Iterator

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.values import decode_utf16
from bootgraft.windows.startup.pe_layout import HEADER, RESOURCES, read_layout

_VERSION, _SUBDIRECTORY = 16, 0x80000000
_MAX_ENTRIES, _MAX_SIZE, _MAX_NODES = 256, 1 << 16, 256
_NODE, _FIXED = struct.Struct("<HHH"), struct.Struct("<II")
_FIXED_SIGNATURE = 0xFEEF04BD
_ORIGINAL_NAME = "OriginalFilename"


class VersionResource(Struct, frozen=True):
    """``original_name`` is empty and ``version`` (of the file) None where the resource does not say."""

    original_name: str
    version: tuple[int, int, int, int] | None


def read_version(filesystem: FileSystem, path: str) -> VersionResource | None:
    """What the binary at ``path`` says; None where it cannot be read, or has no version resource that can be."""
    try:
        data = _resource(lambda offset, length: filesystem.read(path, offset, length))
    except FileSystemError:
        return None
    return None if data is None else parse_version(data)


def version_of(data: bytes) -> VersionResource | None:
    """The same of a binary with this content."""
    found = _resource(lambda offset, length: data[offset : offset + length])
    return None if found is None else parse_version(found)


def parse_version(data: bytes) -> VersionResource | None:
    """The same from the bytes of a version resource; None where they are none."""
    root = next(_nodes(data, 0, len(data)), None)
    if root is None or root.key != "VS_VERSION_INFO":
        return None
    names = (
        data[each.value : each.end]
        for info in _nodes(data, root.children, root.end)
        for table in _nodes(data, info.value, info.end)
        for each in _nodes(data, table.value, table.end)
        if each.key == _ORIGINAL_NAME
    )
    name = next(names, b"")
    return VersionResource(decode_utf16(name).partition("\0")[0].strip(), _fixed(data, root))


class _Node(Struct, frozen=True):
    """One node of the tree: where its value begins, what follows the value, and where it ends."""

    key: str
    value: int
    children: int
    end: int


def _nodes(data: bytes, start: int, end: int) -> Iterator[_Node]:
    """The nodes that lie one after the other from ``start`` on."""
    for _ in range(_MAX_NODES):
        if start + _NODE.size > end:
            return
        length, value_length, _type = _NODE.unpack_from(data, start)
        node_end = start + length
        if length < _NODE.size or node_end > end:
            return
        text = decode_utf16(data[start + _NODE.size : node_end]).partition("\0")[0]
        value = _aligned(start + _NODE.size + len(text.encode("utf-16-le", "surrogatepass")) + 2)
        yield _Node(text, min(value, node_end), min(_aligned(value + value_length), node_end), node_end)
        start = _aligned(node_end)


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3


def _fixed(data: bytes, root: _Node) -> tuple[int, int, int, int] | None:
    if root.value + 16 > root.end:
        return None
    signature, _structure = _FIXED.unpack_from(data, root.value)
    high, low = _FIXED.unpack_from(data, root.value + 8)
    return (high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF) if signature == _FIXED_SIGNATURE else None


def _resource(read: Callable[[int, int], bytes]) -> bytes | None:
    """The bytes of the first version resource of the file that ``read`` reads, by offset and length."""
    layout = read_layout(read(0, HEADER))
    root = None if layout is None else layout.offset(layout.directories[RESOURCES])
    if layout is None or not layout.directories[RESOURCES] or root is None:
        return None
    at = root
    for wanted, is_last in ((_VERSION, False), (None, False), (None, True)):
        entry = _entry(read(at, 16 + 8 * _MAX_ENTRIES), wanted)
        if entry is None or bool(entry & _SUBDIRECTORY) is is_last:
            return None
        at = root + (entry & ~_SUBDIRECTORY)
    place = read(at, 8)
    if len(place) < 8:
        return None
    address, size = _FIXED.unpack(place)
    offset = layout.offset(address)
    return None if offset is None else read(offset, min(size, _MAX_SIZE))


def _entry(table: bytes, wanted: int | None) -> int | None:
    """Where the entry with this number leads, or the first one; None where there is none."""
    if len(table) < 16:
        return None
    named, numbered = struct.unpack_from("<HH", table, 12)
    for number in range(min(named + numbered, (len(table) - 16) // 8)):
        name, target = _FIXED.unpack_from(table, 16 + 8 * number)
        if wanted in (None, name):
            return int(target)
    return None
