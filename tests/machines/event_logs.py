"""Event logs, crash dumps and text logs as Windows leaves them, written after the public descriptions of their formats.

EVTX and EVT: libyal, "Windows XML Event Log (EVTX) format" and "Windows Event Log (EVT) format". Dumps: Microsoft,
``DUMP_HEADER32`` and ``DUMP_HEADER64``. Other people's readers take what is written here: see the tests of the readers.
"""

import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

CHUNK = 65536
_STRING, _UINT16, _BINARY, _BINARY_XML, _STRINGS = 0x01, 0x06, 0x0E, 0x21, 0x81
FIRST = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class Entry(Struct, frozen=True):
    """One record. ``data`` are texts, named as manifests name them or, as by classic sources, not."""

    source: str
    id: int
    data: tuple[tuple[str, str], ...] = ()
    minutes: float = 0.0  # after FIRST
    binary: bytes = b""

    @property
    def time(self) -> datetime:
        return FIRST + timedelta(minutes=self.minutes)


def entry(source: str, identifier: int, *texts: str, minutes: float = 0.0, binary: bytes = b"", **named: str) -> Entry:
    """A record with these texts."""
    data = (*(("", each) for each in texts), *named.items())
    return Entry(source, identifier, data, minutes, binary)


def filetime(time: datetime) -> int:
    return (time - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10


class _Chunk:
    """One chunk while it is filled: names and templates are written where they are first used."""

    def __init__(self, first: int) -> None:
        self.data = bytearray(512)
        self.first = self.next = first
        self.last_offset = 512
        self._names: dict[str, int] = {}
        self._templates: dict[tuple[str, ...], int] = {}

    def add(self, each: Entry) -> None:
        self.last_offset = start = len(self.data)
        self.data += struct.pack("<IIQQ", 0x2A2A, 0, self.next, filetime(each.time))
        nested = tuple(name for name, _ in each.data) if any(name for name, _ in each.data) else ()
        values: list[tuple[int, bytes]] = [(_STRING, each.source.encode("utf-16-le")), (_UINT16, _u16(each.id))]
        self._instance(("Event",), [*values, (_BINARY_XML, b"")], lambda: self._event_data(each, nested))
        self.data += b"\0"
        self.data += b"\0" * (-(len(self.data) - start + 4) % 8)
        size = len(self.data) - start + 4
        self.data += struct.pack("<I", size)
        struct.pack_into("<I", self.data, start + 4, size)
        self.next += 1

    def _event_data(self, each: Entry, nested: tuple[str, ...]) -> None:
        texts = [text.encode("utf-16-le") for _, text in each.data]
        if nested:
            self._instance(("Named", *nested), [(_STRING, text) for text in texts])
        else:
            joined = b"".join(text + b"\0\0" for text in texts)
            self._instance(("Classic",), [(_STRINGS, joined), (_BINARY, each.binary)])
        self.data += b"\0"

    def _instance(self, kind: tuple[str, ...], values: Sequence[tuple[int, bytes]], last: "object" = None) -> None:
        """A template instance; ``last`` writes the last value in place, as its names lie in the chunk too."""
        self.data += b"\x0f\x01\x01\0\x0c\x01" + _u32(zlib.crc32(repr(kind).encode()))
        known = self._templates.get(kind)
        here = len(self.data) + 4
        self.data += _u32(here if known is None else known)
        if known is None:
            self._templates[kind] = here
            self.data += bytes(4) + repr(kind).encode().ljust(16)[:16] + bytes(4)
            body = len(self.data)
            self.data += b"\x0f\x01\x01\0"
            self._body(kind)
            self.data += b"\0"
            struct.pack_into("<I", self.data, body - 4, len(self.data) - body)
        self.data += _u32(len(values))
        descriptors = len(self.data)
        for type_, value in values:
            self.data += struct.pack("<HBB", len(value), type_, 0)
        for _, value in values:
            self.data += value
        if callable(last):
            before = len(self.data)
            last()
            struct.pack_into("<H", self.data, descriptors + 4 * (len(values) - 1), len(self.data) - before)

    def _body(self, kind: tuple[str, ...]) -> None:
        match kind[0]:
            case "Event":
                start = self._open("Event")
                system = self._open("System")
                provider = self._open("Provider", attribute="Name", gap=(0, _STRING))
                self._close(provider, empty=True)
                identifier = self._open("EventID")
                self._gap(1, _UINT16)
                self._close(identifier)
                self._close(system)
                self._gap(2, _BINARY_XML)
                self._close(start)
            case "Named":
                start = self._open("EventData")
                for number, name in enumerate(kind[1:]):
                    data = self._open("Data", attribute="Name", text=name)
                    self._gap(number, _STRING)
                    self._close(data)
                self._close(start)
            case _:
                start = self._open("EventData")
                data = self._open("Data")
                self._gap(0, _STRINGS)
                self._close(data)
                binary = self._open("Binary")
                self._gap(1, _BINARY)
                self._close(binary)
                self._close(start)

    def _open(
        self, name: str, *, attribute: str = "", gap: tuple[int, int] | None = None, text: str | None = None
    ) -> int:
        start = len(self.data)
        self.data += (b"\x41" if attribute else b"\x01") + b"\xff\xff" + bytes(4)
        self._name(name)
        if attribute:
            self.data += bytes(4)
            attributes = len(self.data)
            self.data += b"\x06"
            self._name(attribute)
            if gap is not None:
                self._gap(*gap)
            if text is not None:
                self.data += b"\x05\x01" + _u16(len(text)) + text.encode("utf-16-le")
            struct.pack_into("<I", self.data, attributes - 4, len(self.data) - attributes)
        if name != "Provider":
            self.data += b"\x02"
        return start

    def _close(self, start: int, *, empty: bool = False) -> None:
        self.data += b"\x03" if empty else b"\x04"
        struct.pack_into("<I", self.data, start + 3, len(self.data) - start - 7)

    def _gap(self, number: int, kind: int) -> None:
        self.data += b"\x0e" + struct.pack("<HB", number, kind)

    def _name(self, name: str) -> None:
        known = self._names.get(name)
        here = len(self.data) + 4
        self.data += _u32(here if known is None else known)
        if known is None:
            self._names[name] = here
            hashed = 0
            for character in name:
                hashed = (hashed * 65599 + ord(character)) & 0xFFFFFFFF
            self.data += struct.pack("<IHH", 0, hashed & 0xFFFF, len(name)) + name.encode("utf-16-le") + b"\0\0"

    def finished(self) -> bytes:
        data = self.data.ljust(CHUNK, b"\0")
        last = self.next - 1
        end = len(self.data)
        head = struct.pack(
            "<8sQQQQIIII", b"ElfChnk\0", self.first, last, self.first, last, 128, self.last_offset, end,
            zlib.crc32(self.data[512:]),
        )  # fmt: skip
        data[: len(head)] = head
        struct.pack_into("<I", data, 124, zlib.crc32(data[:120] + data[128:512]))
        return bytes(data)


def evtx(
    entries: Sequence[Entry], *, first: int = 1, in_chunk: int = 40, oldest: int = 0, dirty: bool = False
) -> bytes:
    """A log with these records, ``in_chunk`` of them in each chunk.

    ``oldest`` is the chunk in which the ring begins: those before it were written last. The header of a ``dirty`` one
    tells of an empty log.
    """
    chunks = []
    for start in range(0, len(entries), in_chunk):
        chunk = _Chunk(first + start)
        for each in entries[start : start + in_chunk]:
            chunk.add(each)
        chunks.append(chunk.finished())
    told = 0 if dirty else max(len(chunks) - 1, 0)
    next_ = first if dirty else first + len(entries)
    head = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, told, next_, 128, 1, 3, 4096, told + 1)
    head = head.ljust(120, b"\0")
    head += struct.pack("<II", int(dirty), zlib.crc32(head))
    ring = chunks[len(chunks) - oldest :] + chunks[: len(chunks) - oldest]
    return head.ljust(4096, b"\0") + b"".join(ring)


