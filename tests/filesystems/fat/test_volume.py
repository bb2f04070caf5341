"""Whole FAT volumes, made by mkfs.fat and mtools and judged by fsck.fat, mtools and sleuthkit."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from tests.filesystems.fat.images import FileDevice, assert_consistent, get, make, mtools, put, run

from bootgraft.errors import FileMissingError, FileSystemError, UnsafeVolumeError
from bootgraft.filesystems.base import FileSystem, FileSystemKind, OpenFile, VolumeState
from bootgraft.filesystems.fat.volume import FatVolume, mount_fat

WHEN = datetime(2003, 5, 14, 3, 30, 21)

VOLUMES = {
    "fat12-floppy": (FileSystemKind.FAT12, 1440, ("-F", "12")),
    "fat12-big-clusters": (FileSystemKind.FAT12, 16384, ("-F", "12", "-s", "32", "-n", "SYSTEM")),
    "fat16-small-clusters": (FileSystemKind.FAT16, 4096, ("-F", "16", "-s", "1")),
    "fat16-100MB": (FileSystemKind.FAT16, 102400, ("-F", "16", "-s", "4", "-h", "63")),
    "fat16-4K-sectors": (FileSystemKind.FAT16, 20480, ("-F", "16", "-s", "1", "-S", "4096")),
    "fat16-one-fat": (FileSystemKind.FAT16, 8192, ("-F", "16", "-s", "2", "-f", "1")),
    "fat32": (FileSystemKind.FAT32, 35840, ("-F", "32", "-s", "1", "-n", "BOOT")),
}


NAMES = {
    "symmpi.sys": "SYMMPI.SYS",
    "LSI_SAS.sys": "LSI_SAS.SYS",
    "Lsilogic.Sys": "LSILOGIC.SYS",
    "ntldr": "NTLDR",
    "oem12.inf.bak": "OEM12I~1.BAK",
    "a+b.sys": "A_B~1.SYS",
    ".profile": "PROFIL~1",
    "Treiber für Größe.sys": "TREIBE~1.SYS",
    "драйвер.sys": "______~1.SYS",
    "x" * 255: "XXXXXX~1",
    "thirteen.unit": "THIRTE~1.UNI",
    "exactly twenty-six unit.xy": "EXACTL~1.XY",
}


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Volumes with a few files, by other people's tools."""
    folder = tmp_path_factory.mktemp("fat")
    found = {}
    for name, (_, kib, options) in VOLUMES.items():
        image = make(folder / name, *options, kib=kib)
        put(image, "/boot.ini", b"[boot loader]\r\ntimeout=30\r\n")
        put(image, "/NTDETECT.COM", bytes(range(256)) * 130)
        mtools(image, "mmd", "::/WINDOWS", "::/WINDOWS/system32", "::/Documents and Settings")
        put(image, "/WINDOWS/system32/A file with quite a long name, longer than two slots.txt", b"long")
        put(image, "/WINDOWS/system32/empty.dat", b"")
        found[name] = image
    return found


