"""Raw files: exact reads and writes, and everything that is no disk refused."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.errors import ImageError, ReadOnlyError
from bootgraft.storage.devices.rawfile import RawFile, open_descriptor


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(range(256)) * 16)
    return path


def test_reads_and_writes_exactly_what_is_asked(disk: Path) -> None:
    before = disk.read_bytes()
    with RawFile(disk, writable=True) as file:
        assert file.size == 4096
        assert file.read(4090, 6) == before[4090:]
        assert file.read(4096, 0) == b""
        file.write(100, b"hello")
        file.flush()
        assert file.read(99, 7) == before[99:100] + b"hello" + before[105:106]
    assert disk.read_bytes() == before[:100] + b"hello" + before[105:]


@settings(max_examples=50, deadline=None)
@given(writes=st.lists(st.tuples(st.integers(-10, 600), st.binary(max_size=200)), max_size=8))
def test_behaves_like_a_bytearray(writes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("raw") / "disk.img"
    model = bytearray(512)
    path.write_bytes(model)
    with RawFile(path, writable=True) as file:
        for offset, data in writes:
            if 0 <= offset <= 512 - len(data):
                file.write(offset, data)
                model[offset : offset + len(data)] = data
            else:
                with pytest.raises(ImageError, match="outside"):
                    file.write(offset, data)
        assert file.read(0, 512) == model
    assert path.stat().st_size == 512


def test_writes_that_the_kernel_takes_in_pieces_are_complete(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_pwrite, real_pread = os.pwrite, os.pread
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real_pwrite(fd, data[:7], at))
    monkeypatch.setattr(os, "pread", lambda fd, count, at: real_pread(fd, min(count, 5), at))
    with RawFile(disk, writable=True) as file:
        file.write(3, b"x" * 50)
        assert file.read(3, 50) == b"x" * 50


def test_a_reader_does_not_write(disk: Path) -> None:
    with RawFile(disk, writable=False) as file, pytest.raises(ReadOnlyError):
        file.write(0, b"x")


def test_a_file_that_shrinks_is_an_error_not_a_hang(disk: Path) -> None:
    with RawFile(disk, writable=False) as file:
        os.truncate(disk, 100)
        with pytest.raises(ImageError, match="shortened"):
            file.read(0, 200)


@pytest.mark.parametrize(("code", "advice"), [(errno.ENOSPC, "Free space"), (errno.EIO, "dmesg")])
def test_failing_storage_is_named(disk: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str) -> None:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    with RawFile(disk, writable=True) as file:
        monkeypatch.setattr(os, "pwrite", fail)
        monkeypatch.setattr(os, "fdatasync", fail)
        with pytest.raises(ImageError, match=advice):
            file.write(0, b"x")
        with pytest.raises(ImageError, match=advice):
            file.flush()


def test_closing_twice_is_harmless(disk: Path) -> None:
    file = RawFile(disk, writable=False)
    file.close()
    file.close()


def test_what_is_no_disk_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, says in (
        (pipe, "neither a file nor a block device"),
        (Path("/dev/zero"), "neither a file nor a block device"),
        (tmp_path, "a directory"),
        (tmp_path / "nothing", "no such file"),
        (tmp_path / "disk" / "below", "no such file"),
        (tmp_path / ("x" * 300), "cannot be opened"),
    ):
        with pytest.raises(ImageError, match=says):
            open_descriptor(path, writable=False)


def test_a_denied_write_says_how_to_go_on(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(ReadOnlyError, match="--overlay"):
        RawFile(disk, writable=True)


def test_a_flush_that_failed_is_final(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux calls the pages clean after a failed fsync: the next one would succeed, and mean nothing."""
    with RawFile(disk, writable=True) as file:
        file.write(0, b"x")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", _fails)
            with pytest.raises(ImageError, match="cannot be flushed"):
                file.flush()
        for again in (file.flush, lambda: file.write(0, b"x")):
            with pytest.raises(ImageError, match="an earlier flush of it failed"):
                again()
    with RawFile(disk, writable=True) as file:
        file.write(0, b"x")
        file.flush()


def _fails(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_what_was_written_is_read_back_from_the_storage(disk: Path) -> None:
    with RawFile(disk, writable=True) as file:
        assert file.read_back(0, 4096) == file.read(0, 4096)
        file.write(1000, b"new")
        file.flush()
        assert file.read_back(1000, 3) == b"new"
        with pytest.raises(ImageError, match="outside"):
            file.read_back(4095, 2)
