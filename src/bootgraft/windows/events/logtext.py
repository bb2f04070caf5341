"""The end of a text log: as many lines as stand in :data:`TAIL`, in whatever encoding that Windows wrote it."""

from bootgraft.filesystems.base import OpenFile

TAIL = 512 << 10
"""Bytes that are read of a text log."""
_MAX_LINE = 400
_MAX_LINES = 16384
_UTF16 = b"\xff\xfe"


def last_lines(file: OpenFile) -> list[str]:
    """The last lines, each cut to a length that a message can have; the first may be a part of one.

    Raises FileSystemError.
    """
    size = file.size
    start = max(size - TAIL, 0) & ~1
    wide = file.read(0, 2) == _UTF16
    data = file.read(start, TAIL)
    # Of other encodings, which are the guest's own code pages, only ASCII is looked for.
    text = data.decode("utf-16-le", "replace") if wide else data.decode("latin-1")
    return [line[:_MAX_LINE].strip("\ufeff\r\n ") for line in text.split("\n")[-_MAX_LINES:]]
