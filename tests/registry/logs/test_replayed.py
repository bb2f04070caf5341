"""Pages over a file: reading, growing, and the order in which a commit writes them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import Memory

from bootgraft.registry.logs.replayed import ReplayedFile

SIZE = 5 * 4096
patches = st.lists(st.tuples(st.integers(0, SIZE + 3 * 4096), st.binary(min_size=1, max_size=9000)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, SIZE), patches, st.integers(0, 2 * SIZE), st.integers(0, 2 * SIZE))
def test_it_reads_as_the_file_with_the_patches(
    size: int, laid: list[tuple[int, bytes]], offset: int, length: int
) -> None:
    original = bytes(range(256)) * (SIZE // 256)
    primary = Memory(original[:size])
    view = ReplayedFile(primary)
    model = bytearray(original[:size])
    for at, data in laid:
        view.put(at, data)
        model.extend(bytes(max(0, at + len(data) - len(model))))
        model[at : at + len(data)] = data
    view.resize(len(model))
    assert view.size == len(model)
    assert view.read(offset, length) == bytes(model[offset : offset + length])
    assert primary.writes == []
    view.write(0, b"base block")
    model[:10] = b"base block"
    assert bytes(primary.data).ljust(len(model), b"\0") == bytes(model).ljust(len(primary.data), b"\0")
    assert view.read(0, len(model)) == bytes(model)


def test_growth_must_be_covered() -> None:
    view = ReplayedFile(Memory(bytes(8192)))
    assert view.is_covered
    view.put(12288, b"x" * 4096)
    view.resize(16384)
    assert not view.is_covered
    view.put(8192, b"x")
    assert view.is_covered
    view.resize(2**40)
    assert not view.is_covered


def test_pages_behind_the_end_are_dropped() -> None:
    primary = Memory(bytes(16384))
    view = ReplayedFile(primary)
    view.put(4096, b"x" * 12288)
    view.resize(8192)
    assert (view.size, view.replayed_bytes) == (16384, 4096)
    view.write(0, b"base")
    assert primary.writes == [(4096, 4096), (0, 4096)]


def test_nothing_is_written_before_the_base_block() -> None:
    primary = Memory(bytes(16384))
    view = ReplayedFile(primary)
    view.put(4096, b"a" * 4096)
    view.write(12288, b"c" * 4096)
    view.write(8192, b"b" * 4096)
    assert primary.writes == []
    view.write(0, b"base")
    assert [offset for offset, _ in primary.writes] == [4096, 8192, 12288, 0]
