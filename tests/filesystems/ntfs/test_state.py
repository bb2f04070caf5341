"""Whether a volume may be written: journal, hibernation, dirty flag; and that looking changes nothing."""

import gzip
import shutil
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    TESTDATA,
    CountingDevice,
    assert_consistent,
    blank,
    file,
    fill,
    is_dirty,
    mount,
    patch,
    record_offset,
)
from tests.machines.ntfs_log import write_log

from bootgraft.errors import UnsafeVolumeError
from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs import state as ntfs_state
from bootgraft.filesystems.ntfs.volume import mount_ntfs

PAGE = 4096
HEADER = bytes(8) + b"x" * (PAGE - 8)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = blank(tmp_path_factory.mktemp("ntfs") / "volume")
    return fill(image, file("HIBERFIL.SYS", HEADER), file("boot.ini", b"[boot loader]"))


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def hibernation(volume: Path, signature: bytes) -> None:
    with mount(volume) as mounted:
        offset = mounted.extents("\\hiberfil.sys")[0][0]
    patch(volume, offset, signature)


def assert_only_reads(volume: Path, state: VolumeState) -> None:
    """The volume has this state however it is mounted, and can be read; nothing is ever written to it."""
    before = volume.read_bytes()
    for writable in (False, True):
        device = CountingDevice(volume)
        with mount_ntfs(device, writable=writable, name="disk 0 partition 1") as mounted:
            assert mounted.state is state
            assert mounted.writable is (writable and state is VolumeState.CLEAN)
            assert mounted.read("\\boot.ini") == b"[boot loader]"
            if state is not VolumeState.CLEAN:
                with pytest.raises(UnsafeVolumeError) as caught:
                    mounted.write("\\boot.ini", 0, b"x")
                assert caught.value.where == "disk 0 partition 1"
                with pytest.raises(UnsafeVolumeError):
                    mounted.truncate("\\boot.ini", 0)
                with pytest.raises(UnsafeVolumeError):
                    mounted.create("\\new", b"")
        assert device.writes == []
    assert volume.read_bytes() == before


def test_an_empty_journal_is_clean_and_costs_no_write(volume: Path) -> None:
    assert_only_reads(volume, VolumeState.CLEAN)


def test_a_clean_journal_costs_no_write(volume: Path) -> None:
    write_log(volume, clean=True, major=1)
    assert_only_reads(volume, VolumeState.CLEAN)


def test_a_clean_journal_stays_as_it_is_when_files_are_written(volume: Path) -> None:
    write_log(volume, clean=True, major=1)
    with mount(volume) as mounted:
        pages = mounted.extents("\\$LogFile")
    before = [volume.read_bytes()[offset : offset + length] for offset, length in pages]
    with mount(volume, writable=True) as mounted:
        mounted.create("\\new", b"content")
    assert [volume.read_bytes()[offset : offset + length] for offset, length in pages] == before
    assert before[0][:4] == b"RSTR"
    assert_consistent(volume)


def test_a_journal_with_pending_changes(volume: Path) -> None:
    write_log(volume, clean=False, major=1)
    assert_only_reads(volume, VolumeState.UNCLEAN)


def test_a_journal_that_is_garbage(volume: Path) -> None:
    with mount(volume) as mounted:
        offset = mounted.extents("\\$LogFile")[0][0]
    patch(volume, offset, b"garbage!" * 1024)
    assert_only_reads(volume, VolumeState.UNCLEAN)


def test_where_the_library_refuses_its_word_counts(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(volume, clean=False, major=1)
    monkeypatch.setattr(ntfs_state, "examine", lambda _handles: ())
    with mount(volume, writable=True) as mounted:
        assert mounted.state is VolumeState.UNCLEAN
        with pytest.raises(UnsafeVolumeError):
            mounted.create("\\new", b"")


@pytest.mark.parametrize("clean", [True, False])
def test_the_journal_of_a_fast_start_up(volume: Path, clean: bool) -> None:
    write_log(volume, clean=clean, major=2)
    assert_only_reads(volume, VolumeState.LOG_VERSION_2)


@pytest.mark.parametrize("signature", [b"hibr", b"HIBR", b"RSTR", b"rstr"])
def test_a_sleeping_windows(volume: Path, signature: bytes) -> None:
    hibernation(volume, signature)
    assert_only_reads(volume, VolumeState.HIBERNATED)


@pytest.mark.parametrize("signature", [b"wake", b"WAKE", b"\0\0\0\0"])
def test_a_windows_that_woke_up(volume: Path, signature: bytes) -> None:
    hibernation(volume, signature)
    assert_only_reads(volume, VolumeState.CLEAN)


def test_a_session_saved_on_another_volume(tmp_path: Path) -> None:
    image = fill(
        blank(tmp_path / "volume"), file("hiberfil.sys", b"C:" + bytes(98)), file("boot.ini", b"[boot loader]")
    )
    assert_only_reads(image, VolumeState.HIBERNATED)


def test_the_advice_fits_the_state(volume: Path) -> None:
    write_log(volume, clean=True, major=2)
    with mount(volume, writable=True) as mounted, pytest.raises(UnsafeVolumeError, match="shut it down fully"):
        mounted.create("\\new", b"")


def test_a_dirty_volume_may_be_written_and_stays_dirty(volume: Path) -> None:
    record = record_offset(volume, 3)
    content = volume.read_bytes()[record : record + 1024]
    information = content.index(b"\x03\x01\x00\x00", content.index(b"\x70\x00\x00\x00"))  # NTFS 3.1, no flags
    for start in (record, record_offset(volume, 3, mirror=True)):
        patch(volume, start + information + 2, b"\x01")
    assert is_dirty(volume)
    with mount(volume, writable=True) as mounted:
        assert mounted.state is VolumeState.CLEAN
        mounted.create("\\new", b"content")
    assert is_dirty(volume)


def test_a_volume_that_windows_left_clean(tmp_path: Path) -> None:
    packed = TESTDATA / "disk-images/ntfs/dissect/ntfs.bin.gz"
    if not packed.exists():
        pytest.skip(f"{packed} is not there")
    image = tmp_path / "volume"
    image.write_bytes(gzip.decompress(packed.read_bytes()))
    for writable in (False, True):
        device = CountingDevice(image)
        with mount_ntfs(device, writable=writable, name="volume") as mounted:
            assert mounted.state is VolumeState.CLEAN
            assert image.read_bytes()[mounted.extents("\\$LogFile")[0][0] :][:4] == b"RSTR"
        assert device.writes == []
