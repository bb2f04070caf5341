"""Emptying a journal: the volume is then clean to write and marked for chkdsk, and nothing else of it changed."""

from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    CountingDevice,
    assert_consistent,
    blank,
    file,
    fill,
    is_dirty,
    mount,
    sleuthkit_files,
)
from tests.machines.ntfs_log import write_log

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs.journal import reset_journal

CONTENT = b"[boot loader]"


def unclean(path: Path, *, major: int) -> Path:
    image = fill(blank(path), file("boot.ini", CONTENT))
    write_log(image, clean=False, major=major)
    return image


@pytest.mark.parametrize(("major", "state"), [(1, VolumeState.UNCLEAN), (2, VolumeState.LOG_VERSION_2)])
def test_an_emptied_journal_makes_the_volume_writable_and_due_for_chkdsk(
    major: int, state: VolumeState, tmp_path: Path
) -> None:
    image = unclean(tmp_path / "volume", major=major)
    with mount(image, writable=True) as mounted:
        assert (mounted.state, mounted.obstacles) == (state, (state,))
        log = mounted.extents("\\$LogFile")
    listed = sleuthkit_files(image)
    before = image.read_bytes()

    reset_journal(CountingDevice(image), name="disk 0 partition 1")

    after = image.read_bytes()
    for offset, length in log:
        assert after[offset : offset + length] == b"\xff" * length
    changed = {at for at in range(0, len(after), 512) if before[at : at + 512] != after[at : at + 512]}
    outside = [at for at in changed if not any(offset <= at < offset + length for offset, length in log)]
    assert len(outside) <= 4  # $Volume's record and its copy in $MFTMirr
    assert is_dirty(image)
    assert_consistent(image)
    with mount(image, writable=True) as mounted:
        assert (mounted.state, mounted.obstacles) == (VolumeState.CLEAN, ())
        assert mounted.read("\\boot.ini") == CONTENT
        mounted.create("\\new", b"content")
    assert_consistent(image)
    assert sleuthkit_files(image).keys() == listed.keys() | {"new"}
    assert is_dirty(image)


def test_a_volume_that_is_no_ntfs_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "volume"
    image.write_bytes(bytes(4 << 20))
    with pytest.raises(FileSystemError, match="cannot be mounted as NTFS"):
        reset_journal(CountingDevice(image), name="disk 0 partition 1")
    assert not any(image.read_bytes())
