"""A hive from nothing: a root key with its security descriptor, to be filled by the editor like any other hive.

Format: https://github.com/msuhanov/regf, "Windows registry file format specification".
"""

import struct
from collections.abc import Callable

from bootgraft.registry.baseblock import BASE_SIZE, CHECKSUM_AT, PAGE, checksum
from bootgraft.registry.cells import BIN_HEADER, NIL
from bootgraft.registry.hive import Hive

_MINOR = 3
"""The version that every Windows reads, with ``lf`` lists of sub-keys."""
_SEQUENCE = 1 << 20
"""Far above that of any log that a lost hive left beside it: none can be replayed over this one, not even later."""
_ROOT_FLAGS = 0x2C
"""Of a root key: it is the hive's entry, cannot be deleted, and has its name in Latin-1."""
_NODE = struct.Struct("<2sHQIIIIIIIIIIIIIIIHH")


def new_hive(root: str, descriptor: bytes, fill: Callable[[Hive], None], *, filetime: int, name: str) -> bytes:
    """The bytes of a new hive of version 1.3, as the only write ever made to it leaves it.

    ``root`` is the name of its root key (ASCII), ``descriptor`` the self-relative security descriptor of every key,
    ``fill`` makes its keys and values; ``filetime`` is when it was written, ``name`` what errors call it. Raises
    HiveError for what no hive can hold.
    """
    file = _MemoryFile(_empty(root.encode("ascii"), descriptor))
    hive = Hive.open(file, name=name)
    fill(hive)
    hive.commit(filetime=filetime)
    return bytes(file.content)


class _MemoryFile:
    """A hive's file in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        self.content[offset : offset + len(data)] = data


def _empty(root: bytes, descriptor: bytes) -> bytes:
    """A hive with nothing but its root key."""
    node_size = _cell_size(_NODE.size + len(root))
    security = BIN_HEADER + node_size
    node = _NODE.pack(b"nk", _ROOT_FLAGS, 0, 0, NIL, 0, 0, NIL, NIL, 0, NIL, security, NIL, 0, 0, 0, 0, 0, len(root), 0)
    record = struct.pack("<2sHIIII", b"sk", 0, security, security, 1, len(descriptor)) + descriptor
    cells = _cell(node + root) + _cell(record)
    free = PAGE - BIN_HEADER - len(cells)
    head = struct.pack("<4sIIQQI", b"hbin", 0, PAGE, 0, 0, 0)
    return _base_block() + head + cells + struct.pack("<i", free).ljust(free, b"\0")


def _base_block() -> bytes:
    fields = struct.pack("<4sIIQIIIIIII", b"regf", _SEQUENCE, _SEQUENCE, 0, 1, _MINOR, 0, 1, BIN_HEADER, PAGE, 1)
    block = bytearray(fields.ljust(BASE_SIZE, b"\0"))
    struct.pack_into("<I", block, CHECKSUM_AT, checksum(bytes(block)))
    return bytes(block)


def _cell(data: bytes) -> bytes:
    size = _cell_size(len(data))
    return struct.pack("<i", -size) + data.ljust(size - 4, b"\0")


def _cell_size(length: int) -> int:
    return -(-(length + 4) // 8) * 8
