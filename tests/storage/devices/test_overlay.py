"""The overlay against a plain bytearray that has the same done to it."""

import resource
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.errors import ImageError
from bootgraft.storage.devices import intervals
from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice
from bootgraft.storage.devices.intervals import BLOCK, IntervalMap, Piece
from bootgraft.storage.devices.overlay import MAX_RUN, Overlay, Run
from bootgraft.storage.devices.spool import CHUNK, Spool


class Base:
    """A disk that counts its reads and must not be written."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        assert offset >= 0
        assert offset + length <= self.size
        assert length <= MAX_RUN
        self.reads.append((offset, length))
        return self.content[offset : offset + length]

    def write(self, offset: int, data: bytes, /) -> None:
        raise AssertionError("the overlay wrote to its base")

    flush = close = lambda self: pytest.fail("the overlay touched its base")


class Endless(Base):
    """A disk of 2 TB that reads as zeros."""

    def __init__(self) -> None:
        super().__init__(b"")

    @property
    def size(self) -> int:
        return 2 * 2**40

    def read(self, offset: int, length: int, /) -> bytes:
        assert 0 < length <= MAX_RUN
        return bytes(length)


SIZE = 40_000  # not a whole number of sectors
PATTERN = bytes(range(256)) * 200


def content_of(number: int, length: int) -> bytes:
    """Bytes that are constant for a third of the numbers, and otherwise equal to the base's now and then."""
    if number % 3 == 0:
        return bytes([number % 2 * 255]) * length
    return PATTERN[number % 256 :][:length]


offsets = st.integers(0, SIZE)
lengths = st.one_of(st.integers(0, 1500), st.integers(0, SIZE))
steps = st.lists(
    st.tuples(st.sampled_from(["write", "write", "fill"]), offsets, lengths, st.integers(0, 511)), max_size=30
)


def apply(overlay: Overlay, model: bytearray, step: tuple[str, int, int, int]) -> None:
    what, offset, length, number = step
    length = min(length, SIZE - offset)
    if what == "fill":
        overlay.fill(offset, length, number % 256)
        model[offset : offset + length] = bytes([number % 256]) * length
    else:
        data = content_of(number, length)
        overlay.write(offset, data)
        model[offset : offset + len(data)] = data


def check_runs(overlay: Overlay, old: bytes, new: bytes) -> None:
    """The runs turn a copy of the base into the overlay's content, and hold no sector that is as it was."""
    copy = bytearray(old)
    before = 0
    for run in overlay.runs():
        assert run.offset >= before
        assert run.offset % SECTOR == 0
        end = before = run.offset + run.length
        assert end % SECTOR == 0 or end == len(old)
        for at in range(run.offset, end, SECTOR):
            assert old[at : min(end, at + SECTOR)] != new[at : min(end, at + SECTOR)]
        data = overlay.read(run.offset, run.length)
        if run.fill is None:
            assert run.length <= MAX_RUN
        else:
            assert data == bytes([run.fill]) * run.length
        copy[run.offset : end] = data
    assert copy == new
    assert overlay.changed == (old != new)


@settings(deadline=None, max_examples=150)
@given(steps=steps, limit=st.sampled_from([0, 700, 5000, 2**20]), base=st.sampled_from([bytes(SIZE), PATTERN[:SIZE]]))
def test_reads_as_a_bytearray_does(steps: list[tuple[str, int, int, int]], limit: int, base: bytes) -> None:
    device = Base(base)
    model = bytearray(base)
    overlay = Overlay(device, memory_limit=limit)
    try:
        for step in steps:
            apply(overlay, model, step)
            _, offset, length, _ = step
            near = max(0, offset - 700)
            end = min(SIZE, offset + length + 700)
            assert overlay.read(near, end - near) == model[near:end]
        assert overlay.read(0, SIZE) == model
        check_runs(overlay, base, bytes(model))
        assert device.content == base
    finally:
        overlay.close()


