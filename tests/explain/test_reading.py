"""Bytes to lines: whatever the encoding, however the bytes are cut, in bounded memory."""

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.explain.logreader import LogReader
from bootgraft.explain.reading import MAX_LINE, Line, lines

TEXT = "error: Größe des Datenträgers\r\nsecond\n\n\nfifth"
LINES = [Line(1, "error: Größe des Datenträgers"), Line(2, "second"), Line(5, "fifth")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_encodings_that_windows_writes(encoding: str, size: int) -> None:
    raw = TEXT.encode(encoding)
    assert list(lines(raw[at : at + size] for at in range(0, len(raw), size))) == LINES


def test_utf_16_with_the_other_byte_order() -> None:
    assert list(lines([b"\xfe\xff" + TEXT.encode("utf-16-be")])) == LINES


def test_encodings_that_change_from_line_to_line() -> None:
    raw = "naïve\n".encode() + "naïve\n".encode("cp1252") + "ascii\n".encode("utf-16-le")
    assert list(lines([raw])) == [Line(1, "naïve"), Line(2, "naïve"), Line(3, "ascii")]


def test_a_progress_bar_is_one_line_of_many_pieces() -> None:
    assert list(lines([b"a\r", b"b\rc", b"\nd"])) == [Line(1, "a"), Line(1, "b"), Line(1, "c"), Line(2, "d")]


def test_a_long_line_is_cut_between_characters() -> None:
    (line,) = lines(["ä".encode() * MAX_LINE])
    assert line.text == "ä" * (MAX_LINE // 2)


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_where_the_bytes_are_cut_makes_no_difference(raw: bytes, sizes: list[int]) -> None:
    def chunks() -> Iterator[bytes]:
        at = turn = 0
        while at < len(raw):
            size = sizes[turn % len(sizes)]
            yield raw[at : at + size]
            at, turn = at + size, turn + 1

    whole = list(lines([raw]))
    assert list(lines(chunks())) == whole
    assert all("\n" not in each.text and "\r" not in each.text for each in whole)


def big_log(size: int) -> Iterator[bytes]:
    """A log that is made while it is read: errors that differ, and a line without end in its middle."""
    made = 0
    while made < size:
        at = made // 97
        text = f"[#8] [2011-10-05 09:01:18.894 02372 error 'task-{at}'] odd {chr(97 + at % 26) * (at % 200)} {at}\n"
        chunk = (text * 50).encode()
        yield chunk
        made += len(chunk)
        if size // 2 < made < size // 2 + len(chunk):
            yield from (b"x" * 65536 for _ in range(40))


def peak(size: int) -> int:
    tracemalloc.start()
    try:
        reader = LogReader()
        reader.read("big.log", lines(big_log(size)))
        report = reader.report()
        assert report.messages > size // 400
        assert 1 <= len(report.unknown) <= 40
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_log_is_read_in_constant_memory_however_long_it_is() -> None:
    peak(1 << 16)  # what is loaded and compiled once
    small, large = peak(1 << 18), peak(1 << 21)
    assert large < 2 << 20
    assert large < 2 * small
