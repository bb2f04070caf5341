import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.filesystems.fat.images import MemoryDevice, make, run

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.filesystems.fat.boot import read_layout
from bootgraft.filesystems.fat.volume import mount_fat


def boot_sector(path: Path, *options: str, kib: int) -> bytes:
    return make(path / "image", *options, kib=kib).read_bytes()[:512]


@pytest.fixture
def fat16(tmp_path: Path) -> bytearray:
    return bytearray(boot_sector(tmp_path, "-F", "16", "-s", "1", "-n", "LABEL", kib=4096))


@pytest.fixture
def fat32(tmp_path: Path) -> bytearray:
    return bytearray(boot_sector(tmp_path, "-F", "32", "-s", "1", kib=35840))


@pytest.mark.parametrize(
    ("options", "kib"),
    [
        (("-F", "12"), 1440),
        (("-F", "12", "-s", "32"), 16384),
        (("-F", "16", "-s", "8", "-r", "224"), 32768),
        (("-F", "16", "-s", "1", "-S", "2048"), 16384),
        (("-F", "32", "-s", "1", "-R", "40"), 40000),
        (("-F", "32", "-s", "1", "-f", "1"), 40000),
    ],
)
def test_agrees_with_fsstat(tmp_path: Path, options: tuple[str, ...], kib: int) -> None:
    image = make(tmp_path / "image", *options, kib=kib)
    facts = run("fsstat", image).decode()
    layout = read_layout(image.read_bytes()[:512], where="test")
    assert f"File System Type: {layout.kind.upper()}" in facts
    assert f"Cluster Size: {layout.cluster_size}\n" in facts
    assert f"Total Cluster Range: 2 - {layout.end_cluster - 1}\n" in facts
    sector = int(facts.split("Sector Size: ")[1].split()[0])
    for index, offset in enumerate(layout.fat_offsets):
        assert f"* FAT {index}: {offset // sector} - " in facts
    root = layout.root_offset if layout.root_size else layout.data_offset
    assert f"Root Directory: {root // sector} - " in facts


@pytest.mark.parametrize(
    ("offset", "value", "fault"),
    [
        (0, b"\x33", "no jump"),
        (11, b"\0\0", "0 bytes per sector"),
        (11, b"\0\x20", "8192 bytes per sector"),
        (13, b"\0", "0 sectors per cluster"),
        (13, b"\x03", "3 sectors per cluster"),
        (14, b"\0\0", "reserves no sector"),
        (14, b"\xff\xff", "no room for clusters"),
        (16, b"\0", "there is no FAT"),
        (16, b"\xff", "no room for clusters"),
        (17, b"\0\0", "0 root entries"),
        (19, b"\0\0", "has no sectors"),
        (19, b"\x01\0", "no room for clusters"),
        (21, b"\x05", "media type 0x05"),
        (22, b"\x01\0", "too few for"),
    ],
)
def test_impossible_values(fat16: bytearray, offset: int, value: bytes, fault: str) -> None:
    fat16[offset : offset + len(value)] = value
    with pytest.raises(FileSystemError, match=fault):
        read_layout(bytes(fat16), where="test")


@pytest.mark.parametrize(
    ("offset", "value", "fault"),
    [
        (36, b"\0\0\0\0", "no FAT in use"),
        (36, b"\xff\xff\xff\xff", "no room for clusters"),
        (36, b"\x01\0\0\0", "too few for"),
        (40, b"\x82\0", "no FAT in use"),
        (42, b"\x01\0", "version 0x1"),
        (44, b"\0\0\0\0", "root directory at cluster 0"),
        (44, b"\xff\xff\xff\x0f", "root directory at cluster 268435455"),
        (32, b"\xff\xff\xff\xff", "more than FAT32 can number"),
    ],
)
def test_impossible_values_of_fat32(fat32: bytearray, offset: int, value: bytes, fault: str) -> None:
    fat32[offset : offset + len(value)] = value
    with pytest.raises(FileSystemError, match=fault):
        read_layout(bytes(fat32), where="test")


@pytest.mark.parametrize(
    ("clusters", "kind"),
    [(4084, FileSystemKind.FAT12), (4085, FileSystemKind.FAT16), (65524, FileSystemKind.FAT16)],
)
def test_the_count_of_clusters_decides(fat16: bytearray, clusters: int, kind: FileSystemKind) -> None:
    struct.pack_into("<HBHBHHBH", fat16, 11, 512, 1, 1, 2, 512, 0, 0xF8, 256)
    struct.pack_into("<I", fat16, 32, 1 + 512 + 32 + clusters)
    assert read_layout(bytes(fat16), where="test").kind is kind


def test_more_clusters_than_fat16_can_number(fat16: bytearray) -> None:
    struct.pack_into("<HBHBHHBH", fat16, 11, 512, 1, 1, 2, 512, 0, 0xF8, 257)
    struct.pack_into("<I", fat16, 32, 1 + 514 + 32 + 65525)
    with pytest.raises(FileSystemError, match="more than FAT16 can number"):
        read_layout(bytes(fat16), where="test")


def test_fsinfo_outside_the_reserved_sectors_is_none(fat32: bytearray) -> None:
    fat32[48:50] = b"\xff\xff"
    assert read_layout(bytes(fat32), where="test").fsinfo_offset is None


def test_label(fat16: bytearray) -> None:
    assert read_layout(bytes(fat16), where="test").label == "LABEL"
    fat16[0x26] = 0x28
    assert read_layout(bytes(fat16), where="test").label == ""


def test_a_volume_longer_than_its_partition(fat16: bytearray) -> None:
    with pytest.raises(FileSystemError, match="4194304 bytes long, its partition only 512"):
        mount_fat(MemoryDevice(fat16), writable=False, name="test")


@pytest.mark.parametrize("size", [0, 1, 511])
def test_too_short(size: int) -> None:
    with pytest.raises(FileSystemError, match=f"is {size} bytes long"):
        mount_fat(MemoryDevice(bytearray(size)), writable=False, name="test")


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=512, max_size=512), st.booleans())
def test_any_bytes_give_a_layout_inside_the_volume_or_one_error(content: bytes, like_fat: bool) -> None:
    if like_fat:  # get past the first checks
        content = b"\xeb\x3c\x90" + content[3:11] + b"\0\x02\x04" + content[14:21] + b"\xf8" + content[22:]
    try:
        layout = read_layout(content, where="test")
    except FileSystemError:
        return
    ends = [offset + layout.end_cluster * layout.entry_bits // 8 for offset in layout.fat_offsets]
    assert max(ends) <= layout.data_offset
    assert layout.root_offset + layout.root_size <= layout.data_offset
    assert layout.data_offset + layout.cluster_count * layout.cluster_size <= layout.size


def test_pieces_are_joined(fat16: bytearray) -> None:
    layout = read_layout(bytes(fat16), where="test")
    base = layout.data_offset
    assert list(layout.pieces([2, 3, 4, 9, 8], 10, 2000)) == [
        (base + 10, 1526),
        (base + 7 * 512, 474),
    ]
    assert list(layout.pieces([2], 0, 0)) == []
