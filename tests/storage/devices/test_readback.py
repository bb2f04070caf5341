"""What the storage holds, past the page cache; that the two can differ is shown in ``test_failed_flush``."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootgraft.storage.devices.readback import StoredBytes, drop_cached

CONTENT = bytes(range(256)) * 1200 + b"the end"  # more than two windows, and no whole block at its end


def test_any_range_in_ascending_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("readback") / "a"
    path.write_bytes(CONTENT)
    ranges = st.lists(st.tuples(st.integers(0, len(CONTENT)), st.integers(0, 300_000)), max_size=8)

    @given(ranges.map(sorted))
    def reads(asked: list[tuple[int, int]]) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        stored = StoredBytes(descriptor)
        for offset, length in asked:
            assert stored.read(offset, length) == CONTENT[offset : offset + length]
        stored.close()
        stored.close()
        os.close(descriptor)

    reads()


@pytest.mark.parametrize("refuses", ["open", "preadv"])
def test_where_a_file_system_has_no_direct_reads_clean_pages_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    dropped = []
    real_open = os.open

    def refuse(*arguments: Any) -> Any:
        if refuses == "open" and not arguments[1] & os.O_DIRECT:
            return real_open(*arguments)
        raise OSError(errno.EINVAL, "no direct reads")

    descriptor = os.open(path, os.O_RDONLY)
    monkeypatch.setattr(os, refuses, refuse)
    monkeypatch.setattr(os, "posix_fadvise", lambda *arguments: dropped.append(arguments))
    stored = StoredBytes(descriptor)
    assert stored.read(5000, 10) == CONTENT[5000:5010]
    assert stored.read(200_000, 10) == CONTENT[200_000:200_010]
    assert dropped == [(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)]
    os.close(descriptor)


def test_a_bad_sector_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)

    def fail(*_arguments: Any) -> Any:
        raise OSError(errno.EIO, "bad sector")

    monkeypatch.setattr(os, "preadv", fail)
    stored = StoredBytes(descriptor)
    with pytest.raises(OSError, match="bad sector"):
        stored.read(0, 1)
    stored.close()
    os.close(descriptor)


def test_what_is_not_there_has_nothing_to_drop(tmp_path: Path) -> None:
    drop_cached([tmp_path / "missing", tmp_path])
