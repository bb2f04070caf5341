"""What a binary exports, read from its export directory alone: a kernel has megabytes, its exports under 200 KB.

Format: Microsoft, "PE Format", sections 3 and 6.3 (https://learn.microsoft.com/windows/win32/debug/pe-format). A table
that is not as linkers write it (names outside of the directory) says nothing that is certain: then nothing
is said of what the file lacks.
"""

import struct
from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystem

MAX_DIRECTORY = 2 * 2**20
MAX_EXPORTS = 65536
EXPORTS, RESOURCES = 0, 2
"""Data directories, by their place in the optional header."""
_HEADERS = 4096
_PE32_PLUS = 0x20B
_SECTION = struct.Struct("<8xIIII")  # virtual size, virtual address, raw size, raw offset
_DIRECTORY = struct.Struct("<12xIIIIIII")  # name, ordinal base, functions, names, addresses of the three tables
_MAX_SECTIONS = 96


class Exports(Struct, frozen=True):
    """The names and ordinals that a binary exports."""

    names: frozenset[str]
    ordinals: frozenset[int]

    def lacks(self, functions: Iterable[str]) -> tuple[str, ...]:
        """Which of these (a name, or ``#12`` for an ordinal) it does not export."""
        return tuple(each for each in functions if not self._has(each))

    def _has(self, function: str) -> bool:
        if function.startswith("#"):
            return int(function[1:]) in self.ordinals
        return function in self.names


class ExportTables:
    """The exports of the files of one volume, each read when it is first asked for, and once."""

    def __init__(self, filesystem: FileSystem) -> None:
        self._filesystem = filesystem
        self._known: dict[str, Exports | None] = {}

    def of(self, path: str) -> Exports | None:
        """What the file exports; None where that cannot be determined."""
        key = path.casefold()
        if key not in self._known:
            self._known[key] = self._read(path)
        return self._known[key]

    def _read(self, path: str) -> Exports | None:
        try:
            head = self._filesystem.read(path, 0, _HEADERS)
            place = locate(head)
            if place is None:
                return None
            address, size, offset = place
            return parse_exports(self._filesystem.read(path, offset, size), address) if size else _NOTHING
        except FileSystemError:  # whoever cannot read the file at all says so where that matters
            return None


_NOTHING = Exports(frozenset(), frozenset())


def locate(head: bytes, directory: int = EXPORTS) -> tuple[int, int, int] | None:
    """Where a data directory lies: its address, its size, and its offset in the file; size 0 where there is none.

    None where the headers do not tell, or it has more than 2 MiB.
    """
    try:
        (start,) = struct.unpack_from("<I", head, 0x3C)
        sections, optional_size = struct.unpack_from("<H12xH", head, start + 6)
        (magic,) = struct.unpack_from("<H", head, start + 24)
        directories = start + 24 + (112 if magic == _PE32_PLUS else 96)
        address, size = struct.unpack_from("<II", head, directories + 8 * directory)
        if not address or not size:
            return 0, 0, 0
        for index in range(min(sections, _MAX_SECTIONS)):
            table = start + 24 + optional_size + 40 * index
            virtual_size, virtual, raw_size, raw = _SECTION.unpack_from(head, table)
            if virtual <= address and address + size <= virtual + max(virtual_size, raw_size) and size <= MAX_DIRECTORY:
                return address, size, raw + address - virtual
    except struct.error:
        return None
    return None


def parse_exports(data: bytes, address: int) -> Exports | None:
    """Read an export directory that is loaded at ``address``; None where it does not hold what it points at."""
    try:
        _, base, functions, names, at_functions, at_names, _ = _DIRECTORY.unpack_from(data)
        if functions > MAX_EXPORTS or names > MAX_EXPORTS:
            return None
        addresses = struct.unpack_from(f"<{functions}I", data, at_functions - address)
        pointers = struct.unpack_from(f"<{names}I", data, at_names - address)
    except struct.error:
        return None
    found = list(_names(data, (pointer - address for pointer in pointers)))
    if len(found) != names:
        return None
    ordinals = frozenset(base + index for index, each in enumerate(addresses) if each)
    return Exports(frozenset(found), ordinals)


def _names(data: bytes, offsets: Iterable[int]) -> Iterator[str]:
    for offset in offsets:
        end = data.find(b"\0", offset) if 0 <= offset < len(data) else -1
        if end < 0:
            return
        yield data[offset:end].decode("latin-1")
