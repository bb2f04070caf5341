"""The names of the files that a binary imports from, by a few small reads: of a kernel, which has ten megabytes.

Layout: Microsoft, "PE Format" (https://learn.microsoft.com/windows/win32/debug/pe-format). Files are hostile input:
what is not as it should be ends the list, since whether a binary is whole is judged elsewhere.
"""

import struct

from bootgraft.filesystems.base import FileSystem

_HEADER = 4096
_PE32_PLUS = 0x20B
_MAX_SECTIONS = 96
_MAX_IMPORTS = 64
_DESCRIPTOR = 20
_MAX_NAME = 64
_API_SETS = ("api-ms-", "ext-ms-")
"""Names of contracts, not of files."""


def import_names(filesystem: FileSystem, path: str) -> tuple[str, ...]:
    """The files that the binary at ``path`` imports from, as written. Raises FileSystemError where it is not there."""
    head = filesystem.read(path, 0, _HEADER)
    try:
        directory, sections = _headers(head)
    except (struct.error, IndexError):
        return ()
    place = _offset(sections, directory)
    if not directory or place is None:
        return ()
    table = filesystem.read(path, place, _DESCRIPTOR * _MAX_IMPORTS)
    found = []
    for start in range(0, len(table) - _DESCRIPTOR + 1, _DESCRIPTOR):
        (name_address,) = struct.unpack_from("<I", table, start + 12)
        at = _offset(sections, name_address)
        if not name_address or at is None:
            break
        name = filesystem.read(path, at, _MAX_NAME).partition(b"\0")[0].decode("latin-1")
        if name and not name.casefold().startswith(_API_SETS):
            found.append(name)
    return tuple(found)


def _headers(head: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    """The address of the import directory, and of each section address, size and place in the file."""
    (offset,) = struct.unpack_from("<I", head, 0x3C)
    count, optional_size = struct.unpack_from("<H12xH", head, offset + 6)
    start = offset + 24
    (magic,) = struct.unpack_from("<H", head, start)
    (directory,) = struct.unpack_from("<I", head, start + (112 if magic == _PE32_PLUS else 96) + 8)
    sections = []
    for number in range(min(count, _MAX_SECTIONS)):
        virtual_size, address, size, place = struct.unpack_from("<IIII", head, start + optional_size + number * 40 + 8)
        sections.append((address, max(virtual_size, size), place))
    return directory, sections


def _offset(sections: list[tuple[int, int, int]], address: int) -> int | None:
    return next((place + address - start for start, size, place in sections if start <= address < start + size), None)
