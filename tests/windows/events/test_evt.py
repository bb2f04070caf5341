"""EVT logs of NT 5: rings, headers that lag behind, damage."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines.event_logs import Entry, entry, evt
from tests.windows.events.logfiles import everything, file_of, never

from bootgraft.windows.events.evt import read_evt
from bootgraft.windows.events.record import LogReading

ENTRIES = tuple(
    entry(f"Source{number}", number, "text", "\N{SNOWMAN}" * number, minutes=number, binary=b"abc")
    for number in range(40)
)
SIZE = 16384


def read(data: bytes) -> LogReading:
    return read_evt(file_of(data), everything, never)


def said(entries: tuple[Entry, ...]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(each.source, each.id, (*(text for _, text in each.data), "616263")) for each in entries]


@pytest.mark.parametrize("dirty", [False, True], ids=["closed", "dirty"])
@pytest.mark.parametrize("start", [48, 9000, SIZE - 300, SIZE - 40, SIZE - 4])
def test_every_place_of_the_ring(start: int, dirty: bool) -> None:
    found = read(evt(ENTRIES, size=SIZE, start=start, dirty=dirty))
    assert found.problem is None
    assert [(each.source, each.id, each.texts) for each in found.records] == said(ENTRIES)
    assert [each.time for each in found.records] == [each.time for each in ENTRIES]
    assert found.last == ENTRIES[-1].time


def test_the_newest_are_enough() -> None:
    found = read_evt(file_of(evt(ENTRIES)), lambda _, identifier: identifier % 2 == 0, lambda found: len(found) == 3)
    assert [each.id for each in found.records] == [34, 36, 38]


def test_records_of_the_last_round_are_not_taken() -> None:
    """The ring was full, and the oldest record is half overwritten."""
    data = bytearray(evt(ENTRIES, size=SIZE, start=9000))
    first = data.index(b"LfLe", 9000) - 4
    data[first + 20 : first + 60] = b"\xee" * 40
    data[first : first + 4] = bytes(4)
    assert [each.id for each in read(bytes(data)).records] == list(range(1, 40))


@pytest.mark.parametrize("data", [b"", bytes(48), b"LfLe" * 1000, bytes(4096)], ids=len)
def test_what_is_no_log(data: bytes) -> None:
    assert read(data).problem in ("it is no event log (no LfLe header)", "the end of its records is not found")


def test_an_empty_log() -> None:
    assert read(evt(())) == LogReading()
    assert read(evt(())[:48]) == LogReading()


def test_without_the_mark_of_the_end() -> None:
    data = evt(ENTRIES).replace(struct.pack("<II", 0x11111111, 0x22222222), bytes(8))
    assert read(data) == LogReading(problem="the end of its records is not found")


SMALL = evt(ENTRIES[:6], size=1536, start=1400)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=10))
def test_damage_never_ends_the_reading(edits: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in edits:
        data[place] = value
    assert len(read(bytes(data)).records) <= 6
