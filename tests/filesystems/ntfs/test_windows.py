"""Volumes that Windows itself made (XP to 10): every file as sleuthkit reads it, before and after a new one."""

import gzip
import hashlib
import zipfile
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    TESTDATA,
    assert_consistent,
    mount,
    sleuthkit_files,
    sleuthkit_hashes,
    walk,
)

from bootgraft.errors import UnsafeVolumeError
from bootgraft.filesystems.base import VolumeState

IMAGES = TESTDATA / "disk-images"
XP = "ntfs-fat-carrier-xp-era/10b-ntfs-autodetect.zip"
PIECE = 1 << 20
EMPTY = hashlib.sha256(b"").hexdigest()

VOLUMES = {
    "10-large-directory": ("ntfs/dissect/ntfs.bin.gz", "", 0, 0),
    "7-512-byte-clusters": ("ntfs/tiny/SampleTinyNtfsVolume.zip", "partition.dd", 0, 0),
    "xp-ext2-magic": (XP, "10-ntfs-part1.dd", 0, 0),
    "xp-ufs-magic": (XP, "10-ntfs-part2.dd", 0, 0),
    "vhd": ("vhd/dissect/fixed.vhd.gz", "", 128 * 512, 14336 * 512),
    "10-last-access": ("ntfs/msuhanov-win10/ntfs-lastaccess.raw.gz", "", 128 * 512, 518144 * 512),
}


@pytest.fixture(params=VOLUMES, scope="module")
def volume(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, member, start, length = VOLUMES[request.param]
    packed = IMAGES / name
    if not packed.exists():
        pytest.skip(f"{packed} is not there")
    image = tmp_path_factory.mktemp("windows") / "volume"
    if member:
        with zipfile.ZipFile(packed) as archive:
            found = next(entry for entry in archive.namelist() if entry.endswith(member))
            image.write_bytes(archive.read(found))
        return image
    with gzip.open(packed) as source, image.open("wb") as target:
        source.read(start)
        left = length or 1 << 40
        while left and (piece := source.read(min(PIECE, left))):
            left -= len(piece)
            if piece.count(0) == len(piece):
                target.seek(len(piece), 1)
            else:
                target.write(piece)
        target.truncate(target.tell())
    return image


def test_as_sleuthkit_reads_it(volume: Path, tmp_path: Path) -> None:
    with mount(volume) as mounted:
        found = walk(mounted)
        for path in list(found)[:5]:
            windows = "\\" + path.replace("/", "\\")
            assert mounted.stat(windows.upper()) == mounted.stat(windows.lower())
            assert mounted.stat(windows).name == path.rpartition("/")[2]
    assert set(found) == set(sleuthkit_files(volume))
    assert with_content(found) == with_content(sleuthkit_hashes(volume, tmp_path / "files"))


def test_a_new_file_changes_no_other(volume: Path, tmp_path: Path) -> None:
    names, contents = set(sleuthkit_files(volume)), sleuthkit_hashes(volume, tmp_path / "before")
    with mount(volume, writable=True) as mounted:
        if mounted.state is not VolumeState.CLEAN:
            with pytest.raises(UnsafeVolumeError):
                mounted.create("\\symmpi.sys", b"")
            return
        mounted.create("\\symmpi.sys", b"MZ" * 50_000)
    after = sleuthkit_hashes(volume, tmp_path / "after")
    assert after.pop("symmpi.sys") == hashlib.sha256(b"MZ" * 50_000).hexdigest()
    assert after == contents
    assert set(sleuthkit_files(volume)) == names | {"symmpi.sys"}
    assert_consistent(volume)


def test_only_the_one_that_was_copied_while_in_use_is_unclean(volume: Path, request: pytest.FixtureRequest) -> None:
    in_use = "512-byte-clusters" in request.node.name
    with mount(volume) as mounted:
        assert mounted.state is (VolumeState.UNCLEAN if in_use else VolumeState.CLEAN)


def with_content(found: dict[str, str]) -> dict[str, str]:
    return {path: content for path, content in found.items() if content and content != EMPTY}
