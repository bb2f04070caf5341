"""Files whose content is not what it seems: WOF-compressed, encrypted, compressed, sparse, links, reparse points."""

import os
import shutil
import struct
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    assert_consistent,
    attribute,
    blank,
    directory,
    file,
    fill,
    mount,
    patch,
    sleuthkit_content,
    sleuthkit_files,
)

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs.volume import NtfsVolume

REPARSE = "system.ntfs_reparse_data"
WOF, DEDUP, SYMLINK, MOUNT_POINT, CLOUD = 0x80000017, 0x80000013, 0xA000000C, 0xA0000003, 0x9000001A
TEXT = b"the quick brown fox jumps over the lazy dog. " * 4000


def reparse(tag: int, data: bytes) -> bytes:
    return struct.pack("<IHH", tag, len(data), 0) + data


def link(target: str, *, flags: bytes = b"") -> bytes:
    text = target.encode("utf-16-le")
    return struct.pack("<HHHH", 0, len(text), len(text) + 2, len(text)) + flags + text + b"\0\0" + text + b"\0\0"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wof = struct.pack("<IIII", 1, 1, 1, 0)  # WOF version 1, provider WIM: the content is in a WIM file (WIMBoot)
    return fill(
        blank(tmp_path_factory.mktemp("ntfs") / "volume"),
        file("wof.sys", bytes(5000)),
        attribute("wof.sys", REPARSE, reparse(WOF, wof)),
        file("dedup.sys", b"x"),
        attribute("dedup.sys", REPARSE, reparse(DEDUP, bytes(16))),
        file("cloud.sys", b"x"),
        attribute("cloud.sys", REPARSE, reparse(CLOUD, bytes(16))),
        file("link.sys", b""),
        attribute("link.sys", REPARSE, reparse(SYMLINK, link("\\??\\C:\\x.sys", flags=bytes(4)))),
        directory("junction"),
        attribute("junction", REPARSE, reparse(MOUNT_POINT, link("\\??\\C:\\WINDOWS"))),
        file("efs.sys", b"cipher text"),
        file("sparse", b""),
        ("hole", "sparse", "1000000"),
        file("first", b"one file, two names"),
        ("link", "first", "second"),
        directory("packed"),
        attribute("packed", "system.ntfs_attrib_be", (0x800).to_bytes(4, "big")),
        file("packed/text", TEXT),
        file("packed/noise", os.urandom(100_000)),
        options="compression",
    )


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def encrypt(volume: Path) -> None:
    """Mark efs.sys encrypted, which no tool does without the keys: the file and its DATA attribute."""
    with mount(volume) as mounted:
        ((offset, _length),) = mounted.extents("\\efs.sys")
    record = volume.read_bytes()[offset : offset + 1024]
    at = int.from_bytes(record[0x14:0x16], "little")
    assert record[at] == 0x10
    value = at + int.from_bytes(record[at + 0x14 : at + 0x16], "little")
    patch(volume, offset + value + 0x21, bytes([record[value + 0x21] | 0x40]))
    while record[at] != 0x80:
        at += int.from_bytes(record[at + 4 : at + 8], "little")
    patch(volume, offset + at + 0x0D, b"\x40")


def assert_refused(mounted: NtfsVolume, path: str, message: str) -> None:
    with pytest.raises(FileSystemError, match=message) as caught:
        mounted.read(path)
    assert caught.value.where == f"disk 0 partition 1 {path}"
    with pytest.raises(FileSystemError, match=message):
        mounted.write(path, 0, b"x")
    with pytest.raises(FileSystemError, match=message):
        mounted.truncate(path, 0)


@pytest.mark.parametrize(
    ("name", "tag", "message"),
    [
        ("wof.sys", WOF, "compressed with WOF"),
        ("dedup.sys", DEDUP, "deduplicated"),
        ("cloud.sys", CLOUD, "kept elsewhere .reparse tag 0x9000001a"),
        ("link.sys", SYMLINK, "a symbolic link"),
    ],
)
def test_content_elsewhere_is_refused_by_name(volume: Path, name: str, tag: int, message: str) -> None:
    before = volume.read_bytes()
    with mount(volume, writable=True) as mounted:
        entry = mounted.stat(f"\\{name}")
        assert entry.reparse_tag == tag
        assert entry.is_wof_compressed is (tag == WOF)
        assert entry in mounted.listdir("\\")
        assert_refused(mounted, f"\\{name}", message)
    assert volume.read_bytes() == before


def test_a_junction_is_a_directory_with_a_tag(volume: Path) -> None:
    with mount(volume) as mounted:
        entry = mounted.stat("\\junction")
        assert (entry.is_directory, entry.reparse_tag) == (True, MOUNT_POINT)
        assert entry in mounted.listdir("\\")
        with pytest.raises(FileSystemError, match="a junction"):
            mounted.read("\\junction")


def test_an_encrypted_file_is_refused_by_name(volume: Path) -> None:
    encrypt(volume)
    before = volume.read_bytes()
    with mount(volume, writable=True) as mounted:
        assert mounted.stat("\\efs.sys").is_encrypted
        assert_refused(mounted, "\\efs.sys", "encrypted with EFS")
    assert volume.read_bytes() == before


def test_a_compressed_file_is_read_but_not_written(volume: Path) -> None:
    found = sleuthkit_files(volume)
    with mount(volume, writable=True) as mounted:
        assert mounted.stat("\\packed\\text").attributes & 0x800
        assert mounted.read("\\packed\\text") == TEXT == sleuthkit_content(volume, found["packed/text"])
        assert mounted.read("\\packed\\text", 70_000, 10) == TEXT[70_000:70_010]
        assert mounted.read("\\packed\\noise") == sleuthkit_content(volume, found["packed/noise"])
        assert sum(length for _offset, length in mounted.extents("\\packed\\text")) < len(TEXT)
        with pytest.raises(FileSystemError, match="NTFS-compressed"):
            mounted.write("\\packed\\text", 0, b"x")
        with pytest.raises(FileSystemError, match="NTFS-compressed"):
            mounted.truncate("\\packed\\text", 10)
    assert_consistent(volume)


def test_a_new_file_in_a_compressed_directory_is_not_compressed(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        mounted.create("\\packed\\new.sys", TEXT)
        assert not mounted.stat("\\packed\\new.sys").attributes & 0x800
        assert mounted.stat("\\packed").attributes & 0x800
        assert mounted.read("\\packed\\new.sys") == TEXT
    assert sleuthkit_content(volume, sleuthkit_files(volume)["packed/new.sys"]) == TEXT
    assert_consistent(volume)


def test_a_hole_reads_as_zeros_and_takes_writes(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        assert mounted.extents("\\sparse") == ()
        mounted.write("\\sparse", 500_000, b"in the hole")
        assert mounted.read("\\sparse", 499_999, 13) == b"\0in the hole\0"
        assert 0 < sum(length for _offset, length in mounted.extents("\\sparse")) < 100_000
    expected = bytes(500_000) + b"in the hole" + bytes(499_989)
    assert sleuthkit_content(volume, sleuthkit_files(volume)["sparse"]) == expected
    assert_consistent(volume)


def test_each_hard_link_keeps_its_own_name(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        assert mounted.stat("\\FIRST").name == "first"
        assert mounted.stat("\\SECOND").name == "second"
        mounted.write("\\second", 0, b"ONE")
        assert mounted.read("\\first") == b"ONE file, two names"
