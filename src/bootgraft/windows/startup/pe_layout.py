"""Where a binary's directories and sections lie in its file, by its first bytes.

Layout: Microsoft, "PE Format" (https://learn.microsoft.com/windows/win32/debug/pe-format). Files are hostile input.
"""

import struct

from msgspec import Struct

HEADER = 4096
"""Bytes that have the headers of every binary that Windows ships."""

IMPORTS, RESOURCES = 1, 2
"""Numbers of directories."""
_PE32_PLUS = 0x20B
_MAX_SECTIONS = 96


class PeLayout(Struct, frozen=True):
    """``directories`` are addresses by number, ``sections`` each an address, a size and a place in the file."""

    directories: tuple[int, ...]
    sections: tuple[tuple[int, int, int], ...]

    def offset(self, address: int) -> int | None:
        """Where in the file an address lies; None where in no section."""
        return next(
            (place + address - start for start, size, place in self.sections if start <= address < start + size), None
        )


def read_layout(head: bytes) -> PeLayout | None:
    """The layout by the first bytes of a file; None where these are no such headers."""
    try:
        (offset,) = struct.unpack_from("<I", head, 0x3C)
        count, optional_size = struct.unpack_from("<H12xH", head, offset + 6)
        start = offset + 24
        (magic,) = struct.unpack_from("<H", head, start)
        first = start + (112 if magic == _PE32_PLUS else 96)
        directories = tuple(struct.unpack_from("<I", head, first + number * 8)[0] for number in range(RESOURCES + 1))
        sections = []
        for number in range(min(count, _MAX_SECTIONS)):
            fields = struct.unpack_from("<IIII", head, start + optional_size + number * 40 + 8)
            sections.append((fields[1], max(fields[0], fields[2]), fields[3]))
    except struct.error:
        return None
    return PeLayout(directories, tuple(sections))