def evt(entries: Sequence[Entry], *, size: int = 65536, start: int = 48, first: int = 1, dirty: bool = False) -> bytes:
    """A log of NT 5 of that size, whose oldest record lies at ``start``; it goes on behind the header where it must."""
    data = bytearray(size)
    position = start
    for number, each in enumerate(entries, start=first):
        position = _put(data, position, _evt_record(number, each), head=56)
    after = first + len(entries)
    end = struct.pack("<10I", 40, 0x11111111, 0x22222222, 0x33333333, 0x44444444, start, position, after, first, 40)
    _put(data, position, end, head=40)
    told = (48, 48) if dirty else (start, position)
    data[:48] = struct.pack("<I4s10I", 48, b"LfLe", 1, 1, *told, after, first, size, int(dirty), 0, 48)
    return bytes(data)


def _put(data: bytearray, position: int, record: bytes, *, head: int) -> int:
    if len(data) - position < head:
        data[position:] = struct.pack("<I", 0x27) * ((len(data) - position) // 4)
        position = 48
    first = min(len(record), len(data) - position)
    data[position : position + first] = record[:first]
    data[48 : 48 + len(record) - first] = record[first:]
    return position + first if first == len(record) else 48 + len(record) - first


def _evt_record(number: int, each: Entry) -> bytes:
    names = (each.source, "SERVER1")
    body = b"".join(name.encode("utf-16-le") + b"\0\0" for name in names)
    strings = 56 + len(body)
    body += b"".join(text.encode("utf-16-le") + b"\0\0" for _, text in each.data)
    binary = 56 + len(body)
    body += each.binary
    body += b"\0" * (-len(body) % 4)
    size = 56 + len(body) + 4
    time = int(each.time.timestamp())
    head = struct.pack(
        "<I4sIIIIHHHHIIIIII", size, b"LfLe", number, time, time, each.id | 0x80000000, 4, len(each.data), 0, 0, 0,
        strings, 0, 0, len(each.binary), binary,
    )  # fmt: skip
    return head + body + struct.pack("<I", size)


def dump(code: int, arguments: Sequence[int], minutes: float, *, wide: bool = True, build: int = 9600) -> bytes:
    """The header of a crash dump, of 64-bit Windows or 32-bit."""
    head = bytearray(b"PAGE" * 2048) if wide else bytearray(b"PAGE" * 1024)
    head[:16] = struct.pack("<8sII", b"PAGEDU64" if wide else b"PAGEDUMP", 15, build)
    time = struct.pack("<Q", filetime(FIRST + timedelta(minutes=minutes)))
    if wide:
        struct.pack_into("<I4x4Q", head, 0x38, code, *arguments)
        head[0xFA8:0xFB0] = time
    else:
        struct.pack_into("<5I", head, 0x28, code, *arguments)
        head[0xFC0:0xFC8] = time
    return bytes(head)


def _u16(number: int) -> bytes:
    return struct.pack("<H", number)


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)
