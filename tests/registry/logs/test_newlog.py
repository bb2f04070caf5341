"""The new log format: entries in order, and every place where recovery has to stop."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.log_writer import hashed
from tests.registry.support import Memory, real_file

from bootgraft.errors import HiveError
from bootgraft.registry.logs import newlog
from bootgraft.registry.logs.header import LogFault
from bootgraft.registry.logs.newlog import FIRST_ENTRY, LogEntry, Replayed, read_entry, replay
from bootgraft.registry.logs.replayed import ReplayedFile

BINS = 8 * 4096


def made(sequence: int, pages: list[tuple[int, bytes]], *, bins: int = BINS, flags: int = 0, **forged: int) -> bytes:
    content = b"".join(struct.pack("<II", at, forged.get("length", len(data))) for at, data in pages)
    content += b"".join(data for _, data in pages)
    size = -(-(40 + len(content)) // 512) * 512
    numbers = struct.pack("<IIIII", forged.get("size", size), flags, sequence, bins, forged.get("count", len(pages)))
    return hashed(numbers, content, size)


def log_of(*entries: bytes) -> Memory:
    return Memory(bytes(FIRST_ENTRY) + b"".join(entries))


def read(log: Memory, at: int = FIRST_ENTRY, sequence: int = 7) -> LogEntry | LogFault:
    return read_entry(log, log.size, at, sequence)


def test_an_entry() -> None:
    found = read(log_of(made(7, [(4096, b"a" * 4096), (0, b"b" * 8192)], flags=1)))
    assert found == LogEntry(12800, 1, 7, BINS, ((4096, b"a" * 4096), (0, b"b" * 8192)))


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (b"", "no entry"),
        (b"HvLE", "no entry"),
        (bytes(1024), "no entry"),
        (made(8, [(0, bytes(4096))]), "entry 8 where 7 is expected"),
        (made(7, [(0, bytes(4096))])[:-512], "impossible size"),
        (made(7, [(0, bytes(4096))], size=4700), "impossible size"),
        (made(7, [(0, bytes(4096))], size=0), "impossible size"),
        (made(7, [(0, bytes(4096))], size=0xFFFFFE00), "impossible size"),
        (made(7, []), "impossible size"),
        (made(7, [(0, bytes(4096))], count=0xFFFFFFFF), "impossible size"),
        (made(7, [(0, bytes(4096))], bins=4097), "impossible size"),
        (made(7, [(0, bytes(4096))], bins=0), "impossible size"),
        (made(7, [(BINS, bytes(4096))]), "outside"),
        (made(7, [(BINS - 512, bytes(4096))]), "outside"),
        (made(7, [(0xFFFFF000, bytes(4096))]), "outside"),
        (made(7, [(0, bytes(4096))], length=8192), "outside"),
        (made(7, [(0, bytes(4096))], length=0), "outside"),
        (made(7, [(0, bytes(4096))], length=0xFFFFFFFF), "outside"),
    ],
)
def test_where_recovery_stops(entry: bytes, what: str) -> None:
    found = read(log_of(entry))
    assert isinstance(found, LogFault)
    assert what in found.what


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4095), st.integers(1, 255))
def test_a_single_changed_byte_is_noticed(at: int, by: int) -> None:
    log = log_of(made(7, [(0, bytes(range(256)) * 12)]))
    at %= log.size - FIRST_ENTRY
    log.data[FIRST_ENTRY + at] ^= by
    assert isinstance(read(log), LogFault)


def test_entries_are_laid_over_each_other_until_the_first_gap() -> None:
    entries = [made(0xFFFFFFFF, [(0, b"a" * 8192)]), made(0, [(4096, b"b" * 4096)], bins=9 * 4096, flags=1)]
    log = log_of(*entries, made(2, [(0, b"c" * 4096)]))
    view = ReplayedFile(Memory(bytes(4096 + BINS)))
    assert replay(log, 0xFFFFFFFF, view, name="x") == Replayed(0, 1, 9 * 4096, 12288)
    assert view.read(0, 16384) == bytes(4096) + b"a" * 4096 + b"b" * 4096 + bytes(4096)


def test_a_log_without_its_first_entry() -> None:
    view = ReplayedFile(Memory(bytes(8192)))
    assert replay(log_of(made(8, [(0, bytes(4096))])), 7, view, name="x") == LogFault("has entry 8 where 7 is expected")
    assert view.replayed_bytes == 0


def test_more_than_windows_would_ever_let_pend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newlog, "LOG_LIMIT", 10_000)
    log = log_of(*(made(number, [(0, bytes(4096))]) for number in range(7, 12)))
    with pytest.raises(HiveError, match=r"SYSTEM: more than .* pending in one log"):
        replay(log, 7, ReplayedFile(Memory(bytes(8192))), name="SYSTEM")


@pytest.mark.parametrize(
    ("name", "first", "last", "bins"),
    [
        ("hives-other/yarp/NewDirtyHive1/NewDirtyHive.LOG2", 3, 5, 20480),
        ("hives-other/regipy-transactions/NTUSER.DAT.LOG1", 566, 588, 925696),
        ("bcd/bios/w10-mbr-en-a/BCD.LOG", 1796, 1796, 24576),
    ],
)
def test_real_logs(name: str, first: int, last: int, bins: int) -> None:
    done = replay(Memory(real_file(name).read_bytes()), first, ReplayedFile(Memory(bytes(4096))), name="x")
    assert isinstance(done, Replayed)
    assert (done.last, done.bins_size) == (last, bins)
