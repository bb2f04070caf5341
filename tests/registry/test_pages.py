"""The paged store: reads what is wanted, writes what changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import Memory

from bootgraft.errors import HiveError
from bootgraft.registry.pages import CLUSTER, PagedStore

PAGE = 4096


def test_reads_one_cluster_for_one_byte() -> None:
    memory = Memory(bytes(range(256)) * 4096)
    store = PagedStore(memory, name="h")
    assert store.read(5, 3) == bytes([5, 6, 7])
    assert store.read(CLUSTER - 1, 1) == b"\xff"
    assert memory.reads == [(0, CLUSTER)]


def test_a_long_read_is_one_read() -> None:
    memory = Memory(bytes(2**20))
    PagedStore(memory, name="h").read(100, 2**19)
    assert len(memory.reads) == 1


def test_reading_in_a_row_reads_ahead() -> None:
    memory = Memory(bytes(2**23))
    store = PagedStore(memory, name="h")
    for offset in range(0, 2**23, PAGE):
        store.read(offset, PAGE)
    assert len(memory.reads) < 16
    assert sum(length for _, length in memory.reads) == 2**23


def test_memory_stays_bounded() -> None:
    memory = Memory(bytes(2**25))
    store = PagedStore(memory, name="h")
    store.write(3, b"kept")
    for offset in range(0, 2**25, CLUSTER):
        store.read(offset, 1)
    assert len(store._clusters) * CLUSTER < 2**24  # what the cache may hold, by contract
    assert store.read(3, 4) == b"kept"


def test_what_is_forgotten_is_read_again_and_what_was_changed_stays() -> None:
    memory = Memory(bytes(range(256)) * 1024)
    store = PagedStore(memory, name="hive")
    store.read(0, 3 * CLUSTER)
    store.write(CLUSTER + 5, b"changed")
    store.forget()
    memory.reads.clear()
    assert store.read(CLUSTER + 5, 7) == b"changed"
    assert not memory.reads
    assert store.read(0, 4) == bytes(range(4))
    assert memory.reads


def test_writing_the_same_bytes_changes_nothing() -> None:
    memory = Memory(b"abc" * 5000)
    store = PagedStore(memory, name="h")
    store.write(0, b"abcabc")
    assert not store.is_changed
    store.write_back(limit=4096)
    assert memory.writes == []


def test_growth_reaches_the_limit_even_where_it_is_zero() -> None:
    memory = Memory(b"x" * 8192)
    store = PagedStore(memory, name="h")
    store.extend(16384)
    store.write(8192, b"new")
    store.write_back(limit=16384)
    assert memory.data == b"x" * 8192 + b"new".ljust(8192, b"\0")


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 8193), (8192, 1), (2**40, 4)])
def test_out_of_range(offset: int, length: int) -> None:
    with pytest.raises(HiveError):
        PagedStore(Memory(bytes(8192)), name="h").read(offset, length)


def test_a_file_that_shrinks_is_an_error() -> None:
    memory = Memory(bytes(8192))
    store = PagedStore(memory, name="h")
    del memory.data[4096:]
    with pytest.raises(HiveError, match="4096 of 8192"):
        store.read(0, 1)


edits = st.lists(st.tuples(st.integers(0, 3 * CLUSTER), st.binary(min_size=1, max_size=9000)), max_size=12)


@settings(deadline=None, max_examples=40)
@given(edits, edits)
def test_like_a_bytearray(kept: list[tuple[int, bytes]], undone: list[tuple[int, bytes]]) -> None:
    base = bytes(range(251)) * 1000
    memory, model = Memory(base), bytearray(base)
    store = PagedStore(memory, name="h")
    for offset, data in kept:
        offset = min(offset, len(base) - len(data))
        store.write(offset, data)
        model[offset : offset + len(data)] = data
    store.begin()
    for offset, data in undone:
        store.write(min(offset, len(base) - len(data)), data)
    store.rollback()
    assert store.read(0, len(base)) == model
    store.write_back(limit=len(base) // PAGE * PAGE)
    assert memory.data[: len(base) // PAGE * PAGE] == model[: len(base) // PAGE * PAGE]
    changed = {page for page in range(len(base) // PAGE) if base[page * PAGE :][:PAGE] != model[page * PAGE :][:PAGE]}
    written = {page for at, size in memory.writes for page in range(at // PAGE, -(-(at + size) // PAGE))}
    assert changed <= written
    touched = {page for at, data in kept for page in range(at // PAGE - 3, (at + len(data)) // PAGE + 1)}
    assert written <= touched