@settings(deadline=None, max_examples=150)
@given(changes=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40), st.sampled_from([None, 0, 1])), max_size=60))
def test_interval_map_holds_what_was_put_last(changes: list[tuple[int, int, int | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "BLOCK", 2)  # so that a few pieces make many blocks
        pieces = IntervalMap()
        size = 340
        model: list[object] = [None] * size
        for number, (start, length, fill) in enumerate(changes):
            end, at = start + length, number * 1000
            removed = pieces.replace(start, end, [Piece(start, end, 0 if fill is not None else at, fill)])
            assert covered(removed, size) == [*[None] * start, *model[start:end], *[None] * (size - end)]
            for place in range(start, end):
                model[place] = ("fill", fill) if fill is not None else ("at", at + place - start)
            assert covered(list(pieces), size) == model
            assert covered(pieces.overlapping(start, end), size)[start:end] == model[start:end]
    assert all(len(block) <= 4 for block in pieces._blocks)
    assert not any(later.continues(earlier) for earlier, later in pairwise(pieces))


def covered(pieces: list[Piece], size: int) -> list[object]:
    found: list[object] = [None] * size
    for piece in pieces:
        for place in range(piece.start, piece.end):
            assert found[place] is None
            found[place] = ("fill", piece.fill) if piece.fill is not None else ("at", piece.at + place - piece.start)
    return found


@pytest.fixture
def overlay() -> Iterator[Overlay]:
    made = Overlay(Base(bytes(8 * MAX_RUN)))
    yield made
    made.close()


def reads(overlay: Overlay) -> list[tuple[int, int]]:
    base = overlay.base
    assert isinstance(base, Base)
    done = base.reads[:]
    base.reads.clear()
    return done


def test_a_read_beside_all_changes_goes_straight_to_the_base(overlay: Overlay) -> None:
    overlay.write(0, b"x" * 100)
    assert overlay.read(4096, 8192) == bytes(8192)
    assert reads(overlay) == [(4096, 8192)]


def test_a_read_of_changes_only_leaves_the_base_alone(overlay: Overlay) -> None:
    overlay.write(100, b"abc" * 100)
    assert overlay.read(103, 3) == b"abc"
    overlay.fill(8192, 4 * MAX_RUN, 0xFF)
    assert overlay.read(8192, 4 * MAX_RUN) == b"\xff" * (4 * MAX_RUN)
    assert reads(overlay) == []


def test_writing_reads_nothing(overlay: Overlay) -> None:
    overlay.write(3, b"abc")
    overlay.write(4096, bytes(range(256)) * 64)
    assert reads(overlay) == []


def test_constant_writes_cost_no_room(overlay: Overlay) -> None:
    for at in range(0, 6 * MAX_RUN, MAX_RUN):
        overlay.write(at, b"\xff" * MAX_RUN)
    overlay.write(7 * MAX_RUN, b"\x01" * 4096)
    assert len(overlay._pieces) == 2
    assert overlay._spool._end == 0
    assert list(overlay.runs()) == [Run(0, 6 * MAX_RUN, 0xFF), Run(7 * MAX_RUN, 4096, 1)]


def test_a_nearly_constant_write_is_data(overlay: Overlay) -> None:
    for place in (1, 4095, 65536, 100_000, 131_071, 131_080):
        data = bytearray(b"\xff" * 131_082)
        data[place] = 0xFE
        overlay.write(512, bytes(data))
        assert overlay.read(512, len(data)) == data


def test_what_is_written_as_it_was_is_no_run(overlay: Overlay) -> None:
    overlay.write(0, bytes(10_000))
    overlay.fill(MAX_RUN, 2 * MAX_RUN, 0)
    overlay.write(5 * MAX_RUN, b"a" * 600)
    overlay.write(5 * MAX_RUN, bytes(600))
    assert list(overlay.runs()) == []
    assert not overlay.changed


def test_runs_of_data_are_cut_and_neighbours_joined(overlay: Overlay) -> None:
    data = bytes(range(1, 129)) * (3 * MAX_RUN // 128)
    for at in range(0, len(data), 65536):
        overlay.write(at, data[at : at + 65536])
    assert all(run.length <= MAX_RUN for run in overlay.runs())
    assert sum(run.length for run in overlay.runs()) == 3 * MAX_RUN
    assert len(list(overlay.runs())) <= 4


def test_overwriting_takes_no_further_room(overlay: Overlay) -> None:
    for _ in range(50):
        overlay.write(1000, b"ab" * 5000)
        overlay.write(6000, b"cd" * 5000)
        overlay.fill(0, 8192, 0)
    assert overlay._spool._end <= 3 * 10_000


def test_many_small_writes_stay_quick_and_small() -> None:
    """Twenty thousand scattered writes: the map keeps blocks, so none of them moves more than one."""
    overlay = Overlay(Endless())
    for number in range(20_000):
        overlay.write(number * 7919 % 20_000 * 1_000_000, b"small")
    assert len(overlay._pieces) == 20_000
    assert max(map(len, overlay._pieces._blocks)) <= 2 * BLOCK
    assert overlay.read(7 * 1_000_000 - 1, 7) == b"\0small\0"
    assert sum(1 for _ in overlay.runs()) == 20_000
    overlay.close()


def test_a_fill_of_a_whole_big_disk_is_one_piece() -> None:
    overlay = Overlay(Endless())
    overlay.fill(0, overlay.size, 7)
    overlay.write(2**40, b"x")
    assert overlay.read(2**40 - 1, 3) == b"\x07x\x07"
    assert len(overlay._pieces) == 3
    overlay.close()


def test_past_the_limit_it_spills_to_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    overlay = Overlay(Base(bytes(MAX_RUN)), memory_limit=10_000)
    overlay.write(0, b"ab" * 4000)
    assert overlay._spool._file < 0
    overlay.write(20_000, b"cd" * 4000)
    assert overlay._spool._file >= 0
    assert list(tmp_path.iterdir()) == []
    assert overlay.read(19_999, 8002) == b"\0" + b"cd" * 4000 + b"\0"
    overlay.close()
    overlay.close()
    with pytest.raises(ImageError, match="closed"):
        overlay.read(0, 1)


def test_without_o_tmpfile_the_name_is_gone_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("os.O_TMPFILE", 0)  # opening a directory to write fails, as on an old file system
    spool = Spool(0)
    spool.write(0, memoryview(b"hello"))
    assert list(tmp_path.iterdir()) == []
    target = bytearray(5)
    spool.read_into(0, memoryview(target))
    assert target == b"hello"
    spool.close()


def test_no_room_for_the_temporary_file_is_said_and_changes_nothing(overlay: Overlay) -> None:
    overlay = Overlay(Base(bytes(MAX_RUN)), memory_limit=0)
    overlay.write(0, b"kept")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(ImageError, match="temporary file") as caught:
            overlay.write(0, b"ab" * 8192)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "TMPDIR" in caught.value.advice
    assert overlay.read(4, 16_380) == bytes(16_380)
    overlay.close()


def test_memory_and_file_meet_in_one_stretch() -> None:
    limit = CHUNK + 1234
    spool = Spool(limit)
    data = bytes(range(251)) * (3 * CHUNK // 251)
    [(at, length)] = spool.allocate(len(data))
    spool.write(at, memoryview(data))
    assert length == len(data)
    target = bytearray(length)
    spool.read_into(at, memoryview(target))
    assert target == data
    spool.close()


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 8 * MAX_RUN + 1), (8 * MAX_RUN, 1), (4, -1)])
def test_outside_the_device_is_refused(overlay: Overlay, offset: int, length: int) -> None:
    with pytest.raises(ImageError, match="outside"):
        overlay.read(offset, length)
    with pytest.raises(ImageError, match="outside"):
        overlay.fill(offset, length, 0)
    if length > 0:
        with pytest.raises(ImageError, match="outside"):
            overlay.write(offset, bytes(length))


def test_overlays_stack(overlay: Overlay) -> None:
    overlay.write(100, b"below")
    above: BlockDevice = Overlay(overlay)
    above.write(102, b"__")
    above.flush()
    assert above.read(99, 7) == b"\0be__w\0"
    assert overlay.read(99, 7) == b"\0below\0"
    above.close()
    assert overlay.read(99, 7) == b"\0below\0"
