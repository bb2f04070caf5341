"""Disks drawn to scale."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from bootgraft.report.documents.machine import DiskDocument
from bootgraft.report.layout.drawing import WIDTH, draw, stretches_of


def drawn_of(disk: DiskDocument, width: int = WIDTH) -> str | None:
    return draw(stretches_of(disk), width)


def disk(size: int, *partitions: tuple[int, int], **changes: Any) -> DiskDocument:
    listed = [
        {
            "number": number,
            "slot": number,
            "start": start,
            "size": length,
            "type": "0x07",
            "active": number == 1,
            "filesystem": "ntfs",
            "label": None,
            "note": None,
        }
        | changes
        for number, (start, length) in enumerate(partitions, start=1)
    ]
    disk = {
        "index": 0, "path": "x", "format": "raw", "size": size, "sector_size": 512, "table": "mbr", "signature": None,
        "problems": [], "partitions": listed,
    }  # fmt: skip
    return convert(disk, DiskDocument)


def test_a_system_partition_and_a_large_one() -> None:
    drawn = drawn_of(disk(2000, (1, 500), (501, 1490)))
    assert drawn is not None
    first, second = drawn[1:-1].split("|")
    assert (first.rstrip(), second.rstrip()) == ("1 ntfs *", "2 ntfs")
    assert (len(first), len(second)) == (17, 54)


def test_free_space_is_dots_where_it_can_be_seen() -> None:
    drawn = drawn_of(disk(1000, (5, 495)))
    assert drawn is not None
    assert drawn[1:-1].split("|")[1] == "." * 36


def test_a_partition_of_a_gpt_without_a_known_file_system_has_its_number() -> None:
    drawn = drawn_of(disk(1000, (0, 1000), number=1, filesystem=None, type="C12A7328-F81F-11D2-BA4B-00A0C93EC93B"))
    assert drawn == "[" + "1 *".ljust(WIDTH) + "]"


def test_nothing_to_draw() -> None:
    assert drawn_of(disk(1000)) is None
    assert drawn_of(disk(0, (0, 100))) is None
    assert drawn_of(disk(10**6, *((at * 1000, 1000) for at in range(30)))) is None


sizes = st.integers(1, 2**45)


@given(st.lists(st.tuples(st.integers(0, 2**42), sizes), min_size=1, max_size=17), sizes)
def test_any_table_fits_the_line(gaps: list[tuple[int, int]], rest: int) -> None:
    at, partitions = 0, []
    for gap, size in gaps:
        partitions.append((at + gap, size))
        at += gap + size
    drawn = drawn_of(disk(at + rest, *partitions))
    if drawn is None:
        assert len(gaps) * 2 + 1 > WIDTH // 4
        return
    cells = drawn[1:-1].split("|")
    assert len(drawn) == WIDTH + 2
    assert min(map(len, cells)) >= 3
    numbers = [int(cell.split()[0]) if cell.split()[0].isdigit() else None for cell in cells if cell.strip(".")]
    assert [n for n in numbers if n is not None] == list(range(1, len(gaps) + 1))


@given(st.integers(1, 100), st.integers(1, 100))
def test_the_larger_partition_is_never_drawn_smaller(one: int, other: int) -> None:
    drawn = drawn_of(disk(one + other, (0, one), (one, other)))
    assert drawn is not None
    first, second = map(len, drawn[1:-1].split("|"))
    assert (first - second) * (one - other) >= 0


@given(st.lists(st.tuples(st.integers(), st.integers(0)), max_size=5), st.integers())
def test_hostile_numbers_draw_something_or_nothing(partitions: list[tuple[int, int]], size: int) -> None:
    drawn = drawn_of(disk(size, *partitions))
    assert drawn is None or len(drawn) >= WIDTH
