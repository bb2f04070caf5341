"""Files that Windows 10 and later keep compressed beside themselves: ``compact /exe``, Compact OS.

The file's own data is a hole; its reparse point (tag 0x80000017) names the algorithm, and the stream
``WofCompressedData`` has the content in chunks of 4, 8, 16 or 32 KiB. First comes a table with the end of every chunk
but the last, 4 bytes each (8 for a file of 4 GiB and more), then the chunks; one that would not shrink is stored as it
is. Sources: Microsoft, WOF_FILE_COMPRESSION_INFO_V1 and [MS-XCA]; wimlib's documentation; ntfs-3g-system-compression.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from bootgraft.errors import FileSystemError, MissingDependencyError
from bootgraft.filesystems.ntfs.library import DAMAGED
from bootgraft.sharedlibrary import SharedLibrary

LIBWIM = SharedLibrary(
    "libwim.so.15", "reads files that are compressed with WOF", ("libwim15", "libwim15t64", "wimlib")
)

STREAM = "WofCompressedData"

_FILE_PROVIDER = 2  # wofapi.h: WOF_PROVIDER_FILE; 1 is a WIM file that has the content
_LARGE = 1 << 32  # bytes of a file from which on the table has 8 bytes for a chunk
_XPRESS, _LZX = 1, 2  # wimlib.h: WIMLIB_COMPRESSION_TYPE_*


class Algorithm(IntEnum):
    """The numbers of FILE_PROVIDER_COMPRESSION_*."""

    XPRESS4K = 0
    LZX = 1
    XPRESS8K = 2
    XPRESS16K = 3


_CHUNKS = {
    Algorithm.XPRESS4K: (_XPRESS, 4096),
    Algorithm.LZX: (_LZX, 32768),
    Algorithm.XPRESS8K: (_XPRESS, 8192),
    Algorithm.XPRESS16K: (_XPRESS, 16384),
}
"""wimlib's name of each, and the bytes of content in one chunk."""


def algorithm(reparse: bytes) -> Algorithm | None:
    """The algorithm that a WOF reparse point (with its header) names; None where the content is not in the file."""
    words = [int.from_bytes(reparse[at : at + 4], "little") for at in range(8, len(reparse) - 3, 4)]
    if len(words) < 4 or words[0] != 1 or words[1] != _FILE_PROVIDER or words[2] != 1:
        return None
    return Algorithm(words[3]) if words[3] in set(Algorithm) else None


class Compressed(Struct, frozen=True):
    """One such file: ``size`` bytes of content in a stream of ``stream_size``; ``where`` names it in errors."""

    kind: Algorithm
    size: int
    stream_size: int
    read_stream: Callable[[int, int], bytes]
    where: str

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes of content, which must lie inside the file.

        Raises:
            FileSystemError: the stream is damaged, or libwim is not installed, or not as it has to be.
        """
        if not length:
            return b""
        chunk = _CHUNKS[self.kind][1]
        first, last = offset // chunk, (offset + length - 1) // chunk
        ends = self._ends(first, last)
        data = b"".join(self._chunk(number, *ends[number - first]) for number in range(first, last + 1))
        skip = offset - first * chunk
        return data[skip : skip + length]

    def _ends(self, first: int, last: int) -> list[tuple[int, int]]:
        """Where the chunks from ``first`` to ``last`` begin and end in the stream."""
        count = -(-self.size // _CHUNKS[self.kind][1])
        width = 8 if self.size >= _LARGE else 4
        table = width * (count - 1)
        start = max(0, first - 1)
        entries = self._stream(width * start, width * (min(last, count - 2) - start + 1)) if count > 1 else b""
        found = [int.from_bytes(entries[at : at + width], "little") for at in range(0, len(entries), width)]
        places = ([0] if first == 0 else []) + found + ([self.stream_size - table] if last == count - 1 else [])
        return [(table + begin, table + end) for begin, end in pairwise(places)]

    def _chunk(self, number: int, begin: int, end: int) -> bytes:
        kind, chunk = _CHUNKS[self.kind]
        wanted = min(chunk, self.size - number * chunk)
        if not 0 < end - begin <= wanted:
            raise self._damaged(f"chunk {number} lies from byte {begin} to {end}")
        data = self._stream(begin, end - begin)
        if len(data) == wanted:
            return data
        ffi, lib, decompressor = _decompressor(kind, chunk, self.where)
        buffer = ffi.new("char[]", wanted)
        if lib.wimlib_decompress(data, len(data), buffer, wanted, decompressor):
            raise self._damaged(f"chunk {number} cannot be decompressed")
        return bytes(ffi.buffer(buffer))

    def _stream(self, offset: int, length: int) -> bytes:
        if offset < 0 or offset + length > self.stream_size:
            raise self._damaged(f"it reaches to byte {offset + length}, and has {self.stream_size}")
        return self.read_stream(offset, length)

    def _damaged(self, what: str) -> FileSystemError:
        return FileSystemError(f"its stream {STREAM} is damaged: {what}", where=self.where, advice=DAMAGED)


def _decompressor(kind: int, chunk: int, where: str) -> tuple[Any, Any, Any]:
    try:
        ffi, lib = _load()
    except MissingDependencyError as error:
        raise FileSystemError(
            f"the file cannot be read: {error.what}", where=where, advice=error.advice, id=error.id
        ) from error
    return ffi, lib, _created(kind, chunk)


@cache
def _load() -> tuple[Any, Any]:
    from bootgraft.filesystems.ntfs._libwim import ffi

    return ffi, LIBWIM.load(ffi)


@cache
def _created(kind: int, chunk: int) -> Any:
    """A decompressor, kept for all chunks to come."""
    ffi, lib = _load()
    made = ffi.new("struct wimlib_decompressor **")
    if lib.wimlib_create_decompressor(kind, chunk, made):
        raise MemoryError
    return ffi.gc(made[0], lib.wimlib_free_decompressor)
