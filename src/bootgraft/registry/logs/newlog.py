"""Transaction logs in the new format (Windows 8.1 and later): entries, each a set of whole pages.

Format: https://github.com/msuhanov/regf, "New format".
"""

import struct

from msgspec import Struct

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import BASE_SIZE, PAGE, SECTOR
from bootgraft.registry.logs.header import LOG_LIMIT, LogFault
from bootgraft.registry.logs.marvin32 import marvin32
from bootgraft.registry.logs.replayed import ReplayedFile
from bootgraft.registry.pages import Storage

FIRST_ENTRY = SECTOR
"""File offset of a log's first entry."""
_HEAD = struct.Struct("<4sIIIIIQQ")
_HASHED_HEAD = 32
_REFERENCE = struct.Struct("<II")


class LogEntry(Struct, frozen=True):
    """One transaction: ``pages`` are (offset in the bins' data, content); sizes are bytes."""

    size: int
    flags: int
    sequence: int
    bins_size: int
    pages: tuple[tuple[int, bytes], ...]


def read_entry(log: Storage, log_size: int, at: int, sequence: int) -> LogEntry | LogFault:
    """Read the entry at file offset ``at``, or say why there is none with this sequence number.

    Where Windows meets such a place, recovery from this log ends.
    """
    head = log.read(at, _HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(b"HvLE"):
        return LogFault(f"has no entry at {at}")
    _, size, flags, found, bins_size, count, content_hash, head_hash = _HEAD.unpack(head)
    if marvin32(head[:_HASHED_HEAD]) != head_hash:
        return LogFault(f"has an entry at {at} whose header does not match its checksum")
    if found != sequence:
        return LogFault(f"has entry {found} where {sequence} is expected")
    fits = _HEAD.size + count * _REFERENCE.size <= size <= min(log_size - at, LOG_LIMIT)
    if size % SECTOR or not fits or count == 0 or bins_size == 0 or bins_size % PAGE:
        return LogFault(f"has an entry {found} of impossible size")
    entry = log.read(at, size)
    if len(entry) < size or marvin32(memoryview(entry)[_HEAD.size :]) != content_hash:
        return LogFault(f"has an entry {found} whose content does not match its checksum")
    pages = _pages(entry, count, bins_size)
    if pages is None:
        return LogFault(f"has an entry {found} with pages that lie outside it or outside the hive")
    return LogEntry(size, flags, found, bins_size, pages)


def _pages(entry: bytes, count: int, bins_size: int) -> tuple[tuple[int, bytes], ...] | None:
    """The pages of an entry; None where they do not lie in it or in the bins."""
    pages = []
    at = _HEAD.size + count * _REFERENCE.size
    for index in range(count):
        offset, size = _REFERENCE.unpack_from(entry, _HEAD.size + index * _REFERENCE.size)
        if size == 0 or offset + size > bins_size or at + size > len(entry):
            return None
        pages.append((offset, entry[at : at + size]))
        at += size
    return tuple(pages)


class Replayed(Struct, frozen=True):
    """What the entries of one log came to: the last one's number, flags and bins size, and the bytes of all pages."""

    last: int
    flags: int
    bins_size: int
    size: int


def replay(log: Storage, first: int, view: ReplayedFile, *, name: str) -> Replayed | LogFault:
    """Lay the entries of a log over the hive: ``first`` and those that follow it without a gap or a flaw.

    Says why there is not even the first. Raises HiveError where there are more than LOG_LIMIT bytes of them.
    """
    log_size, at, sequence = log.size, FIRST_ENTRY, first
    done: Replayed | None = None
    while not isinstance(entry := read_entry(log, log_size, at, sequence), LogFault):
        for offset, data in entry.pages:
            view.put(BASE_SIZE + offset, data)
        size = sum(len(data) for _, data in entry.pages) + (done.size if done else 0)
        done = Replayed(sequence, entry.flags, entry.bins_size, size)
        at += entry.size
        sequence = sequence + 1 & 0xFFFFFFFF
        if at > LOG_LIMIT:
            raise HiveError(
                f"more than {LOG_LIMIT >> 20} MiB of transactions are pending in one log",
                where=name,
                advice="Windows never lets it come to that: the log is damaged or forged, and nothing was written",
            )
    return entry if done is None else done
