"""Whose file a binary is, by the company name in its version resource: a few kilobytes of it are read.

Format: Microsoft, "PE Format", section 6.9, and "String structure" (verrsrc.h): the name, zeros up to the next multiple
of four bytes, and the value, both in UTF-16.
"""

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.windows.exports import RESOURCES, locate

_HEADERS = 4096
_NAME = "CompanyName\0".encode("utf-16-le")
_MAX_VALUE = 256
MICROSOFT = "microsoft corporation"


def read_company(filesystem: FileSystem, path: str) -> str | None:
    """The company that a file names as its maker; None where it names none, or cannot be read."""
    try:
        place = locate(filesystem.read(path, 0, _HEADERS), RESOURCES)
        if place is None or not place[1]:
            return None
        return find_company(filesystem.read(path, place[2], place[1]))
    except FileSystemError:  # whoever has to load it says so
        return None


def find_company(resources: bytes) -> str | None:
    """The company name in a resource section; None where there is none."""
    start = resources.find(_NAME)
    if start < 0:
        return None
    value = resources[start + len(_NAME) : start + len(_NAME) + _MAX_VALUE]
    text = value[: len(value) & ~1].decode("utf-16-le", "replace").lstrip("\0")
    return text.partition("\0")[0].strip() or None
