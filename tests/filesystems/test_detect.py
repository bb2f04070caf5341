"""Telling file systems apart by their boot sectors, on volumes that others made."""

import gzip
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.filesystems.fat.images import FileDevice, MemoryDevice, make, mtools, run

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.filesystems.detect import identify, mount
from bootgraft.filesystems.fat.volume import FatVolume

TESTDATA = Path(__file__).parents[3] / "shared" / "testdata" / "disk-images"
XP_ERA = TESTDATA / "ntfs-fat-carrier-xp-era"

MKNTFS = ("mkntfs", "-q", "-F", "-f", "-p", "63", "-H", "255", "-S", "63")


def real(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    return path


def sector(start: bytes, **fields: bytes) -> MemoryDevice:
    """A boot sector: its first bytes, and others at ``at_HEX``."""
    content = bytearray(start.ljust(512, b"\0"))
    content[510:] = b"\x55\xaa"
    for name, value in fields.items():
        offset = int(name.removeprefix("at_"), 16)
        content[offset : offset + len(value)] = value
    return MemoryDevice(content)


TO_GO = {"at_1A8": bytes.fromhex("3BD66749292ED84A8399F6A339E3D001")}


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        (sector(b"\xeb\x52\x90-FVE-FS-"), FileSystemKind.BITLOCKER),  # Vista
        (sector(b"\xeb\x58\x90-FVE-FS-"), FileSystemKind.BITLOCKER),  # 7 and later
        (sector(b"\xeb\x58\x90MSWIN4.1", **TO_GO), FileSystemKind.BITLOCKER),
        (sector(b"\xeb\x76\x90EXFAT   "), FileSystemKind.EXFAT),
        (sector(b"\0\0\0ReFS\0\0\0\0FSRS"), FileSystemKind.REFS),
        (sector(b"\xeb\x52\x90NTFS    "), None),  # nothing but the name
        (sector(b"\x33\xc0\x8e\xd0"), None),  # an MBR
        (sector(b""), None),
        (MemoryDevice(bytearray()), None),
        (MemoryDevice(bytearray(511)), None),
    ],
)
def test_signatures(device: MemoryDevice, kind: FileSystemKind | None) -> None:
    assert identify(device) is kind


@pytest.mark.parametrize(
    ("options", "kib", "kind"),
    [
        (("-F", "12"), 1440, FileSystemKind.FAT12),
        (("-F", "16"), 16384, FileSystemKind.FAT16),
        (("-F", "32", "-s", "1"), 35840, FileSystemKind.FAT32),
    ],
)
def test_fat_by_mkfs(tmp_path: Path, options: tuple[str, ...], kib: int, kind: FileSystemKind) -> None:
    image = make(tmp_path / "image", *options, kib=kib)
    assert identify(FileDevice(image)) is kind
    assert mount(FileDevice(image), writable=False, name="test").kind is kind
    FileDevice(image).write(3, b"NTFS    ")  # the name in a FAT boot sector means nothing
    assert identify(FileDevice(image)) is kind
    FileDevice(image).write(3, b"MSWIN4.1")
    FileDevice(image).write(0x1A8, TO_GO["at_1A8"])
    if kind is FileSystemKind.FAT32:
        assert identify(FileDevice(image)) is FileSystemKind.BITLOCKER


def test_fat_by_mformat(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(1474560))
    mtools(image, "mformat", "-f", "1440", "-v", "DRIVERS", "::")
    volume = mount(FileDevice(image), writable=False, name="test")
    assert (volume.kind, volume.label) == (FileSystemKind.FAT12, "DRIVERS")


@pytest.mark.parametrize(
    ("sector_size", "cluster"), [(512, 512), (512, 4096), (4096, 4096), (512, 65536), (512, 2**21)]
)
def test_ntfs_by_mkntfs(tmp_path: Path, sector_size: int, cluster: int) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    run(
        "mkntfs",
        "-q",
        "-F",
        "-f",
        "-s",
        str(sector_size),
        "-c",
        str(cluster),
        "-p",
        "63",
        "-H",
        "255",
        "-S",
        "63",
        image,
    )
    assert identify(FileDevice(image)) is FileSystemKind.NTFS


@pytest.mark.parametrize(("offset", "value"), [(0x0E, 1), (0x10, 2), (0x16, 1), (0x0D, 3), (0x0D, 0), (0x0C, 3)])
def test_a_block_no_ntfs_has(tmp_path: Path, offset: int, value: int) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    run(*MKNTFS, image)
    FileDevice(image).write(offset, bytes([value]))
    assert identify(FileDevice(image)) is None


