"""EVTX logs: what other people's reader finds in them is found, the newest first, and damage ends nothing."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import evtx as oracle  # type: ignore[import-not-found,import-untyped,unused-ignore]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import FakeFileSystem
from tests.machines.event_logs import CHUNK, Entry, entry, evtx
from tests.windows.events.logfiles import everything, file_of, never

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import OpenFile
from bootgraft.windows.events.evtx import read_evtx
from bootgraft.windows.events.record import LogReading

ENTRIES = tuple(
    each
    for number in range(24)
    for each in (
        entry("EventLog", 6005, minutes=number, binary=bytes([number])),
        entry("Service Control Manager", 7026, "\r\ncdrom\r\nsptd", minutes=number + 0.5),
        entry("Microsoft-Windows-Kernel-Power", 41, minutes=number, BugcheckCode="123", BugcheckParameter1="0x12"),
        entry("Ntfs", 55, "C:", "\N{SNOWMAN}" * 9, "", minutes=number),
    )
)


def read(data: bytes) -> LogReading:
    return read_evtx(file_of(data), everything, never)


def by_oracle(data: bytes) -> list[tuple[int, str, int, list[str]]]:
    found = []
    for each in oracle.PyEvtxParser(io.BytesIO(data)).records_json():
        assert each is not None
        event = json.loads(each["data"])["Event"]
        source = event["System"]["Provider"]["#attributes"]["Name"]
        found.append((each["event_record_id"], source.casefold(), event["System"]["EventID"], _texts(event)))
    return sorted(found)


def _texts(event: Any) -> list[str]:
    texts: list[str] = []
    for name, value in (event["EventData"] or {}).items():
        plain = value["#text"] if isinstance(value, dict) else value
        texts += plain if isinstance(plain, list) else [] if plain is None and name == "Data" else [plain or ""]
    return texts


@pytest.mark.parametrize("in_chunk", [96, 40, 7])
def test_other_peoples_reader_finds_the_same(in_chunk: int) -> None:
    data = evtx(ENTRIES, in_chunk=in_chunk)
    found = read(data)
    assert found.problem is None
    ours = [(each.number, each.kind[0], each.id, [text for text in each.texts if text]) for each in found.records]
    theirs = [(*head, [text for text in texts if text]) for *head, texts in by_oracle(data)]
    assert ours == [tuple(each) for each in theirs]
    assert len(ours) == len(ENTRIES)


def test_what_a_record_says() -> None:
    found = read(evtx(ENTRIES[:4])).records
    assert [each.time for each in found] == [each.time for each in ENTRIES[:4]]
    assert found[0].text("Binary") == "00"
    assert found[1].texts[0].split() == ["cdrom", "sptd"]
    assert found[2].text("BugcheckCode") == "123"
    assert found[2].text("nothing of that name") == ""
    assert found[3].texts[1] == "\N{SNOWMAN}" * 9


def test_a_ring_and_a_header_that_lags_behind() -> None:
    data = evtx(ENTRIES, in_chunk=10, oldest=4, dirty=True)
    found = read(data)
    assert [each.number for each in found.records] == list(range(1, len(ENTRIES) + 1))
    assert found.last == ENTRIES[-1].time


def test_only_the_last_chunks_are_read() -> None:
    data = evtx(ENTRIES, in_chunk=10)
    filesystem = FakeFileSystem({"\\log": data})
    offsets: list[int] = []

    class Watched(OpenFile, frozen=True):
        def read(self, offset: int, length: int, /) -> bytes:
            if length == CHUNK:
                offsets.append(offset)
            return super().read(offset, length)

    found = read_evtx(
        Watched(filesystem, "\\log"), lambda source, _: source == "eventlog", lambda found: len(found) >= 4
    )
    last = 4096 + 9 * CHUNK
    assert offsets == [last, last - CHUNK]
    assert [each.id for each in found.records] == [6005] * len(found.records)


def test_records_of_an_earlier_use_of_the_chunk_are_not_taken() -> None:
    old, new = evtx(ENTRIES[:40]), bytearray(evtx(ENTRIES[:6], first=1000))
    start = 4096 + struct.unpack_from("<I", new, 4096 + 48)[0]
    new[start:] = old[start - 4 :][: len(new) - start]  # whatever stands there, it goes on with other numbers
    new[start : start + 24] = struct.pack("<IIQQ", 0x2A2A, 64, 17, 0)
    assert [each.number for each in read(bytes(new)).records] == list(range(1000, 1006))


@pytest.mark.parametrize("data", [b"", b"ElfFile", bytes(8192), b"MZ" * 9000], ids=len)
def test_what_is_no_log(data: bytes) -> None:
    assert read(data) == LogReading(problem="it is no event log (no ElfFile header)")


def test_a_log_without_chunks() -> None:
    assert read(evtx([])) == LogReading()
    assert read(evtx(ENTRIES)[:5000]) == LogReading()


def test_a_record_that_is_damaged_is_passed_over() -> None:
    data = bytearray(evtx(ENTRIES[:4]))
    third = data.index(struct.pack("<IIQ", 0x2A2A, 0, 3)[:4], 4096 + 512 + 1)
    while struct.unpack_from("<Q", data, third + 8)[0] != 3:
        third = data.index(b"**\0\0", third + 1)
    data[third + 24] = 0x77
    found = read(bytes(data))
    assert [each.number for each in found.records] == [1, 2, 4]
    assert found.problem == "damaged records were passed over: 1"


def test_a_volume_that_cannot_be_read_there() -> None:
    class Broken(OpenFile, frozen=True):
        def read(self, offset: int, length: int, /) -> bytes:
            if length == CHUNK and offset > 4096 + CHUNK:
                raise FileSystemError("input/output error", where="here", advice="")
            return super().read(offset, length)

    found = read_evtx(Broken(FakeFileSystem({"\\log": evtx(ENTRIES)}), "\\log"), everything, never)
    assert found.problem == "input/output error"
    assert [each.number for each in found.records] == list(range(1, 81))


def test_hostile_trees_are_not_followed_for_long() -> None:
    """Every record has a template of its own that fills the chunk with attributes or elements."""
    chunk = bytearray(evtx(ENTRIES[:1])[4096:])
    records = bytearray()
    for number in range(700):
        records += struct.pack("<IIQQ", 0x2A2A, 64, number + 1, 1) + b"\x0c\x01" + struct.pack("<II", 0, 49000)
        records += struct.pack("<I", 0)
        records = records.ljust((number + 1) * 64, b"\0")
    chunk[512 : 512 + len(records)] = records
    chunk[49000:49024] = bytes(24)
    chunk[48900:48912] = struct.pack("<IHH", 0, 0, 1) + b"A\0\0\0"
    name = struct.pack("<I", 48900)
    chunk[49024 : 49024 + 11] = b"\x41\xff\xff" + bytes(4) + name
    position = 49039
    while position < CHUNK - 80:
        chunk[position : position + 5] = b"\x46" + name
        position += 5
    data = evtx([])[:4096] + bytes(chunk) * 32
    found = read(data)
    assert not found.records
    assert found.problem == "it is too complicated to be read to its end"


def _mutated(data: bytes, edits: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, value in edits:
        changed[place % len(changed)] = value
    return bytes(changed)


SMALL = evtx(ENTRIES[:8], in_chunk=4)
USED = 2600


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.integers(0, USED), st.integers(0, 255)), min_size=1, max_size=12))
def test_damage_never_ends_the_reading(edits: list[tuple[int, int]]) -> None:
    found = read(_mutated(SMALL, [(4096 + place, value) for place, value in edits]))
    assert len(found.records) <= 8
    for each in found.records:
        assert all(isinstance(text, str) for text in each.texts)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000))
def test_noise_in_a_chunk(noise: bytes) -> None:
    chunk = bytearray(SMALL[4096 : 4096 + CHUNK])
    chunk[536 : 536 + len(noise)] = noise
    assert len(read(SMALL[:4096] + bytes(chunk)).records) <= 4


def test_texts_are_cut() -> None:
    (found,) = read(evtx([Entry("EventLog", 6005, (("Name", "x" * 9000),))])).records
    assert found.texts == ("x" * 1024,)


REAL = sorted((Path(__file__).parents[4] / "shared" / "testdata").glob("**/*.evtx"))


@pytest.mark.skipif(not REAL, reason="no real event logs at hand")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_logs(path: Path) -> None:
    data = path.read_bytes()
    theirs = by_oracle(data)
    ours = read(data).records
    assert [(each.number, each.kind[0], each.id) for each in ours] == [each[:3] for each in theirs[-len(ours) :]]
