"""The window: right bytes wherever it is moved, and no more of them than it may hold."""

import mmap
import random

import pytest

from bootgraft.registry.integrity import window as window_module
from bootgraft.registry.integrity.window import CHUNK, Window

DATA = random.Random(1).randbytes(20 * CHUNK + 4096)


@pytest.fixture(autouse=True)
def a_small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "WINDOW", 4 * CHUNK)


def source(reads: list[tuple[int, int]], data: bytes = DATA) -> Window:
    def read(offset: int, length: int) -> bytes:
        assert offset + length <= len(data)
        reads.append((offset, length))
        return data[offset : offset + length]

    return Window(read, len(data))


def in_memory(window: Window) -> int:
    return sum(any(window.data[at : at + CHUNK]) for at in range(0, len(DATA), CHUNK))


def test_what_is_loaded_is_there() -> None:
    chance = random.Random(2)
    window = source([])
    for _ in range(200):
        start = chance.randrange(len(DATA))
        end = min(start + chance.randrange(2 * CHUNK), len(DATA))
        window.load(start, end)
        assert window.data[start:end] == DATA[start:end]


def test_all_places_that_are_asked_for_together_are_there_together() -> None:
    chance = random.Random(3)
    window = source([])
    for _ in range(50):
        places = [chance.randrange(len(DATA) - 100) for _ in range(chance.randint(1, 12))]
        window.load_around(places, 100)
        assert all(window.data[at : at + 100] == DATA[at : at + 100] for at in places)


def test_offsets_beyond_the_end_are_left_out() -> None:
    window = source([])
    window.load_around([len(DATA) - 4, len(DATA) + 5, 0xFFFFFFFF], 100)
    window.load(len(DATA) + 1, len(DATA) + 5)
    assert window.data[-4:] == DATA[-4:]


def test_what_is_there_is_not_read_again() -> None:
    reads: list[tuple[int, int]] = []
    window = source(reads)
    window.load(0, 3 * CHUNK)
    window.load(CHUNK, 2 * CHUNK + 1)
    assert reads == [(0, 3 * CHUNK)]


@pytest.mark.skipif(CHUNK % mmap.PAGESIZE != 0, reason="pages here are larger than what is given back")
def test_no_more_is_in_memory_than_it_may_hold() -> None:
    window = source([])
    for chunk in range(20):
        window.load(chunk * CHUNK, (chunk + 1) * CHUNK)
        assert in_memory(window) <= 4


def test_a_hive_that_fits_is_read_at_once_unless_lazily() -> None:
    reads: list[tuple[int, int]] = []
    assert source(reads, DATA[: 4 * CHUNK]).is_whole
    assert reads == [(0, 4 * CHUNK)]
    assert not Window(lambda _, length: bytes(length), CHUNK, lazily=True).is_whole
