"""libntfs-3g itself: loading it, its messages, and the rule that one thread at a time is inside it.

The library keeps global state and knows no locks, so while a volume is mounted only the thread that mounted it may
call, and never from inside a device callback. Only soname 89 is loaded: the structures that we touch have been the
same in each of its releases, from 2021.8.22 on.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.sharedlibrary import SharedLibrary

LIBNTFS = SharedLibrary(
    "libntfs-3g.so.89", "reads and writes NTFS", ("libntfs-3g89", "libntfs-3g89t64", "ntfs-3g-libs")
)

DAMAGED = (
    "Make sure that the image was copied whole (its size; qemu-img check); if it was, attach a copy of the disk to a "
    "working Windows, run chkdsk /f on this volume and try again"
)

_LOG_ERRORS = 0x0380  # NTFS_LOG_LEVEL_ERROR | PERROR | CRITICAL
_LOG_ALL = 0x0FFF
_MESSAGE_LIMIT = 512


class Library:
    """The loaded library: ``lib`` to call, ``ffi`` for memory, and who is inside."""

    def __init__(self) -> None:
        from bootgraft.filesystems.ntfs._libntfs import ffi

        self.ffi: Any = ffi
        self.lib = LIBNTFS.load(ffi)
        self._owner: int | None = None
        self._volumes = 0
        self._inside = False
        self._message = ""
        self._handler = ffi.callback("ntfs_log_handler", self._keep_message)
        self.lib.ntfs_log_clear_levels(_LOG_ALL)
        self.lib.ntfs_log_set_levels(_LOG_ERRORS)
        self.lib.ntfs_log_set_handler(self._handler)
        self.lib.ntfs_set_char_encoding(b"UTF-8")

    def _keep_message(self, *call: Any) -> int:
        """Take the library's log line; the first since the turn began names the cause, later ones the consequences."""
        if not self._message:
            buffer = self.ffi.new("char[]", _MESSAGE_LIMIT)
            self.lib.vsnprintf(buffer, _MESSAGE_LIMIT, call[5], call[6])
            self._message = self.ffi.string(buffer).decode("utf-8", "replace").strip().rstrip(".")
        return 0

    @contextmanager
    def turn(self, where: str) -> Iterator[None]:
        """Hold the library for one operation on the volume ``where``.

        Raises:
            FileSystemError: another thread has volumes mounted, or this is a call from inside a device callback.
        """
        here = threading.get_ident()
        if self._inside or self._owner not in (None, here):
            raise FileSystemError(
                "libntfs-3g was entered from a device callback"
                if self._owner == here
                else "libntfs-3g was called from a second thread while the first has a volume mounted",
                where=where,
                advice="This is a fault in the calling program: work on one volume after the other, in one thread",
            )
        self._owner, self._inside, self._message = here, True, ""
        try:
            yield
        finally:
            self._inside = False
            if not self._volumes:
                self._owner = None

    def mounted(self, change: int) -> None:
        """Count a volume in (1) or out (-1)."""
        self._volumes += change

    def error(self, what: str, *, where: str, advice: str = DAMAGED) -> FileSystemError:
        """Return the error for a call that has just failed, with errno and the library's own message."""
        reason = os.strerror(self.ffi.errno) if self.ffi.errno else "no reason given"
        detail = f"{reason}; libntfs-3g: {self._message}" if self._message else reason
        return FileSystemError(f"{what} ({detail})", where=where, advice=advice)


@cache
def load() -> Library:
    """Load the library once.

    Raises:
        MissingDependencyError: it is not installed, or not as it has to be.
    """
    return Library()
