"""What is kept of a device is what it holds, and what was read once is not read again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import field
from tests.storage.sample_disks import MemoryDisk

from bootgraft.errors import ImageError, ReadOnlyError
from bootgraft.storage.devices.readcache import CHUNK, ReadCache

SIZE = 40 * CHUNK + 512
CONTENT = bytes(range(251)) * (SIZE // 251 + 1)


class Watched(MemoryDisk):
    """A disk that knows what was read of it."""

    asked: list[tuple[int, int]] = field(default_factory=list)

    def read(self, offset: int, length: int, /) -> bytes:
        self.asked.append((offset, length))
        return super().read(offset, length)


def watched() -> Watched:
    return Watched(bytearray(CONTENT[:SIZE]))


places = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(lambda each: (each[0], min(each[1], SIZE - each[0])))


@given(st.lists(places, max_size=20), st.sampled_from([0, CHUNK, 3 * CHUNK + 7, SIZE]))
@settings(max_examples=50, deadline=None)
def test_it_reads_what_lies_below(reads: list[tuple[int, int]], limit: int) -> None:
    cache = ReadCache(watched(), limit=limit)
    for offset, length in reads:
        assert cache.read(offset, length) == CONTENT[offset : offset + length]
        assert sum(map(len, cache._pieces.values())) == cache._kept <= limit


def test_what_was_read_is_not_read_again_and_what_lacks_comes_in_one_read() -> None:
    disk = watched()
    cache = ReadCache(disk)
    cache.read(512, CHUNK)
    cache.read(512 + 2 * CHUNK, CHUNK)
    disk.asked.clear()
    assert cache.read(512, 4 * CHUNK) == CONTENT[512 : 512 + 4 * CHUNK]
    assert disk.asked == [(512 + CHUNK, 3 * CHUNK)]
    assert cache.read(512, 4 * CHUNK) == CONTENT[512 : 512 + 4 * CHUNK]
    assert cache.read(512 + 3 * CHUNK, CHUNK) == CONTENT[512 + 3 * CHUNK : 512 + 4 * CHUNK]
    assert len(disk.asked) == 1


def test_a_long_read_leaves_what_is_kept_alone() -> None:
    disk = watched()
    cache = ReadCache(disk, limit=CHUNK)
    cache.read(0, CHUNK)
    cache.read(0, 20 * CHUNK)
    disk.asked.clear()
    cache.read(0, CHUNK)
    assert disk.asked == []


def test_nothing_is_written_through_it_and_nothing_read_beyond_the_end() -> None:
    cache = ReadCache(watched())
    with pytest.raises(ReadOnlyError):
        cache.write(0, b"x")
    with pytest.raises(ImageError):
        cache.read(SIZE, 1)


def test_a_closed_one_has_forgotten() -> None:
    disk = watched()
    cache = ReadCache(disk)
    cache.read(0, 512)
    cache.close()
    cache.read(0, 512)
    assert disk.asked == [(0, 512)] * 2
