"""Network block devices: an NBD server, local or remote, as a BlockDevice, through libnbd.

The protocol is https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, the URIs are those of its
doc/uri.md, the library is libnbd(3). Only libnbd's asynchronous calls are used, driven by a poll loop of our own: so
every wait has an end, and Ctrl-C is answered in the middle of one.
"""

import contextlib
import functools
import select
import time
from types import TracebackType
from typing import Any, Protocol, Self

from bootgraft.errors import ImageError, ReadOnlyError
from bootgraft.sharedlibrary import SharedLibrary
from bootgraft.storage.devices.blockdevice import check_range, flush_failed
from bootgraft.storage.devices.patience import seconds_to_wait
from bootgraft.storage.fileidentity import FileIdentity, open_files

LIBNBD = SharedLibrary(
    "libnbd.so.0", "opens nbd:// URIs and all images but raw and flat ones", ("libnbd0", "libnbd0t64", "libnbd")
)
CHUNK = 32 * 2**20
"""Bytes in one request at most: the protocol's own limit for servers that state none."""

DISCONNECT_TIMEOUT = 5.0
"""Seconds for a server to take note that nothing more will come."""

_SCHEMES = ("nbd", "nbds", "nbd+unix", "nbds+unix", "nbd+vsock", "nbds+vsock")
_LARGEST_BLOCK = 64 * 1024  # the protocol's limit for the minimum block size
_READ, _WRITE = 1, 2  # LIBNBD_AIO_DIRECTION_*
_SIZE_MINIMUM, _SIZE_MAXIMUM = 0, 2  # LIBNBD_SIZE_*


class Server(Protocol):
    """The process behind a connection, where it is ours."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def explain(self, fault: str, /, *, lost: bool) -> ImageError:
        """Turn libnbd's fault into an error that quotes what the server itself said; see ``Explain``."""

    def finish(self, *, broken: bool) -> None:
        """Wait for its end after the connection was closed, not for long where a request was ``broken`` off."""


class Explain(Protocol):
    """Makes an error of libnbd's words; ``lost`` says that the server closed the connection."""

    def __call__(self, fault: str, /, *, lost: bool) -> ImageError:
        """Return the error, for the caller to raise."""


@functools.cache
def _library() -> tuple[Any, Any]:
    """Load libnbd once; return cffi's (ffi, lib). Raises MissingDependencyError where it is not as it has to be."""
    from bootgraft.storage.devices._libnbd import ffi

    return ffi, LIBNBD.load(ffi)


