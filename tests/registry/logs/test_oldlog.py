"""The old log format: which pages it holds, and what it says where it is damaged."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import Memory, real_file

from bootgraft.registry.logs.header import LogFault, LogFormat, LogHeader, read_header
from bootgraft.registry.logs.oldlog import read_pages


def log_of(bits: set[int], bins_size: int, *, sector: int = 512, behind: bytes = b"") -> tuple[Memory, LogHeader]:
    """A log whose page for bit n is full of the byte n."""
    vector = bytearray(bins_size // 4096)
    for bit in bits:
        vector[bit // 8] |= 1 << bit % 8
    head = bytes(sector) + b"DIRT" + vector
    head = head.ljust(-(-len(head) // sector) * sector, b"\0")
    pages = b"".join(bytes([bit % 251]) * 512 for bit in sorted(bits))
    return Memory(head + pages + behind), LogHeader(LogFormat.OLD, 5, 99, bins_size, sector, bytes(512))


def read(log: Memory, header: LogHeader) -> tuple[tuple[int, bytes], ...]:
    found = read_pages(log, header)
    assert not isinstance(found, LogFault), found
    return found


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 8 * 40 - 1), min_size=1), st.sampled_from([512, 1024, 4096]), st.binary(max_size=600))
def test_every_page_lands_where_its_bit_says(bits: set[int], sector: int, behind: bytes) -> None:
    log, header = log_of(bits, 40 * 4096, sector=sector, behind=behind)
    pages = read(log, header)
    landed = {}
    for offset, data in pages:
        for at in range(0, len(data), 512):
            landed[(offset + at) // 512] = data[at : at + 512]
    assert landed == {bit: bytes([bit % 251]) * 512 for bit in bits}
    assert [offset for offset, _ in pages] == sorted(offset for offset, _ in pages)
    assert all(a + len(data) < b for (a, data), (b, _) in pairwise(pages)), "neighbours are joined"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data[:512], "no dirty vector"),
        (lambda data: data[:512] + b"DIRX" + data[516:], "no dirty vector"),
        (lambda data: data[:520], "cut short in its dirty vector"),
        (lambda data: data[:516] + bytes(40) + data[556:], "dirty vector is empty"),
        (lambda data: data[:-1], "cut short: 1024 bytes"),
    ],
)
def test_damage(change: object, what: str) -> None:
    log, header = log_of({3, 100}, 40 * 4096)
    log.data = bytearray(change(bytes(log.data)))  # type: ignore[operator]
    found = read_pages(log, header)
    assert isinstance(found, LogFault)
    assert what in found.what


def test_a_vector_that_promises_more_than_is_replayed_costs_nothing() -> None:
    log, header = log_of(set(range(8)), 0x7FFF_F000)
    log.data[516 : 516 + 0x7FFF_F000 // 4096] = b"\xff" * (0x7FFF_F000 // 4096)
    found = read_pages(log, header)
    assert isinstance(found, LogFault)
    assert "cut short" in found.what
    assert max(length for _, length in log.reads) < 2**20


def test_a_real_log() -> None:
    log = Memory(real_file("hives-other/yarp/OldDirtyHive/OldDirtyHive.LOG1").read_bytes())
    header = read_header(log)
    assert isinstance(header, LogHeader)
    assert (header.format, header.sequence, header.bins_size, header.sector_size) == (LogFormat.OLD, 5, 487424, 512)
    assert sum(len(data) for _, data in read(log, header)) == 32768


def header_of(**changes: int) -> LogHeader | LogFault:
    """The header of a made log with some fields changed."""
    fields = {"primary": 7, "secondary": 7, "major": 1, "minor": 5, "kind": 1, "bins": 4096, "cluster": 1} | changes
    data = bytearray(1024)
    struct.pack_into(
        "<4sIIQIIIIIII", data, 0, b"regf", fields["primary"], fields["secondary"], 99, fields["major"],
        fields["minor"], fields["kind"], 1, 32, fields["bins"], fields["cluster"],
    )  # fmt: skip
    total = 0
    for word in struct.unpack_from("<127I", data):
        total ^= word
    struct.pack_into("<I", data, 508, total ^ changes.get("wrong", 0))
    return read_header(Memory(bytes(data)))


@pytest.mark.parametrize(("kind", "cluster", "sector"), [(1, 1, 512), (2, 8, 4096), (6, 1, 512), (6, 8, 512)])
def test_headers(kind: int, cluster: int, sector: int) -> None:
    found = header_of(kind=kind, cluster=cluster)
    assert isinstance(found, LogHeader)
    assert (found.sequence, found.timestamp, found.bins_size, found.sector_size) == (7, 99, 4096, sector)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"wrong": 1}, "wrong checksum"),
        ({"kind": 0}, "unknown kind"),
        ({"major": 2}, "unknown kind"),
        ({"minor": 9}, "unknown kind"),
        ({"secondary": 6}, "never finished"),
        ({"bins": 0}, "damaged base block"),
        ({"bins": 4097}, "damaged base block"),
        ({"bins": 0xFFFFF000}, "damaged base block"),
        ({"cluster": 0}, "damaged base block"),
        ({"cluster": 9}, "damaged base block"),
    ],
)
def test_headers_that_windows_would_not_take(changes: dict[str, int], what: str) -> None:
    found = header_of(**changes)
    assert isinstance(found, LogFault)
    assert what in found.what


@pytest.mark.parametrize(("data", "what"), [(b"", "is empty"), (bytes(512), "only 512 bytes"), (bytes(999), "no log")])
def test_files_that_are_no_logs(data: bytes, what: str) -> None:
    found = read_header(Memory(data))
    assert isinstance(found, LogFault)
    assert what in found.what
