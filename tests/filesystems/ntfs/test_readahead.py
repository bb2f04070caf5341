"""The read-ahead cache: the same bytes as without it, in fewer reads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, field

from bootgraft.errors import ImageError
from bootgraft.filesystems.ntfs.readahead import CHUNK, LONGEST, ReadAhead
from bootgraft.storage.devices.blockdevice import check_range


class Memory(Struct):
    """Bytes as a block device that counts its reads and can refuse writes."""

    content: bytearray
    reads: list[int] = field(default_factory=list)
    broken: bool = False
    flushed: int = 0

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where="memory")
        self.reads.append(length)
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        if self.broken:
            self.content[offset : offset + len(data) // 2] = data[: len(data) // 2]
            raise ImageError("no space", where="memory", advice="Free some")
        self.content[offset : offset + len(data)] = data

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        raise AssertionError("the device below belongs to somebody else")


SIZE = 5 * CHUNK + 777
PATTERN = bytes(range(251)) * (SIZE // 251 + 1)
OPERATION = st.tuples(st.integers(0, SIZE), st.integers(0, 3 * CHUNK), st.one_of(st.none(), st.binary(max_size=40)))


@settings(max_examples=100, deadline=None)
@given(operations=st.lists(OPERATION, max_size=25), limit=st.sampled_from([0, CHUNK, 3 * CHUNK, 1 << 24]))
def test_reads_and_writes_are_those_of_the_device(operations: list[tuple[int, int, bytes | None]], limit: int) -> None:
    memory = Memory(bytearray(PATTERN[:SIZE]))
    model = bytearray(memory.content)
    cache = ReadAhead(memory, limit=limit)
    for offset, length, data in operations:
        if data is None:
            count = min(length, SIZE - offset)
            assert cache.read(offset, count) == model[offset : offset + count]
        else:
            long = (data * (length // max(1, len(data)) + 1))[: min(length, SIZE - offset)] if data else b""
            cache.write(offset, long)
            model[offset : offset + len(long)] = long
            assert memory.content == model
    assert cache.read(0, SIZE) == model


def test_sequential_reading_asks_for_more_and_more() -> None:
    memory = Memory(bytearray(16 << 20))
    cache = ReadAhead(memory)
    for offset in range(0, 16 << 20, 4096):
        cache.read(offset, 4096)
    assert memory.reads[:5] == [CHUNK, 2 * CHUNK, 4 * CHUNK, 8 * CHUNK, LONGEST]
    assert len(memory.reads) < 22


def test_what_is_near_is_read_once_and_what_is_far_costs_one_chunk() -> None:
    memory = Memory(bytearray(1 << 20))
    cache = ReadAhead(memory)
    for offset in (700_000, 700_100, 3, 699_999, 500):
        cache.read(offset, 10)
    assert memory.reads == [CHUNK, CHUNK]


def test_memory_is_bounded() -> None:
    memory = Memory(bytearray(8 << 20))
    cache = ReadAhead(memory, limit=1 << 20)
    for offset in range(0, 8 << 20, CHUNK):
        cache.read(offset, 1)
    assert sum(memory.reads) == 8 << 20
    cache.read((8 << 20) - 1, 1)
    assert sum(memory.reads) == 8 << 20
    cache.read(0, 1)
    assert sum(memory.reads) == (8 << 20) + CHUNK


def test_a_long_read_bypasses_the_cache() -> None:
    memory = Memory(bytearray(PATTERN[:SIZE] * 8))
    cache = ReadAhead(memory)
    assert cache.read(5, LONGEST) == memory.content[5 : 5 + LONGEST]
    assert memory.reads == [LONGEST]


def test_after_a_failed_write_the_device_is_asked_again() -> None:
    memory = Memory(bytearray(CHUNK))
    cache = ReadAhead(memory)
    cache.read(0, 1)
    memory.broken = True
    with pytest.raises(ImageError, match="no space"):
        cache.write(0, b"abcd")
    assert cache.read(0, 4) == b"ab\0\0"


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, SIZE + 1), (SIZE, 1), (1 << 70, 1)])
def test_outside(offset: int, length: int) -> None:
    cache = ReadAhead(Memory(bytearray(PATTERN[:SIZE])))
    with pytest.raises(ImageError, match="outside"):
        cache.read(offset, length)
    with pytest.raises(ImageError, match="outside"):
        cache.write(offset, bytes(length))


def test_flush_goes_through_and_close_does_not() -> None:
    memory = Memory(bytearray(10))
    cache = ReadAhead(memory)
    cache.flush()
    cache.close()
    assert memory.flushed == 1
    assert cache.size == 10
