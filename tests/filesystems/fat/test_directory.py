from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.filesystems.fat.directory import SLOT, dos_time, find_room, new_slots, parse
from bootgraft.filesystems.fat.names import new_name

WHEN = datetime(2009, 7, 13, 23, 59, 59, 990_000)


def slots(name: str, *, size: int = 1) -> bytes:
    stored = new_name(name, {}.__contains__, where="test")
    return new_slots(stored, attributes=0x20, first_cluster=0x12345, size=size, when=WHEN)


def names(data: bytes) -> list[str]:
    return [record.name for record in parse(data).records]


LONG = "a name of three parts, no less.txt"


def test_round_trip() -> None:
    (record,) = parse(slots(LONG, size=77)).records
    assert (record.name, record.short_name, record.size, record.slot) == (LONG, "ANAMEO~1.TXT", 77, 3)
    assert record.first_cluster(fat32=True) == 0x12345
    assert record.first_cluster(fat32=False) == 0x2345


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("wrong checksum", slots(LONG)[:96] + b"OTHER   TXT" + slots(LONG)[107:]),
        ("first part lost", slots(LONG)[32:]),
        ("middle part lost", slots(LONG)[:32] + slots(LONG)[64:]),
        ("last part lost", slots(LONG)[:64] + slots(LONG)[96:]),
        ("parts swapped", slots(LONG)[32:64] + slots(LONG)[:32] + slots(LONG)[64:]),
        ("deleted in between", slots(LONG)[:64] + b"\xe5" + slots(LONG)[65:]),
        ("number zero", b"\x40" + slots(LONG)[1:]),
        ("number 21", b"\x55" + slots(LONG)[1:]),
        ("another name's part before", slots("another long name")[:32] + slots(LONG)[64:]),
    ],
)
def test_long_parts_without_their_short_name_are_passed_over(what: str, data: bytes) -> None:
    assert names(data + slots("NEXT")) in (["ANAMEO~1.TXT", "NEXT"], ["OTHER.TXT", "NEXT"]), what


def test_an_orphan_before_a_whole_name() -> None:
    assert names(slots("gone with its short name")[:32] + slots(LONG)) == [LONG]


def test_a_long_name_with_characters_no_name_has_is_passed_over() -> None:
    data = slots("abc def").replace(b"a\0b\0c\0", b"a\0\\\0c\0")
    assert names(data) == ["ABCDEF~1"]


def test_labels_dots_and_the_end() -> None:
    label = b"MY DISK    \x08".ljust(SLOT, b"\0")
    dots = b".          \x10".ljust(SLOT, b"\0") + b"..         \x10".ljust(SLOT, b"\0")
    listing = parse(dots + label + b"SECOND     \x08".ljust(SLOT, b"\0") + slots("A") + bytes(SLOT) + slots("GHOST"))
    assert [record.name for record in listing.records] == ["A"]
    assert (listing.label, listing.end, listing.slots) == ("MY DISK", 5, 7)


def test_the_first_of_two_equal_names_is_found() -> None:
    listing = parse(slots("A", size=1) + slots("A", size=2))
    assert listing.by_name["A"].size == 1


@pytest.mark.parametrize(
    ("states", "count", "slot"),
    [
        ("xxx", 1, 3),
        ("x.x", 1, 1),
        ("x.x", 2, 3),
        ("x..x", 2, 1),
        (".x..", 2, 2),
        (".x..", 3, 2),
        ("x.$$", 1, 1),
        ("x.$$", 2, 1),
        ("x.$$", 9, 1),
        ("$$", 1, 0),
        ("", 1, 0),
    ],
)
def test_find_room(states: str, count: int, slot: int) -> None:
    kinds = {"x": b"A".ljust(11) + b"\x20", ".": b"\xe5", "$": b"\0"}
    data = b"".join(kinds[state].ljust(SLOT, b"\0") for state in states)
    assert find_room(parse(data), count) == slot


@pytest.mark.parametrize(
    ("when", "date", "time"),
    [
        (datetime(2003, 5, 14, 3, 30, 20), 23 << 9 | 5 << 5 | 14, 3 << 11 | 30 << 5 | 10),
        (datetime(1970, 1, 1, 5), 0x21, 0),
        (datetime(2200, 2, 3), 127 << 9 | 2 << 5 | 3, 0),
    ],
)
def test_dos_time(when: datetime, date: int, time: int) -> None:
    assert dos_time(when) == (date, time)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=SLOT, max_size=SLOT), st.just(slots(LONG))), max_size=20))
def test_any_bytes_are_a_directory(parts: list[bytes]) -> None:
    data = b"".join(parts)
    listing = parse(data)
    for record in listing.records:
        assert record.name
        assert record.entry().size >= 0
        assert data[record.slot * SLOT :].startswith(record.raw)
    assert all(slot < listing.end <= listing.slots for slot in listing.free)