class Connection:
    """One libnbd handle. ``explain`` makes the exception out of a fault's text."""

    __slots__ = ("_explain", "_ffi", "_handle", "_lib", "_no_callback", "_pending")

    def __init__(self, explain: Explain) -> None:
        self._ffi, self._lib = _library()
        self._explain = explain
        self._pending: object = None  # what a request still under way reads from or writes to
        self._no_callback = self._ffi.new("nbd_completion_callback *")[0]
        self._handle = self._lib.nbd_create()
        if self._handle == self._ffi.NULL:
            raise explain(self._error(), lost=False)

    def connect_socket(self, descriptor: int) -> None:
        """Talk over a connected socket, which then belongs to the connection; return when the server is ready."""
        self._check(self._lib.nbd_aio_connect_socket(self._handle, descriptor))
        self._wait_ready()

    def connect_uri(self, uri: str) -> None:
        """Connect to what a URI names; return when the server is ready."""
        # The URI is the user's own, so the TLS key file that it may name (tls-psk-file=) is too.
        self._check(self._lib.nbd_set_uri_allow_local_file(self._handle, 1))
        self._check(self._lib.nbd_aio_connect_uri(self._handle, uri.encode("utf-8", "surrogateescape")))
        self._wait_ready()

    @property
    def is_broken(self) -> bool:
        """Whether a request got no answer or was interrupted: only closing is possible then."""
        return self._pending is not None

    def size(self) -> int:
        """Bytes in the export."""
        return self._check(self._lib.nbd_get_size(self._handle))

    def is_read_only(self) -> bool:
        """Whether the server refuses writes."""
        return bool(self._check(self._lib.nbd_is_read_only(self._handle)))

    def can_flush(self) -> bool:
        """Whether the server can bring writes to stable storage on demand."""
        return bool(self._check(self._lib.nbd_can_flush(self._handle)))

    def block_sizes(self) -> tuple[int, int]:
        """Smallest and largest request the server takes, in bytes; requests are multiples of the smallest."""
        smallest = max(1, self._check(self._lib.nbd_get_block_size(self._handle, _SIZE_MINIMUM)))
        largest = self._check(self._lib.nbd_get_block_size(self._handle, _SIZE_MAXIMUM)) or CHUNK
        if smallest & (smallest - 1) or smallest > min(_LARGEST_BLOCK, largest):
            raise self._explain(
                f"the server states block sizes that cannot be: {smallest} to {largest} bytes", lost=False
            )
        return smallest, min(largest, CHUNK) // smallest * smallest

    def read(self, offset: int, length: int) -> bytes:
        """Read in one request."""
        buffer = self._ffi.new("char[]", length)
        self._claim(buffer)
        call = self._lib.nbd_aio_pread
        self._complete(call(self._handle, buffer, length, offset, self._no_callback, 0), f"a read of {length} bytes")
        return bytes(self._ffi.buffer(buffer, length))

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write in one request."""
        buffer = self._ffi.from_buffer(data)
        self._claim(buffer)
        call = self._lib.nbd_aio_pwrite
        cookie = call(self._handle, buffer, len(data), offset, self._no_callback, 0)
        self._complete(cookie, f"a write of {len(data)} bytes")

    def flush(self) -> None:
        """Return when everything written is on stable storage."""
        self._claim(b"")
        self._complete(self._lib.nbd_aio_flush(self._handle, self._no_callback, 0), "a flush")

    def close(self) -> None:
        """Say goodbye where the connection still works, and free everything; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            if self._pending is None and self._lib.nbd_aio_is_ready(handle) == 1:
                self._disconnect(handle)
        finally:
            self._lib.nbd_close(handle)
            self._pending = None

    def _disconnect(self, handle: Any) -> None:
        deadline = time.monotonic() + DISCONNECT_TIMEOUT
        if self._lib.nbd_aio_disconnect(handle, 0) != 0:
            return
        with contextlib.suppress(ImageError):  # all that was wanted is done; the server may end as it likes
            while not self._is_over(handle) and self._turn(handle, deadline):
                pass

    def _is_over(self, handle: Any) -> bool:
        return bool(self._lib.nbd_aio_is_closed(handle) or self._lib.nbd_aio_is_dead(handle))

    def _wait_ready(self) -> None:
        patience = seconds_to_wait()
        deadline = time.monotonic() + patience
        while self._lib.nbd_aio_is_ready(self._handle) != 1:
            if self._is_over(self._handle):
                raise self._explain(self._error(), lost=True)
            if not self._turn(self._handle, deadline):
                raise self._explain(_no_answer("the first message", patience), lost=False)

    def _claim(self, buffer: object) -> None:
        """Hold what a request works on until it is complete: libnbd keeps a bare pointer to it."""
        if self._handle is None:
            raise self._explain("the connection is closed", lost=False)
        if self._pending is not None:
            raise self._explain("an earlier request was broken off", lost=False)
        self._pending = buffer

    def _complete(self, cookie: int, asked: str) -> None:
        """Drive the connection until the request ``cookie`` is done, or failed.

        Where the server answered with an error, a bad sector below it for one, the connection goes on; where it did
        not answer, only closing is possible.
        """
        self._check(cookie)
        patience = seconds_to_wait()
        deadline = time.monotonic() + patience
        while (done := self._lib.nbd_aio_command_completed(self._handle, cookie)) == 0:
            if not self._turn(self._handle, deadline):
                raise self._explain(_no_answer(asked, patience), lost=False)
        fault = self._error() if done == -1 else ""
        lost = self._is_over(self._handle)
        if not lost:
            self._pending = None
        if fault:
            raise self._explain(fault, lost=lost)

    def _turn(self, handle: Any, deadline: float) -> bool:
        """Wait until the socket can move on and let libnbd move; False where ``deadline`` has passed."""
        direction = self._lib.nbd_aio_get_direction(handle)
        poll = select.poll()
        wanted = (select.POLLIN if direction & _READ else 0) | (select.POLLOUT if direction & _WRITE else 0)
        poll.register(self._check(self._lib.nbd_aio_get_fd(handle)), wanted)
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not ready:
            return False
        # One notification a turn: the first may change the state so that the second no longer fits (nbd_poll(3)).
        if direction & _READ and ready[0][1] & ~select.POLLOUT:
            self._check(self._lib.nbd_aio_notify_read(handle))
        else:
            self._check(self._lib.nbd_aio_notify_write(handle))
        return True

    def _check(self, result: int) -> int:
        if result == -1:
            fault = self._error()
            raise self._explain(fault, lost=self._handle is not None and self._is_over(self._handle))
        return result

    def _error(self) -> str:
        text = self._lib.nbd_get_error()
        if text == self._ffi.NULL:
            return "the connection failed"
        words = bytes(self._ffi.string(text)).decode("utf-8", "backslashreplace")
        caller, _, fault = words.partition(": ")
        return fault if caller.startswith("nbd_") else words


def _no_answer(asked: str, seconds: float) -> str:
    return f"no answer in {seconds:.3g} seconds to {asked} (--timeout SECONDS waits longer)"