@pytest.fixture(params=VOLUMES)
def image(request: pytest.FixtureRequest, templates: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of each template in turn."""
    return copy(templates[request.param], tmp_path / request.param)


@pytest.fixture
def fat16(templates: dict[str, Path], tmp_path: Path) -> Path:
    return copy(templates["fat16-small-clusters"], tmp_path / "fat16-small-clusters")


@pytest.fixture
def fat32(templates: dict[str, Path], tmp_path: Path) -> Path:
    return copy(templates["fat32"], tmp_path / "fat32")


def copy(source: Path, target: Path) -> Path:
    run("cp", source, target)
    return target


def mount(image: Path, *, writable: bool = True) -> FatVolume:
    return mount_fat(FileDevice(image), writable=writable, name="disk 0 partition 1", clock=lambda: WHEN)


def pattern(size: int) -> bytes:
    return (bytes(number * 7 % 251 for number in range(251)) * (size // 251 + 1))[:size]


class TestReading:
    def test_kind_label_and_state(self, image: Path) -> None:
        with mount(image, writable=False) as volume:
            checked: FileSystem = volume  # satisfies the protocol
            kind, _, options = VOLUMES[image.name]
            assert checked.kind is kind
            assert checked.label == (options[options.index("-n") + 1] if "-n" in options else "")
            assert checked.state is VolumeState.CLEAN

    def test_lists_what_mtools_wrote(self, image: Path) -> None:
        volume = mount(image)
        assert [(each.name, each.is_directory, each.size) for each in volume.listdir("\\")] == [
            ("boot.ini", False, 27),
            ("NTDETECT.COM", False, 33280),
            ("WINDOWS", True, 0),
            ("Documents and Settings", True, 0),
        ]
        assert [each.name for each in volume.listdir("\\windows\\SYSTEM32")] == [
            "A file with quite a long name, longer than two slots.txt",
            "empty.dat",
        ]

    def test_reads_whole_and_parts(self, image: Path) -> None:
        volume = mount(image)
        content = bytes(range(256)) * 130
        assert volume.read("\\ntdetect.com") == content
        assert volume.read("\\NTDETECT.COM", 511, 1026) == content[511:1537]
        assert volume.read("\\NTDETECT.COM", 33279, 10) == content[-1:]
        assert volume.read("\\NTDETECT.COM", 33280, 10) == b""
        assert volume.read("\\WINDOWS\\SYSTEM32\\EMPTY.DAT") == b""

    def test_finds_by_long_and_short_name_in_any_case(self, image: Path) -> None:
        volume = mount(image)
        for name in ("AFILEW~1.TXT", "a FILE with quite a long name, longer than two slots.TXT"):
            found = volume.stat(f"\\WINDOWS\\system32\\{name}")
            assert found.name == "A file with quite a long name, longer than two slots.txt"
        assert volume.stat("\\docume~1").name == "Documents and Settings"
        assert volume.stat("\\").is_directory

    def test_extents_hold_the_content(self, image: Path) -> None:
        volume = mount(image)
        raw = FileDevice(image)
        content = b"".join(raw.read(place, size) for place, size in volume.extents("\\NTDETECT.COM"))
        assert content == get(image, "/NTDETECT.COM")
        assert len(volume.extents("\\NTDETECT.COM")) == 1
        assert volume.extents("\\WINDOWS\\system32\\empty.dat") == ()

    @pytest.mark.parametrize(
        "path", ["\\none", "\\WINDOWS\\none\\boot.ini", "\\boot.ini\\boot.ini", "\\WINDOWS\\..\\boot.ini"]
    )
    def test_missing(self, fat16: Path, path: str) -> None:
        with pytest.raises(FileMissingError, match="disk 0 partition 1"):
            mount(fat16).stat(path)

    def test_a_directory_is_no_file(self, fat16: Path) -> None:
        for path in ("\\WINDOWS", "\\"):
            with pytest.raises(FileSystemError, match="is a directory"):
                mount(fat16).read(path)
        with pytest.raises(FileMissingError):
            mount(fat16).listdir("\\boot.ini")

    def test_a_file_as_random_access_bytes(self, fat16: Path) -> None:
        file = OpenFile(mount(fat16), "\\NTDETECT.COM")
        file.write(33279, b"ab")
        assert (file.size, file.read(33278, 10)) == (33281, b"\xfeab")

    def test_a_fragmented_file(self, fat16: Path) -> None:
        for number in range(8):
            put(fat16, f"/F{number}", bytes([number]) * 512)
        for number in range(0, 8, 2):
            mtools(fat16, "mdel", f"::/F{number}")
        free = 4096 * 1024 - 300 * 1024
        put(fat16, "/BIG", pattern(free)[:3_700_000])
        volume = mount(fat16)
        assert volume.read("\\BIG") == pattern(3_700_000)
        assert volume.read("\\BIG", 100_000, 3_000_000) == pattern(3_700_000)[100_000:3_100_000]
        raw = FileDevice(fat16)
        assert b"".join(raw.read(*extent) for extent in volume.extents("\\BIG")) == pattern(3_700_000)


class TestWriting:
    def test_in_place(self, image: Path) -> None:
        expected = bytearray(image.read_bytes())
        volume = mount(image)
        (start, _), *_ = volume.extents("\\NTDETECT.COM")
        volume.write("\\NTDETECT.COM", 1000, b"X" * 600)
        expected[start + 1000 : start + 1600] = b"X" * 600
        assert volume.read("\\NTDETECT.COM") == get(image, "/NTDETECT.COM") == expected[start : start + 33280]
        assert_consistent(image)
        after = image.read_bytes()
        changed = [at for at in range(0, len(after), 512) if after[at : at + 512] != expected[at : at + 512]]
        assert len(changed) == 1  # the directory entry's sector: its dates

    @pytest.mark.parametrize("size", [0, 1, 511, 512, 100_000])
    def test_grow_and_shrink(self, image: Path, size: int) -> None:
        volume = mount(image)
        volume.write("\\boot.ini", 0, pattern(size))
        volume.truncate("\\boot.ini", size)
        assert get(image, "/boot.ini") == pattern(size) == volume.read("\\boot.ini")
        assert_consistent(image)
        volume.truncate("\\boot.ini", size + 70_000)
        assert get(image, "/boot.ini") == pattern(size) + bytes(70_000)
        assert_consistent(image)
        volume.truncate("\\boot.ini", 0)
        assert_consistent(image)
        assert volume.stat("\\boot.ini").size == 0

    def test_a_gap_reads_as_zeros(self, image: Path) -> None:
        volume = mount(image)
        volume.write("\\boot.ini", 40_000, b"end")
        assert get(image, "/boot.ini") == b"[boot loader]\r\ntimeout=30\r\n" + bytes(40_000 - 27) + b"end"
        assert_consistent(image)

    def test_create(self, image: Path) -> None:
        volume = mount(image)
        for name, short in NAMES.items():
            volume.create(f"\\windows\\system32\\{name}", pattern(5000))
            assert_consistent(image)
            assert volume.listdir("\\WINDOWS\\system32")[-1].name == name
            assert volume.read(f"\\WINDOWS\\system32\\{short.lower()}") == pattern(5000)
            assert get(image, f"/WINDOWS/system32/{name}") == pattern(5000)
            assert get(image, f"/WINDOWS/system32/{short}") == pattern(5000)
        listed = mtools(image, "mdir", "-b", "-a", "::/WINDOWS/system32").decode()
        assert listed.splitlines()[2:] == [f"::/WINDOWS/system32/{name}" for name in NAMES]

    def test_dates_attributes_and_sleuthkit(self, image: Path) -> None:
        mount(image).create("\\WINDOWS\\new driver.sys", pattern(70_000))
        listing = run("fls", "-r", "-p", image).decode()
        found = re.search(r"r/r (\d+):\tWINDOWS/new driver.sys", listing)
        assert found, listing
        assert run("icat", image, found[1]) == pattern(70_000)
        facts = run("istat", "-z", "UTC", image, found[1]).decode()
        assert "Archive" in facts
        assert facts.count("2003-05-14 03:30:2") == 2, facts  # written and created; FAT keeps only the day of access

    def test_create_directory(self, image: Path) -> None:
        volume = mount(image)
        volume.create_directory("\\EFI")
        volume.create_directory("\\efi\\Boot")
        volume.create_directory("\\WINDOWS\\a long name of a directory")
        volume.create("\\EFI\\Boot\\bootx64.efi", pattern(70_000))
        assert_consistent(image)
        assert [entry.name for entry in volume.listdir("\\EFI")] == ["Boot"]
        assert get(image, "/EFI/Boot/bootx64.efi") == pattern(70_000)
        assert mtools(image, "mdir", "-b", "-a", "::/WINDOWS/a long name of a directory") == b""
        listing = run("fls", "-r", "-p", "-u", image).decode()
        assert re.search(r"d/d \d+:\tEFI/Boot\n", listing), listing
        found = re.search(r"r/r (\d+):\tEFI/Boot/bootx64.efi", listing)
        assert found, listing
        assert run("icat", image, found[1]) == pattern(70_000)

    def test_a_directory_is_not_created_twice(self, image: Path) -> None:
        before = image.read_bytes()
        for taken in ("\\windows", "\\BOOT.INI", "\\WINDOWS\\System32"):
            with pytest.raises(FileSystemError, match="is there already"):
                mount(image).create_directory(taken)
        with pytest.raises(FileMissingError, match="no directory 'nothing'"):
            mount(image).create_directory("\\nothing\\here")
        assert image.read_bytes() == before

    def test_empty_file(self, image: Path) -> None:
        mount(image).create("\\empty", b"")
        assert get(image, "/empty") == b""
        assert_consistent(image)

    def test_both_fats_are_alike(self, image: Path) -> None:
        if image.name == "fat16-one-fat":
            pytest.skip("has one FAT")
        volume = mount(image)
        volume.create("\\new", pattern(200_000))
        volume.truncate("\\NTDETECT.COM", 5)
        first, second = volume._layout.fat_offsets
        content = image.read_bytes()
        assert content[first:second] == content[second : 2 * second - first]

    def test_numeric_tails(self, fat16: Path) -> None:
        volume = mount(fat16)
        for number in range(12):
            volume.create(f"\\WINDOWS\\long name number {number}.txt", b"%d" % number)
        assert_consistent(fat16)
        assert volume.read("\\WINDOWS\\LONGNA~1.TXT") == b"0"
        assert volume.read("\\WINDOWS\\LONGN~12.TXT") == b"11"

    def test_a_directory_grows(self, image: Path) -> None:
        volume = mount(image)
        names = [f"file with a rather long name {number}.sys" for number in range(120)]
        for name in names:
            volume.create(f"\\WINDOWS\\system32\\{name}", name.encode())
        assert_consistent(image)
        assert [each.name for each in mount(image).listdir("\\WINDOWS\\system32")][2:] == names
        listed = mtools(image, "mdir", "-b", "-a", "::/WINDOWS/system32").decode()
        assert all(name in listed for name in names)

    def test_the_fixed_root_is_full_one_day(self, fat16: Path) -> None:
        volume = mount(fat16)
        for number in range((512 - volume._tree.root().listing.end) // 3):
            volume.create(f"\\file with a long name {number}", b"")
        with pytest.raises(FileSystemError, match=r"directory \\ is full: it has room for 512 entries"):
            volume.create("\\one more file of this kind", b"")
        assert_consistent(fat16)
        assert len(volume.listdir("\\")) > 100

    def test_the_root_of_fat32_grows(self, fat32: Path) -> None:
        volume = mount(fat32)
        for number in range(100):
            volume.create(f"\\file with a long name {number}", b"x")
        assert_consistent(fat32)
        assert len(mount(fat32).listdir("\\")) == 104

    def test_slots_of_deleted_files_are_used_again(self, fat16: Path) -> None:
        put(fat16, "/a long name for three slots.txt", b"")
        put(fat16, "/LAST", b"")
        mtools(fat16, "mdel", "::/a long name for three slots.txt")
        volume = mount(fat16)
        end = volume._tree.root().listing.end
        volume.create("\\b long name for three slots.txt", b"x")
        assert volume._tree.root().listing.end == end
        assert_consistent(fat16)

    def test_garbage_behind_the_end_mark_stays_hidden(self, fat16: Path) -> None:
        volume = mount(fat16)
        layout, end = volume._layout, volume._tree.root().listing.end
        FileDevice(fat16).write(layout.root_offset + (end + 1) * 32, b"GHOST   SYS ".ljust(32, b"\x21") * 3)
        volume.create("\\NEW", b"x")
        assert [each.name for each in volume.listdir("\\")][-1] == "NEW"
        assert [each.name for each in mount(fat16).listdir("\\")][-1] == "NEW"

    def test_full_volume(self, image: Path) -> None:
        volume = mount(image)
        with pytest.raises(FileSystemError, match="the volume is full"):
            volume.create("\\huge", bytes(volume._layout.size))
        assert_consistent(image)

    def test_the_last_cluster_can_be_used(self, fat16: Path) -> None:
        volume = mount(fat16)
        free = sum(1 for _ in volume._table._free_clusters(2, volume._layout.end_cluster))
        volume.create("\\ALL", pattern(free * 512))
        assert_consistent(fat16)
        assert get(fat16, "/ALL") == pattern(free * 512)
        with pytest.raises(FileSystemError, match="the volume is full: 512 bytes are needed and 0 are free"):
            volume.create("\\MORE", b"x")

    @pytest.mark.parametrize("name", ["BOOT.INI", "boot.INI", "docume~1", "WINDOWS"])
    def test_there_already(self, fat16: Path, name: str) -> None:
        before = fat16.read_bytes()
        with pytest.raises(FileSystemError, match="is there already"):
            mount(fat16).create(f"\\{name}", b"")
        assert fat16.read_bytes() == before

    @pytest.mark.parametrize("name", ["a:b", "a/b", 'a"b', "x" * 256, "a.", "a ", "a\nb", ".", "..", "\ud800"])
    def test_impossible_names(self, fat16: Path, name: str) -> None:
        with pytest.raises(FileSystemError, match="no file can be called"):
            mount(fat16).create(f"\\{name}", b"")

    def test_too_large(self, fat16: Path) -> None:
        with pytest.raises(FileSystemError, match="at most 4294967295"):
            mount(fat16).truncate("\\boot.ini", 2**32)
        with pytest.raises(FileSystemError, match="has no byte -1"):
            mount(fat16).write("\\boot.ini", -1, b"x")


class TestFsInfo:
    def test_free_count_and_hint(self, fat32: Path) -> None:
        volume = mount(fat32)
        assert volume._layout.fsinfo_offset == 512

        def facts() -> tuple[int, int]:
            sector = fat32.read_bytes()[512:1024]
            return int.from_bytes(sector[488:492], "little"), int.from_bytes(sector[492:496], "little")

        free, _ = facts()
        volume.create("\\NEW", bytes(5120))
        assert facts()[0] == free - 10
        assert facts()[1] == volume._table.chain(facts()[1], 1, what="the last cluster")[0]
        volume.truncate("\\NEW", 0)
        assert facts()[0] == free
        assert_consistent(fat32)

    def test_an_unknown_count_stays_unknown(self, fat32: Path) -> None:
        FileDevice(fat32).write(512 + 488, b"\xff" * 8)
        mount(fat32).create("\\NEW", bytes(5120))
        assert fat32.read_bytes()[1000:1004] == b"\xff" * 4
        assert_consistent(fat32)

    def test_a_sector_without_signatures_is_left_alone(self, fat32: Path) -> None:
        FileDevice(fat32).write(512, bytes(512))
        mount(fat32).create("\\NEW", bytes(5120))
        assert fat32.read_bytes()[512:1024] == bytes(512)

    def test_the_active_fat_alone_is_written_where_mirroring_is_off(self, fat32: Path) -> None:
        FileDevice(fat32).write(40, b"\x81\x00")
        before = fat32.read_bytes()
        volume = mount(fat32)
        volume.create("\\NEW", bytes(5120))
        (second,) = volume._layout.fat_offsets
        after = fat32.read_bytes()
        first = 32 * 512
        assert before[first:second] == after[first:second]
        assert before[second : second + 4096] != after[second : second + 4096]


class TestState:
    def test_opened_for_reading(self, fat16: Path) -> None:
        volume = mount(fat16, writable=False)
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            volume.write("\\boot.ini", 0, b"x")
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            volume.truncate("\\boot.ini", 0)
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            volume.create("\\new", b"")

    @pytest.mark.parametrize(
        ("name", "offset", "byte"),
        [
            ("fat12-floppy", 0x25, 0x01),  # by NT, in the boot sector
            ("fat16-small-clusters", 0x25, 0x01),
            ("fat16-small-clusters", 0x25, 0x02),
            ("fat32", 0x41, 0x01),
            ("fat16-small-clusters", -1, 0x7F),  # by Windows 9x, in FAT[1]
            ("fat16-small-clusters", -1, 0xBF),
            ("fat32", -1, 0x07),
        ],
    )
    def test_a_dirty_volume_is_read_but_not_written(
        self, templates: dict[str, Path], tmp_path: Path, name: str, offset: int, byte: int
    ) -> None:
        image = copy(templates[name], tmp_path / name)
        if offset < 0:
            layout = mount(image)._layout
            offset = layout.fat_offsets[0] + layout.entry_bits // 8 * 2 - 1
        FileDevice(image).write(offset, bytes([byte]))
        before = image.read_bytes()
        volume = mount(image)
        assert volume.state is VolumeState.UNCLEAN
        assert volume.read("\\boot.ini").startswith(b"[boot")
        with pytest.raises(UnsafeVolumeError, match="chkdsk"):
            volume.write("\\boot.ini", 0, b"x")
        assert image.read_bytes() == before

    @pytest.mark.parametrize(
        ("content", "state"),
        [
            (b"hibr", VolumeState.HIBERNATED),
            (b"HIBR" + bytes(4096), VolumeState.HIBERNATED),
            (b"wake", VolumeState.CLEAN),
            (bytes(4096), VolumeState.CLEAN),
            (b"", VolumeState.CLEAN),
        ],
    )
    def test_hibernated(self, fat16: Path, content: bytes, state: VolumeState) -> None:
        put(fat16, "/HIBERFIL.SYS", content)
        assert mount(fat16).state is state

    def test_label_of_the_root_directory_wins(self, fat16: Path) -> None:
        mtools(fat16, "mlabel", "::NEW LABEL")
        assert mount(fat16).label == "NEW LABEL"
        assert "NEW LABEL" not in [each.name for each in mount(fat16).listdir("\\")]


def test_reading_changes_nothing(templates: dict[str, Path]) -> None:
    image = templates["fat32"]
    before = image.read_bytes()
    volume = mount(image)
    for each in volume.listdir("\\"):
        volume.stat(f"\\{each.name}")
    volume.read("\\NTDETECT.COM")
    volume.close()
    assert image.read_bytes() == before


def test_fat32_with_too_few_clusters_is_still_fat32(tmp_path: Path) -> None:
    """mtools takes such a volume for FAT16 and finds no root directory; the NT driver and fsck.fat do not."""
    image = make(tmp_path / "few", "-F", "32", "-s", "8", kib=8192)
    volume = mount(image)
    assert volume.kind is FileSystemKind.FAT32
    volume.create("\\a long name.txt", pattern(10_000))
    assert_consistent(image)


def test_clusters_of_64_kib(tmp_path: Path) -> None:
    image = make(tmp_path / "big", "-F", "16", "-s", "128", kib=307200)
    volume = mount(image)
    volume.create("\\a long name.txt", pattern(100_000))
    assert volume.extents("\\a long name.txt")[0][1] == 100_000
    assert get(image, "/a long name.txt") == pattern(100_000)
    assert_consistent(image)
