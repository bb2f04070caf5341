"""Room for changed bytes: in memory up to a limit, beyond it in a temporary file that has no name."""

import os
from collections.abc import Iterator
from contextlib import suppress

from bootgraft.errors import ImageError

CHUNK = 2**20
"""Bytes of memory taken at a time."""


class Spool:
    """Bytes at addresses from 0 on, handed out and returned in stretches. Not for several threads at once.

    Addresses below ``memory_limit`` are memory, the others a temporary file: in TMPDIR, without a name from the start
    where the file system can do that, so that it vanishes with the process however that ends.
    """

    __slots__ = ("_chunks", "_end", "_file", "_folder", "_free", "_limit")

    def __init__(self, memory_limit: int) -> None:
        self._limit = memory_limit
        self._chunks: list[bytearray] = []
        self._end = 0
        self._free: list[tuple[int, int]] = []
        self._file = -1
        self._folder = ""

    def open(self) -> None:
        """Open the temporary file now. Where that fails, whoever needs it is told then."""
        with suppress(OSError):
            self._open_file()

    def allocate(self, length: int) -> list[tuple[int, int]]:
        """Hand out ``length`` bytes, as stretches of (address, length); what was given back comes first."""
        stretches: list[tuple[int, int]] = []
        while length and self._free:
            at, size = self._free.pop()
            taken = min(size, length)
            if taken < size:
                self._free.append((at + taken, size - taken))
            stretches.append((at, taken))
            length -= taken
        if length:
            stretches.append((self._end, length))
            self._end += length
        return stretches

    def release(self, at: int, length: int) -> None:
        """Take back a stretch, or a part of one."""
        self._free.append((at, length))

    def write(self, at: int, data: memoryview) -> None:
        """Store bytes at an address that was handed out.

        Raises:
            ImageError: there is no room for the temporary file.
        """
        done = 0
        for address, length in _spans(at, len(data), self._limit):
            part = data[done : done + length]
            if address < self._limit:
                chunk = self._chunk(address // CHUNK)
                chunk[address % CHUNK : address % CHUNK + length] = part
            else:
                self._write_file(address - self._limit, part)
            done += length

    def read_into(self, at: int, target: memoryview) -> None:
        """Fill ``target`` with the bytes stored at an address."""
        done = 0
        for address, length in _spans(at, len(target), self._limit):
            if address < self._limit:
                chunk = self._chunk(address // CHUNK)
                target[done : done + length] = memoryview(chunk)[address % CHUNK : address % CHUNK + length]
            else:
                self._read_file(address - self._limit, target[done : done + length])
            done += length

    def close(self) -> None:
        """Give the temporary file and the memory back; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._chunks.clear()
        self._free.clear()
        self._end = 0

    def _chunk(self, index: int) -> bytearray:
        while len(self._chunks) <= index:
            self._chunks.append(bytearray(CHUNK))
        return self._chunks[index]

    def _write_file(self, offset: int, data: memoryview) -> None:
        try:
            if self._file < 0:
                self._open_file()
            while data:
                written = os.pwrite(self._file, data, offset)
                offset += written
                data = data[written:]
        except OSError as error:
            raise self._failure(error) from error

    def _read_file(self, offset: int, target: memoryview) -> None:
        try:
            while target:
                got = os.preadv(self._file, [target], offset)
                if not got:
                    raise OSError(0, "it was cut short")
                offset += got
                target = target[got:]
        except OSError as error:
            raise self._failure(error) from error

    def _open_file(self) -> None:
        self._folder = os.environ.get("TMPDIR") or "/tmp"
        with suppress(OSError):
            self._file = os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            return
        # A file system without O_TMPFILE; what else may be wrong shows up again.
        import tempfile

        self._folder = tempfile.gettempdir()
        self._file, name = tempfile.mkstemp(prefix="bootgraft-")
        os.unlink(name)  # noqa: PTH108

    def _failure(self, error: OSError) -> ImageError:
        return ImageError(
            f"the temporary file for changed sectors failed: {error.strerror}",
            where=self._folder or os.environ.get("TMPDIR", "/tmp"),
            advice="Free space there, or set TMPDIR to a folder with more room, and run the command again",
        )


def _spans(at: int, length: int, limit: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch where memory chunks end; what lies in the file stays in one."""
    end = at + length
    while at < end:
        stop = end if at >= limit else min(end, limit, (at // CHUNK + 1) * CHUNK)
        yield at, stop - at
        at = stop
