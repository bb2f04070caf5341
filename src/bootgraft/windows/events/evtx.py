r"""Event logs of Windows Vista and later (``.evtx``), from the newest record backwards.

The format: libyal, "Windows XML Event Log (EVTX) format". A file is a header of 4096 bytes and chunks of 64 KiB, which
are written round and round. The header of a log in use (that of every disk that was copied hot) lags behind, a chunk's
header too: which chunk is the newest is told by the number of its first record, and a chunk's records are followed as
long as their numbers go on. What a chunk held before it was used again has other numbers.

Why no library reads this: ``evtx`` (Rust, MIT; it is the tests' oracle) never returns from files with a few bytes
altered, and nothing in Python can interrupt it; ``python-evtx`` (Apache-2.0) parses every record to XML text, and
``libevtx-python`` (LGPL) is C code in which every hostile byte would be met. What is needed here is the head of each
record and the data of a few.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice

from bootgraft.errors import BootgraftError
from bootgraft.filesystems.base import OpenFile
from bootgraft.windows.events.binxml import UNREADABLE, BinaryEvent, Budget, BudgetSpentError, Chunk
from bootgraft.windows.events.record import MAX_READ, Enough, EventRecord, LogReading, Wanted, from_filetime

_FILE_HEADER = 4096
_CHUNK = 65536
_CHUNK_HEADER = 512
_RECORD = struct.Struct("<IIQQ")
_RECORD_MAGIC = 0x2A2A
_MAX_CHUNKS = 4096
"""Chunks whose heads are looked at: 256 MiB; a log of Windows' own has 20 MiB at most unless it was set larger."""
_TOKENS = 400_000
_MAX_DATA = 64
_Head = tuple[int, int, int]
"""A record's place in its chunk, its number and its time (FILETIME)."""


def read_evtx(file: OpenFile, wanted: Wanted, enough: Enough) -> LogReading:
    """The wanted records of the last chunks, until there are enough or :data:`MAX_READ` is reached.

    Raises the BootgraftError family where its head cannot be read.
    """
    if file.read(0, 8) != b"ElfFile\0":
        return LogReading(problem="it is no event log (no ElfFile header)")
    budget = Budget(_TOKENS)
    found: list[EventRecord] = []
    last = problem = None
    damaged = 0
    for offset in _newest_chunks(file)[: MAX_READ // _CHUNK]:
        try:
            data = file.read(offset, _CHUNK)
        except BootgraftError as error:  # the other chunks may be readable
            problem = error.what
            continue
        heads = list(_record_heads(data))
        if last is None and heads:
            last = from_filetime(heads[-1][2])
        try:
            damaged += _read_chunk(Chunk(data, budget), heads, wanted, enough, found)
        except BudgetSpentError:
            problem = "it is too complicated to be read to its end"
            break
        if enough(found):
            break
    if damaged:
        problem = problem or f"damaged records were passed over: {damaged}"
    return LogReading(tuple(reversed(found)), last, problem)


def _read_chunk(chunk: Chunk, heads: Sequence[_Head], wanted: Wanted, enough: Enough, found: list[EventRecord]) -> int:
    """Add wanted records, the newest first, until there are enough; returns how many are damaged.

    Raises BudgetSpentError.
    """
    damaged = 0
    for head in reversed(heads):
        try:
            record = _read_record(chunk, head, wanted)
        except UNREADABLE:
            damaged += 1
            continue
        if record is not None:
            found.append(record)
            if enough(found):
                break
    return damaged


def _newest_chunks(file: OpenFile) -> list[int]:
    """Where the chunks that hold records begin, the newest first."""
    count = min((file.size - _FILE_HEADER) // _CHUNK, _MAX_CHUNKS)
    found = []
    for offset in range(_FILE_HEADER, _FILE_HEADER + count * _CHUNK, _CHUNK):
        head = file.read(offset, _CHUNK_HEADER + _RECORD.size)
        if head[:8] != b"ElfChnk\0" or len(head) < _CHUNK_HEADER + _RECORD.size:
            continue
        magic, _, number, _ = _RECORD.unpack_from(head, _CHUNK_HEADER)
        if magic == _RECORD_MAGIC:
            found.append((number, offset))
    return [offset for _, offset in sorted(found, reverse=True)]


def _record_heads(data: bytes) -> Iterator[_Head]:
    """Each record's place, number and time (FILETIME), as long as they follow each other."""
    position, before = _CHUNK_HEADER, None
    while position + _RECORD.size <= len(data):
        magic, size, number, filetime = _RECORD.unpack_from(data, position)
        if magic != _RECORD_MAGIC or size < _RECORD.size + 4 or position + size > len(data):
            return
        if before is not None and number != before + 1:
            return
        yield position, number, filetime
        position, before = position + size, number


def _read_record(chunk: Chunk, head: _Head, wanted: Wanted) -> EventRecord | None:
    position, number, filetime = head
    event = chunk.event(position + _RECORD.size)
    source, identifier = _origin(chunk, event)
    if not wanted(source.casefold(), identifier):
        return None
    return EventRecord(number, from_filetime(filetime), source, identifier, tuple(islice(chunk.data(event), _MAX_DATA)))


def _origin(chunk: Chunk, event: BinaryEvent) -> tuple[str, int]:
    """Who wrote it, and which event it is."""
    system = event.root.child("System")
    provider = None if system is None else system.child("Provider")
    identifier = None if system is None else system.child("EventID")
    if provider is None or identifier is None:
        raise ValueError(event.root.name)
    name = chunk.text(provider.attribute("Name"), event.values)
    return name, int(chunk.text(identifier.content, event.values))
