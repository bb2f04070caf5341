"""The names of the files that a binary imports from, by a few small reads: of a kernel, which has ten megabytes.

Layout: Microsoft, "PE Format" (https://learn.microsoft.com/windows/win32/debug/pe-format). Files are hostile input:
what is not as it should be ends the list, since whether a binary is whole is judged elsewhere.
"""

import struct

from bootgraft.filesystems.base import FileSystem
from bootgraft.windows.startup.pe_layout import HEADER, IMPORTS, read_layout

_MAX_IMPORTS = 64
_DESCRIPTOR = 20
_MAX_NAME = 64
_API_SETS = ("api-ms-", "ext-ms-")
"""Names of contracts, not of files."""


def import_names(filesystem: FileSystem, path: str) -> tuple[str, ...]:
    """The files that the binary at ``path`` imports from, as written. Raises FileSystemError where it is not there."""
    layout = read_layout(filesystem.read(path, 0, HEADER))
    directory = 0 if layout is None else layout.directories[IMPORTS]
    place = None if layout is None else layout.offset(directory)
    if layout is None or not directory or place is None:
        return ()
    table = filesystem.read(path, place, _DESCRIPTOR * _MAX_IMPORTS)
    found = []
    for start in range(0, len(table) - _DESCRIPTOR + 1, _DESCRIPTOR):
        (name_address,) = struct.unpack_from("<I", table, start + 12)
        at = layout.offset(name_address)
        if not name_address or at is None:
            break
        name = filesystem.read(path, at, _MAX_NAME).partition(b"\0")[0].decode("latin-1")
        if name and not name.casefold().startswith(_API_SETS):
            found.append(name)
    return tuple(found)