@pytest.mark.parametrize(
    "name", ["w7-mbr-en-BOOTSECT.BAK", "w10-mbr-en-a-BOOTSECT.BAK", "ntfs-vbr-2003.bin", "ntfs-vbr-10.bin"]
)
def test_real_boot_sectors(name: str) -> None:
    content = real(TESTDATA / "boot-sectors" / name).read_bytes()
    assert identify(MemoryDevice(bytearray(content))) is FileSystemKind.NTFS


def test_ntfs_written_by_windows() -> None:
    with gzip.open(real(TESTDATA / "ntfs" / "dissect" / "ntfs.bin.gz")) as file:
        assert identify(MemoryDevice(bytearray(file.read(8192)))) is FileSystemKind.NTFS


def test_misleading_magic_numbers_further_in() -> None:
    """Ext2, UFS1 and UFS2 were made over these NTFS volumes of Windows XP; the boot sector is still NTFS'."""
    with zipfile.ZipFile(real(XP_ERA / "10b-ntfs-autodetect.zip")) as archive:
        for number in (1, 2, 3):
            with archive.open(f"10-ntfs-autodetect/10-ntfs-part{number}.dd") as file:
                assert identify(MemoryDevice(bytearray(file.read(1 << 17)))) is FileSystemKind.NTFS
        with archive.open("10-ntfs-autodetect/10-ntfs-disk.dd") as file:
            assert identify(MemoryDevice(bytearray(file.read(512)))) is None  # a whole disk: its first sector is an MBR


def test_misleading_labels_on_fat() -> None:
    """Edited labels that Windows XP's chkdsk lets pass: one in the boot sector, one in the root, one in a folder."""
    with zipfile.ZipFile(real(XP_ERA / "9-fat-label.zip")) as archive:
        content = archive.read("9-fat-label/9-fat-label.dd")
    volume = mount(MemoryDevice(bytearray(content)), writable=False, name="test")
    assert (volume.kind, volume.label) == (FileSystemKind.FAT16, "LABEL2")
    assert [each.name for each in volume.listdir("\\")] == ["dir1"]
    assert volume.listdir("\\dir1") == ()  # FILE2.DLL is marked as a label


@pytest.mark.parametrize(
    ("device", "what", "advice"),
    [
        (sector(b"\xeb\x58\x90-FVE-FS-"), "encrypted with BitLocker", "manage-bde -off"),
        (sector(b"\xeb\x76\x90EXFAT   "), "holds exFAT", "another volume"),
        (sector(b"\0\0\0ReFS\0\0\0\0FSRS"), "holds ReFS", "before the conversion"),
        (sector(b"\xeb\x52\x90WHATEVER"), "no file system that bootgraft knows", "last sector"),
        (MemoryDevice(bytearray(4096)), "boot sector of the volume is empty", "convert it again"),
        (MemoryDevice(bytearray(100)), "has only 100 bytes", "partition table"),
    ],
)
def test_what_cannot_be_opened_says_why(device: MemoryDevice, what: str, advice: str) -> None:
    with pytest.raises(FileSystemError) as caught:
        mount(device, writable=False, name="disk 0 partition 2")
    assert what in caught.value.what
    assert advice in caught.value.advice
    assert caught.value.where == "disk 0 partition 2"
    assert caught.value.exit_status == 3


def test_ntfs_is_given_to_the_ntfs_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    run(*MKNTFS, image)
    calls = []

    def mount_ntfs(device: object, *, writable: bool, name: str) -> str:
        calls.append((device, writable, name))
        return "mounted"

    monkeypatch.setitem(sys.modules, "bootgraft.filesystems.ntfs.volume", SimpleNamespace(mount_ntfs=mount_ntfs))
    device = FileDevice(image)
    assert mount(device, writable=True, name="disk 0 partition 1") == "mounted"  # type: ignore[comparison-overlap]
    assert calls == [(device, True, "disk 0 partition 1")]


def test_fat_is_opened_for_writing(tmp_path: Path) -> None:
    volume = mount(FileDevice(make(tmp_path / "image", "-F", "16", kib=16384)), writable=True, name="test")
    assert isinstance(volume, FatVolume)
    volume.create("\\boot.ini", b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=510, max_size=514), st.sampled_from([b"NTFS    ", b"EXFAT   ", b"MSDOS5.0", b""]))
def test_any_bytes(content: bytes, name: bytes) -> None:
    device = MemoryDevice(bytearray(content[:3] + name + content[3 + len(name) :]))
    kind = identify(device)
    assert kind is None or kind in FileSystemKind
