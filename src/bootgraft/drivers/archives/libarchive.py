"""libarchive itself: loading it, and one pass over an archive that is read through callbacks.

The archive may lie inside a guest's volume: nothing is read of it but what the library asks for, piece by piece. Only
the formats that drivers come in are switched on, and no compression around them. An exception cannot cross C: the
first one is kept, the library is told of an error, and it is raised when the library has returned.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Protocol

from bootgraft.errors import DriverSourceError
from bootgraft.sharedlibrary import SharedLibrary

LIBARCHIVE = SharedLibrary(
    "libarchive.so.13", "reads cabinets and other archives", ("libarchive13", "libarchive13t64", "libarchive")
)

CPU_SECONDS = 30.0
"""Processor time for one pass. A whole driver.cab takes a few; an archive made to expand for hours is cut off."""

_FORMATS = ("cab", "iso9660", "zip", "7zip")
_PIECE = 256 * 1024  # bytes given to the library at once
_EOF, _OK, _WARN, _FATAL = 1, 0, -20, -30  # archive.h: ARCHIVE_EOF, ARCHIVE_OK, ARCHIVE_WARN, ARCHIVE_FATAL
_REGULAR = 0o100000  # archive_entry.h: AE_IFREG


class Source(Protocol):
    """An archive's own bytes."""

    @property
    def size(self) -> int:
        """Bytes in it."""

    def read(self, offset: int, length: int, /) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end."""


class EntryHeader:
    """One entry as the library describes it; only good until the next one is asked for."""

    def __init__(self, ffi: Any, lib: Any, entry: Any) -> None:
        self._ffi = ffi
        self._lib = lib
        self._entry = entry

    @property
    def name(self) -> str | None:
        """Its path as written in the archive; None where the library cannot tell it."""
        return self._text("pathname")

    @property
    def link_to(self) -> str | None:
        """The path of the entry that has its content, where two share one; else None."""
        return self._text("hardlink")

    @property
    def is_file(self) -> bool:
        """Whether it is neither a directory nor a link by name nor a device."""
        return int(self._lib.archive_entry_filetype(self._entry)) in (_REGULAR, 0)

    @property
    def is_encrypted(self) -> bool:
        """Whether a password is needed for its content."""
        return bool(self._lib.archive_entry_is_encrypted(self._entry))

    @property
    def size(self) -> int | None:
        """Bytes of its content once expanded; None where only reading it would tell."""
        if not self._lib.archive_entry_size_is_set(self._entry):
            return None
        return int(self._lib.archive_entry_size(self._entry))

    def _text(self, what: str) -> str | None:
        for call in (f"archive_entry_{what}_utf8", f"archive_entry_{what}"):
            text = getattr(self._lib, call)(self._entry)
            if text:
                return bytes(self._ffi.string(text)).decode("utf-8", "replace")
        return None


class Pass:
    """One way through an archive, from its first entry on; ``where`` names the archive in errors."""

    def __init__(self, source: Source, where: str) -> None:
        self._source = source
        self._where = where
        self._position = 0
        self._deadline = time.process_time() + CPU_SECONDS
        self._failure: BaseException | None = None
        self._ffi, self._lib = load()
        self._piece: Any = None  # what the library reads from until it asks for more
        self._callbacks = [
            self._ffi.callback(f"archive_{kind}_callback", call, error=_FATAL, onerror=self._keep)
            for kind, call in (("read", self._read), ("skip", self._skip), ("seek", self._seek))
        ]
        self._archive = self._lib.archive_read_new()
        if not self._archive:
            raise self._error("no memory to read an archive", "Free some memory and try again")

    def headers(self) -> Iterator[EntryHeader]:
        """Each entry in turn; :meth:`content` is that of the latest.

        Raises:
            DriverSourceError: this is no archive, it is damaged, or reading it takes too long.
        """
        for name in _FORMATS:
            getattr(self._lib, f"archive_read_support_format_{name}")(self._archive)
        read, skip, seek = self._callbacks
        self._lib.archive_read_set_read_callback(self._archive, read)
        self._lib.archive_read_set_skip_callback(self._archive, skip)
        self._lib.archive_read_set_seek_callback(self._archive, seek)
        self._lib.archive_read_set_callback_data(self._archive, self._ffi.NULL)  # without it the library crashes
        self._check(self._lib.archive_read_open1(self._archive))
        entry = self._ffi.new("struct archive_entry **")
        while self._check(self._lib.archive_read_next_header(self._archive, entry)) != _EOF:
            self._require_time()
            yield EntryHeader(self._ffi, self._lib, entry[0])

    def content(self, limit: int) -> bytes:
        """The content of the latest entry. Raises DriverSourceError where it has more than ``limit`` bytes."""
        found = bytearray()
        buffer = self._ffi.new("char[]", _PIECE)
        while True:
            count = self._check(self._lib.archive_read_data(self._archive, buffer, _PIECE))
            if not count:
                return bytes(found)
            found += self._ffi.buffer(buffer, count)
            if len(found) > limit:
                raise self._error(
                    f"a file in it has more than {limit >> 20} MiB", "No driver is that long: give another source"
                )
            self._require_time()

    def close(self) -> None:
        """Give the library's memory back."""
        self._lib.archive_read_free(self._archive)

    def _check(self, status: int) -> int:
        """Raise what a callback met, or what the library says is wrong."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if status >= _OK or status == _WARN:  # a warning is about a name or a date
            return status
        message = self._lib.archive_error_string(self._archive)
        reason = bytes(self._ffi.string(message)).decode("utf-8", "replace") if message else "no reason given"
        if "nrecognized archive format" in reason:
            raise self._error(
                "this is no archive that can be read", "Give a cabinet (.cab), ISO 9660 image, ZIP or 7z archive"
            )
        raise self._error(f"the archive is damaged (libarchive: {reason})", "Copy it again, or give another source")

    def _require_time(self) -> None:
        if time.process_time() > self._deadline:
            raise self._error(
                f"reading it took more than {CPU_SECONDS:.0f} seconds of processor time",
                "It is damaged or was made to be endless: expand the driver by hand and give its folder",
            )

    def _error(self, what: str, advice: str) -> DriverSourceError:
        return DriverSourceError(what, where=self._where, advice=advice)

    def _keep(self, _kind: type[BaseException], failure: BaseException, _trace: TracebackType) -> None:
        if self._failure is None:
            self._failure = failure

    def _read(self, _archive: Any, _data: Any, buffer: Any) -> int:
        self._require_time()
        piece = self._source.read(self._position, _PIECE)
        self._position += len(piece)
        self._piece = self._ffi.from_buffer(piece)
        buffer[0] = self._piece
        return len(piece)

    def _skip(self, _archive: Any, _data: Any, request: int) -> int:
        count = max(0, min(request, self._source.size - self._position))
        self._position += count
        return count

    def _seek(self, _archive: Any, _data: Any, offset: int, whence: int) -> int:
        self._require_time()
        target = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}[whence] + offset
        self._position = max(0, min(target, self._source.size))
        return self._position


@contextmanager
def reading(source: Source, where: str) -> Iterator[Pass]:
    """Begin a pass over an archive, and give the library's memory back whatever happens."""
    passing = Pass(source, where)
    try:
        yield passing
    finally:
        passing.close()


@cache
def load() -> tuple[Any, Any]:
    """Load the library once; return cffi's (ffi, lib).

    Raises:
        MissingDependencyError: it is not installed, or not as it has to be.
    """
    from bootgraft.drivers.archives._libarchive import ffi

    return ffi, LIBARCHIVE.load(ffi)
