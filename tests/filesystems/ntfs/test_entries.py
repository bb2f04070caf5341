"""Names, index entries and case folding, as pure functions of bytes."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.filesystems.base import Entry
from bootgraft.filesystems.ntfs.entries import FileName, IndexEntry, block_entries, fold, root_entries

NAMES = st.text(st.characters(codec="utf-16", exclude_characters="\0"), min_size=1, max_size=100)
NUMBERS = st.integers(0, (1 << 64) - 1)


@st.composite
def file_names(draw: st.DrawFn) -> tuple[bytes, FileName]:
    name = draw(NAMES)
    units = name.encode("utf-16-le")
    parent, size, flags = draw(NUMBERS), draw(NUMBERS), draw(st.integers(0, (1 << 32) - 1))
    tag, space = draw(st.integers(0, (1 << 32) - 1)), draw(st.integers(0, 3))
    head = struct.pack("<QQQQQQQIIBB", parent, 1, 2, 3, 4, 5, size, flags, tag, len(units) // 2, space)
    return head + units, FileName(parent, name, space, size, flags, tag)


def index(names: list[bytes], *, block: bool) -> bytes:
    entries = b""
    for number, name in enumerate(names):
        length = (0x10 + len(name) + 7) // 8 * 8
        entries += (struct.pack("<QHHHH", number + 100, length, len(name), 0, 0) + name).ljust(length, b"\0")
    entries += struct.pack("<QHHHH", 0, 0x10, 0, 2, 0)
    header = struct.pack("<IIII", 0x10, 0x10 + len(entries), 0x10 + len(entries), 0)
    return (b"INDX".ljust(0x18, b"\0") if block else bytes(0x10)) + header + entries


@settings(max_examples=60, deadline=None)
@given(names=st.lists(file_names(), max_size=8), block=st.booleans())
def test_entries_come_out_as_they_were_put_in(names: list[tuple[bytes, FileName]], block: bool) -> None:
    data = index([value for value, _name in names], block=block)
    read = block_entries if block else root_entries
    assert list(read(data)) == [IndexEntry(number + 100, name) for number, (_value, name) in enumerate(names)]


@settings(max_examples=300, deadline=None)
@given(
    names=st.lists(file_names(), min_size=1, max_size=4),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 2000),
)
def test_damage_is_a_value_error_and_ends(
    names: list[tuple[bytes, FileName]], changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(index([value for value, _name in names], block=True))
    for at, byte in changes:
        data[at % len(data)] = byte
    for damaged in (bytes(data), bytes(data[: cut % len(data)])):
        try:
            found = list(block_entries(damaged))
        except ValueError:
            continue
        assert len(found) <= len(damaged) // 0x10


@pytest.mark.parametrize("data", [b"", b"INDX", b"BAAD".ljust(100, b"\0"), b"INDX".ljust(0x18, b"\0") + b"\xff" * 16])
def test_blocks_that_are_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="index"):
        list(block_entries(data))


def test_what_a_listing_shows() -> None:
    file = FileName(5, "wof.sys", 0, 70_000, 0x00000420, 0x80000017)
    assert file.entry() == Entry("wof.sys", is_directory=False, size=70_000, attributes=0x420, reparse_tag=0x80000017)
    folder = FileName(5, "WINDOWS", 1, 99, 0x10000000, 0x1234)
    assert folder.entry() == Entry("WINDOWS", is_directory=True, size=0, attributes=0x10)


def test_folding_goes_unit_by_unit_through_the_table() -> None:
    table = bytearray(struct.pack("<128H", *range(128)))
    for letter in range(ord("a"), ord("z") + 1):
        struct.pack_into("<H", table, 2 * letter, letter - 32)
    upcase = memoryview(table).cast("H")
    assert fold("SymMPI.sys", upcase) == "SYMMPI.SYS".encode("utf-16-le")
    assert fold("ä\U0001f600", upcase) == "ä\U0001f600".encode("utf-16-le")
    assert fold("", upcase) == b""
