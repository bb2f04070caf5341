"""Empty FAT32 volumes, judged by fsck.fat and mtools, and filled by us."""

from pathlib import Path

import pytest
from tests.filesystems.fat.images import FileDevice, assert_consistent, get, put

from bootgraft.filesystems.base import FileSystemKind, VolumeState
from bootgraft.filesystems.fat.format import empty_fat32
from bootgraft.filesystems.fat.volume import mount_fat

MIB = 1 << 20


def volume(path: Path, size: int, sector_size: int) -> Path:
    """One in a file in which something else lay."""
    begin = empty_fat32(size, sector_size=sector_size, hidden_sectors=2048, serial=0x1234ABCD, label="System")
    with path.open("wb") as file:
        file.write(b"\xa5" * (len(begin) + MIB))
        file.seek(0)
        file.write(begin)
        file.truncate(size)
    return path


@pytest.mark.parametrize(("size", "sector_size"), [(100, 512), (260, 512), (3000, 512), (260, 4096)])
def test_others_take_it_and_files_go_in(size: int, sector_size: int, tmp_path: Path) -> None:
    path = volume(tmp_path / "volume", size * MIB, sector_size)
    assert_consistent(path)
    device = FileDevice(path)
    mounted = mount_fat(device, writable=True, name="volume")
    assert (mounted.kind, mounted.label, mounted.state) == (FileSystemKind.FAT32, "SYSTEM", VolumeState.CLEAN)
    mounted.create_directory("\\EFI")
    mounted.create("\\EFI\\BCD", b"ours" * 5000)
    mounted.close()
    assert_consistent(path)
    assert get(path, "/EFI/BCD") == b"ours" * 5000
    put(path, "/theirs.txt", b"theirs")
    assert_consistent(path)


@pytest.mark.parametrize(("size", "sector_size"), [(0, 512), (32, 512), (250, 4096)])
def test_what_is_too_small_for_fat32_is_refused(size: int, sector_size: int) -> None:
    with pytest.raises(ValueError, match=str(size * MIB)):
        empty_fat32(size * MIB, sector_size=sector_size, hidden_sectors=0, serial=1, label="X")
