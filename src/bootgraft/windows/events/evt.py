r"""Event logs of Windows NT 4 to Server 2003 (``.Evt``), from the newest record backwards.

The format: libyal, "Windows Event Log (EVT) format"; Microsoft, ``EVENTLOGRECORD`` and "Event Log File Format". Behind
a header of 48 bytes the file is a ring: a record that meets the end goes on behind the header, unless not even its head
has room there; that rest is filled with the number 0x27. Behind the newest record stands one of 40 bytes that marks the
end. The header of a log in use (dirty) names a place where the end once was: it is searched from there on. Each record
ends with its size, so the way leads backwards.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from bootgraft.filesystems.base import OpenFile
from bootgraft.windows.events.record import MAX_READ, Enough, EventRecord, LogReading, Wanted

_HEADER = struct.Struct("<I4sIIIIIIIIII")
_HEAD = struct.Struct("<I4sIIIIHHHHIIIIII")
_SIZE = struct.Struct("<I")
_MAGIC = b"LfLe"
_END = struct.pack("<5I", 40, 0x11111111, 0x22222222, 0x33333333, 0x44444444)
_FILLER = 0x27
_MAX_STRINGS = 64
_MAX_TEXT = 1024


def read_evt(file: OpenFile, wanted: Wanted, enough: Enough) -> LogReading:
    """The wanted records of the end of the log, until there are enough or :data:`MAX_READ` is reached.

    Raises the BootgraftError family where it cannot be read.
    """
    size = file.size
    head = file.read(0, _HEADER.size)
    if len(head) < _HEADER.size or head[4:8] != _MAGIC:
        return LogReading(problem="it is no event log (no LfLe header)")
    ring = size - _HEADER.size
    if ring <= 0:
        return LogReading()
    named = _HEADER.unpack(head)[5]
    start = named - _HEADER.size if _HEADER.size <= named < size else 0
    end = _find_end(file, ring, start)
    if end is None:
        return LogReading(problem="the end of its records is not found")
    length = min(ring, MAX_READ)
    data = _around(file, ring, end - length, length)
    found: list[EventRecord] = []
    last: datetime | None = None
    for record in _backwards(data):
        last = last or record.time
        if wanted(*record.kind):
            found.append(record)
            if enough(found):
                break
    return LogReading(tuple(reversed(found)), last)


def _find_end(file: OpenFile, ring: int, start: int) -> int | None:
    """Where the mark of the end begins, counted from behind the header; searched in both directions, forward first."""
    length = min(ring, MAX_READ)
    for first in (start, start - length):
        found = _around(file, ring, first, length + len(_END)).find(_END)
        if found >= 0:
            return (first + found) % ring
    return None


def _around(file: OpenFile, ring: int, start: int, length: int) -> bytes:
    """Bytes of the ring from a place on, which may be negative, past its end and on at its beginning."""
    start %= ring
    data = file.read(_HEADER.size + start, min(length, ring - start))
    while len(data) < length:
        more = file.read(_HEADER.size, min(length - len(data), ring))
        if not more:
            break
        data += more
    return data


def _backwards(data: bytes) -> Iterator[EventRecord]:
    """The records that end where the data ends, the newest first, as far as they hang together."""
    end = len(data)
    number: int | None = None
    while end >= _SIZE.size:
        (size,) = _SIZE.unpack_from(data, end - _SIZE.size)
        if size == _FILLER:
            end -= _SIZE.size
            continue
        start = end - size
        if size < _HEAD.size + _SIZE.size or start < 0:
            return
        record = _record(data[start:end])
        if record is None or (number is not None and record.number != number - 1):
            return
        yield record
        end, number = start, record.number


def _record(raw: bytes) -> EventRecord | None:
    size, magic, number, generated, _, event, _, count, _, _, _, strings, _, _, length, offset = _HEAD.unpack_from(raw)
    if magic != _MAGIC or size != len(raw):
        return None
    source = _texts(raw, _HEAD.size, 1)
    data = [("", text) for text in _texts(raw, strings, min(count, _MAX_STRINGS))]
    if length and offset + length <= size:
        data.append(("Binary", raw[offset : offset + min(length, _MAX_TEXT)].hex().upper()))
    return EventRecord(
        number,
        datetime.fromtimestamp(generated, UTC),
        source[0] if source else "",
        event & 0xFFFF,
        tuple(data),
    )


def _texts(raw: bytes, start: int, count: int) -> list[str]:
    """Texts of UTF-16, each with a NUL behind it. What is not even ended is left out."""
    found: list[str] = []
    for _ in range(count):
        end = start
        while raw[end : end + 2] != b"\0\0":
            if end >= len(raw):
                return found
            end += 2
        found.append(raw[start : min(end, start + 2 * _MAX_TEXT)].decode("utf-16-le", "replace"))
        start = end + 2
    return found
