"""Names and attributes on NTFS: the FILE_NAME value, the directory index that is made of it, and case folding.

Format: the NTFS documentation of the Linux-NTFS project (https://flatcap.github.io/linux-ntfs/ntfs/), FILE_NAME
(0x30), INDEX_ROOT (0x90) and INDEX_ALLOCATION (0xA0). All numbers are little-endian; names are UTF-16.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct

from bootgraft.filesystems.base import Entry

REFERENCE_MASK = (1 << 48) - 1
"""The MFT record number in a file reference; above it lies the sequence number."""

DIRECTORY = 0x10
REPARSE_POINT = 0x400
COMPRESSED = 0x800
ENCRYPTED = 0x4000
WINDOWS_ATTRIBUTES = 0x00FFFFFF
"""The FILE_ATTRIBUTE_* bits; FILE_NAME keeps two of its own above them."""

_NAME_HEADER = struct.Struct("<Q32xQQIIBB")  # parent, (times), allocated size, size, flags, reparse tag, length, space
_ENTRY_HEADER = struct.Struct("<QHHH")  # file reference, entry length, key length, flags
_INDEX_HEADER = struct.Struct("<III")  # first entry, end of entries, both from this header on; allocated
_I30_INDEX = 0x10000000  # in FILE_NAME's flags: it is a directory
_LAST_ENTRY = 0x0002
_ROOT_HEADER = 0x10  # INDEX_ROOT: bytes before its index header
_BLOCK_HEADER = 0x18  # INDX block: bytes before its index header


class NameSpace(IntEnum):
    """Which rules a FILE_NAME's name obeys."""

    POSIX = 0
    WIN32 = 1
    DOS = 2
    WIN32_AND_DOS = 3


class FileName(Struct, frozen=True):
    """One name of one file, as FILE_NAME holds it. ``parent`` is a file reference, ``size`` bytes."""

    parent: int
    name: str
    space: int
    size: int
    flags: int
    reparse_tag: int

    @classmethod
    def parse(cls, value: bytes) -> "FileName":
        """Read a FILE_NAME value.

        Raises:
            ValueError: the value ends before its name does.
        """
        if len(value) < _NAME_HEADER.size:
            raise ValueError("FILE_NAME is too short")
        parent, _allocated, size, flags, tag, length, space = _NAME_HEADER.unpack_from(value)
        name = value[_NAME_HEADER.size : _NAME_HEADER.size + 2 * length]
        if len(name) != 2 * length:
            raise ValueError("FILE_NAME ends inside its name")
        return cls(parent, name.decode("utf-16-le", "surrogatepass"), space, size, flags, tag)

    def entry(self) -> Entry:
        """Return what a directory listing shows."""
        is_directory = bool(self.flags & _I30_INDEX)
        attributes = self.flags & WINDOWS_ATTRIBUTES | (DIRECTORY if is_directory else 0)
        tag = self.reparse_tag if attributes & REPARSE_POINT else 0
        return Entry(self.name, is_directory, 0 if is_directory else self.size, attributes, tag)


class IndexEntry(Struct, frozen=True):
    """One entry of a directory: the file it leads to (a file reference) and its name."""

    reference: int
    name: FileName


def root_entries(value: bytes) -> Iterator[IndexEntry]:
    """Entries in an INDEX_ROOT value. Raises ValueError where it is damaged."""
    return _entries(value, _ROOT_HEADER)


def block_entries(block: bytes) -> Iterator[IndexEntry]:
    """Entries in one INDX block whose fixups have been applied. Raises ValueError where it is damaged."""
    if block[:4] != b"INDX":
        raise ValueError("an index block has no INDX signature")
    return _entries(block, _BLOCK_HEADER)


def _entries(data: bytes, header: int) -> Iterator[IndexEntry]:
    if len(data) < header + _INDEX_HEADER.size:
        raise ValueError("an index has no room for its header")
    first, used, allocated = _INDEX_HEADER.unpack_from(data, header)
    position, end = header + first, header + used
    if used > allocated or header + allocated > len(data):
        raise ValueError("an index reaches past its block")
    while True:
        if position + 0x10 > end:
            raise ValueError("an index has no last entry")
        reference, length, key, flags = _ENTRY_HEADER.unpack_from(data, position)
        if flags & _LAST_ENTRY:
            return
        if length < 0x10 + key or length % 8 or position + length > end:
            raise ValueError("an index entry has a length that cannot be")
        yield IndexEntry(reference, FileName.parse(data[position + 0x10 : position + 0x10 + key]))
        position += length


def fold(name: str, upcase: memoryview) -> bytes:
    """Return ``name`` as Windows compares it: every UTF-16 unit through the volume's own ``$UpCase`` table."""
    units = memoryview(name.encode("utf-16-le", "surrogatepass")).cast("H")
    known = len(upcase)
    return b"".join((upcase[unit] if unit < known else unit).to_bytes(2, "little") for unit in units)
