"""Frames between the parent, which holds the images, and the child, which reads hostile bytes.

A frame is a kind (u8), the payload's length (u32, little-endian) and the payload. The parent sends one JOB and answers
READs with DATA or FAULT; the child sends READ, EVENT, OUTPUT and RUN frames and ends with DONE or FAULT. Nothing is
ever unpickled: payloads are fixed structures, raw bytes or JSON.
"""

import json
import socket
import struct
from enum import IntEnum
from typing import ClassVar, get_args

from bootgraft import errors
from bootgraft.errors import BootgraftError, ErrorId, ImageError

_HEAD = struct.Struct("<BI")
READ_REQUEST = struct.Struct("<HQI")
"""Device number, offset and length in bytes."""
RUN_HEAD = struct.Struct("<HQQh")
"""Disk number, offset and length in bytes, fill byte or -1 where the content follows."""

MAX_PAYLOAD = 64 * 2**20
MAX_READ = 16 * 2**20
_SMALL = 128 * 2**10
"""Bytes up to which a payload is copied to go with its head in one system call."""


class Frame(IntEnum):
    """What a frame carries."""

    JOB = 1
    READ = 2
    DATA = 3
    FAULT = 4
    EVENT = 5
    RUN = 6
    DONE = 7
    OUTPUT = 8


class ChannelClosedError(BootgraftError):
    """The other process ended while the connection was in use."""

    usual_id: ClassVar[ErrorId] = "worker-failed"


def _closed() -> ChannelClosedError:
    return ChannelClosedError(
        "the connection between bootgraft's two processes was lost",
        where="bootgraft",
        advice="Nothing was written; run the command again with --verbose",
    )


class Channel:
    """One end of the connection."""

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint

    def fileno(self) -> int:
        """The descriptor to hand to the child."""
        return self._socket.fileno()

    def send(self, frame: Frame, *payload: bytes) -> None:
        """Send one frame whose payload is the concatenation of the parts.

        Raises ChannelClosedError where the other side is gone.
        """
        length = sum(len(part) for part in payload)
        try:
            if length <= _SMALL:
                self._socket.sendall(b"".join((_HEAD.pack(frame, length), *payload)))
                return
            for part in (_HEAD.pack(frame, length), *payload):
                self._socket.sendall(part)
        except OSError as error:
            raise _closed() from error

    def receive(self) -> tuple[Frame, bytes]:
        """Return the next frame; raises ChannelClosedError at the end and ValueError for bytes that are no frame."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > MAX_PAYLOAD:
            raise ValueError(f"a frame of {length} bytes")
        return Frame(kind), self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        parts, left = [], length
        while left:
            try:
                # The kernel fills one buffer: ten times cheaper for a megabyte than receiving into a bytearray.
                part = self._socket.recv(left, socket.MSG_WAITALL)
            except OSError as error:
                raise _closed() from error
            if not part:
                raise _closed()
            parts.append(part)  # a second one only where a signal came between
            left -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def encode_error(error: BootgraftError) -> bytes:
    """An error as a FAULT's payload."""
    fields = {
        "class": type(error).__name__,
        "what": error.what,
        "where": error.where,
        "advice": error.advice,
        "id": error.id,
    }
    return json.dumps(fields).encode()


def decode_error(payload: bytes) -> BootgraftError:
    """The error in a FAULT's payload; an unknown class comes out as BootgraftError, an unknown id as the class's."""
    fields = json.loads(payload)
    kind = getattr(errors, str(fields["class"]), BootgraftError)
    if not (isinstance(kind, type) and issubclass(kind, BootgraftError)):
        kind = BootgraftError
    known: tuple[ErrorId, ...] = get_args(ErrorId)
    id_ = next((each for each in known if each == fields.get("id")), None)
    return kind(str(fields["what"]), where=str(fields["where"]), advice=str(fields["advice"]), id=id_)


class ProxyDevice:
    """A block device that lives in the parent; the child can read it and has nothing to write it with."""

    def __init__(self, channel: Channel, number: int, size: int, name: str) -> None:
        self._channel = channel
        self._number = number
        self._size = size
        self._name = name

    @property
    def size(self) -> int:
        """Bytes of the device."""
        return self._size

    def read(self, offset: int, length: int, /) -> bytes:
        """Ask the parent for bytes; its ImageError is raised here."""
        if offset < 0 or length < 0 or offset + length > self._size:
            raise ImageError(
                f"bytes {offset} to {offset + length} lie outside the {self._size} bytes of the disk",
                where=self._name,
                advice="The image is truncated or its partition table is wrong: compare its size with the original's",
            )
        return b"".join(
            self._ask(at, min(MAX_READ, offset + length - at)) for at in range(offset, offset + length, MAX_READ)
        )

    def _ask(self, offset: int, length: int) -> bytes:
        self._channel.send(Frame.READ, READ_REQUEST.pack(self._number, offset, length))
        frame, payload = self._channel.receive()
        if frame is Frame.FAULT:
            raise decode_error(payload)
        if frame is not Frame.DATA or len(payload) != length:
            raise _closed()
        return payload

    def write(self, _offset: int, _data: bytes, /) -> None:
        """Refuse: all writing goes to an overlay on top."""
        raise errors.ReadOnlyError(
            "the process that reads volumes has no handle to write with", where=self._name, advice="This is a bug"
        )

    def flush(self) -> None:
        """Do nothing: nothing is written here."""

    def close(self) -> None:
        """Do nothing: the parent owns the device."""