class NbdDevice:
    """An NBD export as a BlockDevice. For one thread at a time.

    Every method raises ImageError with libnbd's words, and the server's where it is our own; after a lost connection
    or an interrupted request only ``close`` is possible.
    """

    __slots__ = (
        "_block",
        "_chunk",
        "_closed",
        "_connection",
        "_flush_failed",
        "_server",
        "_size",
        "can_flush",
        "read_only",
        "where",
    )

    def __init__(self, connection: Connection, *, where: str, writable: bool, server: Server | None = None) -> None:
        """Take over a ready connection, and ``server`` with it: both end with this device, also where this fails.

        Raises:
            ReadOnlyError: ``writable`` is wanted and the server does not allow writes, or cannot flush them.
        """
        self._connection = connection
        self._server = server
        self._closed = False
        self._flush_failed = False
        self.where = where
        try:
            self._size = connection.size()
            self._block, self._chunk = connection.block_sizes()
            self.can_flush = connection.can_flush()
            self.read_only = not writable
            if writable:
                self._refuse_unsafe_writes()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Bytes in the export."""
        return self._size

    @property
    def server_pid(self) -> int | None:
        """Process id of the server where bootgraft started it."""
        return self._server.pid if self._server else None

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where=self.where)
        if not length:
            return b""
        start = offset - offset % self._block
        end = min(self._size, offset + length + -(offset + length) % self._block)
        parts = [self._connection.read(at, min(self._chunk, end - at)) for at in range(start, end, self._chunk)]
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        return data if len(data) == length else data[offset - start : offset - start + length]

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace ``len(data)`` bytes at ``offset``."""
        check_range(self, offset, len(data), where=self.where)
        if self.read_only:
            raise ReadOnlyError("the image was opened for reading", where=self.where, advice="Open it for writing")
        if not data:
            return
        self._refuse_after_failed_flush()
        end = offset + len(data)
        before, after = offset % self._block, -end % self._block
        if before or after:
            # The server takes whole blocks only: complete the first and the last from what is there.
            data = self.read(offset - before, before) + data + self.read(end, min(after, self._size - end))
        view = memoryview(data)
        for at in range(0, len(view), self._chunk):
            self._connection.write(offset - before + at, view[at : at + self._chunk])

    def flush(self) -> None:
        """Return when everything written so far is on stable storage; a flush that failed is final."""
        if self.read_only:
            return
        self._refuse_after_failed_flush()
        self._flush_failed = True
        self._connection.flush()
        self._flush_failed = False

    def read_back(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes as the server gives them: whether from its storage, only the server knows."""
        return self.read(offset, length)

    def opened_files(self) -> frozenset[FileIdentity]:
        """Return the files that a server of our own has open; nothing is known of another's.

        Raises:
            ImageError: the system does not tell.
        """
        if self._server is None:
            return frozenset()
        try:
            return open_files(self._server.pid)
        except OSError as error:
            raise ImageError(
                f"which files qemu-nbd has open cannot be verified ({error.strerror})",
                where=self.where,
                advice="Mount /proc, and run the command again",
            ) from error

    def close(self) -> None:
        """Disconnect, and wait for the end of a server of our own; a second call does nothing. Does not flush.

        Raises:
            ImageError: a server of our own did not end in good order after writing.
        """
        if self._closed:
            return
        self._closed = True
        broken = self._connection.is_broken
        try:
            self._connection.close()
        finally:
            if self._server:
                self._server.finish(broken=broken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_after_failed_flush(self) -> None:
        if self._flush_failed:
            raise flush_failed(self.where)

    def _refuse_unsafe_writes(self) -> None:
        if self._connection.is_read_only():
            raise ReadOnlyError(
                "the NBD server exports it read-only", where=self.where, advice="Restart the server with write access"
            )
        if not self.can_flush:
            raise ReadOnlyError(
                "the NBD server has no flush, so it is unknown when a write is on disk",
                where=self.where,
                advice="Serve the image with qemu-nbd, or with an nbdkit plugin that can flush; check works as it is",
            )


def open_uri(uri: str, *, writable: bool) -> NbdDevice:
    """Connect to ``nbd://host:port/export``, ``nbd+unix:///export?socket=PATH``, or their TLS forms ``nbds…``.

    Raises:
        ImageError: not such a URI, or the server does not answer or does not have the export.
        ReadOnlyError: ``writable`` is wanted and the server does not allow writes, or cannot flush them.
        MissingDependencyError: libnbd is not installed.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() not in _SCHEMES:
        raise ImageError(
            "this is not an NBD URI",
            where=uri,
            advice="Give nbd://HOST:PORT/EXPORT, nbd+unix:///EXPORT?socket=PATH, or the TLS forms nbds:// and "
            "nbds+unix://",
        )

    def explain(fault: str, /, *, lost: bool) -> ImageError:  # noqa: ARG001  (the advice is the same)
        return ImageError(
            f"the NBD server cannot be used: {fault}",
            where=uri,
            advice="Check that the server runs, and that host, port, socket and export name are right; "
            "'nbdinfo URI' shows what a server offers",
        )

    connection = Connection(explain)
    try:
        connection.connect_uri(f"{scheme.lower()}:{rest}")
    except BaseException:
        connection.close()
        raise
    return NbdDevice(connection, where=uri, writable=writable)
