"""An NTFS volume of the ordinary kind: made by mkntfs and ntfs-3g, judged by ntfsresize and sleuthkit."""

import os
import re
import shutil
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    assert_consistent,
    attribute,
    blank,
    descriptor,
    directory,
    file,
    fill,
    mount,
    sleuthkit_content,
    sleuthkit_files,
    sleuthkit_report,
    walk,
)

from bootgraft.errors import FileMissingError, FileSystemError, UnsafeVolumeError
from bootgraft.filesystems.base import Entry, FileSystem, FileSystemKind, OpenFile, VolumeState
from bootgraft.filesystems.ntfs.entries import DIRECTORY
from bootgraft.filesystems.ntfs.readahead import ReadAhead

DRIVERS = "WINDOWS/system32/drivers"
HIVE = os.urandom(300_000)
ACL, ATTRIBUTES, DOS_NAME = "system.ntfs_acl", "system.ntfs_attrib_be", "system.ntfs_dos_name"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Windows: drivers with one security id, other files with another."""
    drivers, others = descriptor(0x1200A9), descriptor(0x1F01FF)
    named = [f"{DRIVERS}/{name}" for name in ("atapi.sys", "disk.sys", "symmpi.sys")]
    return fill(
        blank(tmp_path_factory.mktemp("ntfs") / "volume", label="Wörk 漢字"),
        directory(DRIVERS),
        directory("WINDOWS/system32/config"),
        directory("WINDOWS/many"),
        directory("Program Files"),
        attribute("Program Files", DOS_NAME, b"PROGRA~1"),
        ("files", "WINDOWS/many", "a rather long name of file number {:04d}.txt", "700"),
        file("WINDOWS/system32/config/SYSTEM", HIVE),
        file(f"{DRIVERS}/readme.txt", b"first in the directory is another kind"),
        attribute(f"{DRIVERS}/readme.txt", ACL, others),
        *(file(name, name.encode()) for name in named),
        *(attribute(name, ACL, drivers) for name in named),
        file(f"{DRIVERS}/odd.sys", b"x" * 5000),
        attribute(f"{DRIVERS}/odd.sys", ACL, others),
        file("Größe Ω.txt", b"ok"),
        attribute("Größe Ω.txt", ATTRIBUTES, (0x23).to_bytes(4, "big")),
        file("empty", b""),
    )


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def security_id(image: Path, path: str) -> int:
    found = re.search(r"Security ID: (\d+)", sleuthkit_report(image, sleuthkit_files(image)[path]))
    assert found is not None
    return int(found[1])


def test_what_it_is(volume: Path) -> None:
    with mount(volume) as mounted:
        a_file_system: FileSystem = mounted
        assert a_file_system.kind is FileSystemKind.NTFS
        assert mounted.label == "Wörk 漢字"
        assert mounted.state is VolumeState.CLEAN
        assert not mounted.writable


def test_every_file_as_sleuthkit_sees_it(volume: Path) -> None:
    with mount(volume) as mounted:
        found = walk(mounted)
    assert set(found) == set(sleuthkit_files(volume))
    assert len([name for name in found if name.startswith("WINDOWS/many/")]) == 700
    with mount(volume) as mounted:
        for path, record in sleuthkit_files(volume).items():
            if not path.startswith("WINDOWS/many") and found[path]:
                assert mounted.read("\\" + path.replace("/", "\\")) == sleuthkit_content(volume, record)


def test_case_does_not_matter(volume: Path) -> None:
    with mount(volume) as mounted:
        entry = mounted.stat("\\windows\\SYSTEM32\\Drivers\\SymMPI.SYS")
        assert entry == Entry("symmpi.sys", is_directory=False, size=len(f"{DRIVERS}/symmpi.sys"), attributes=0x20)
        assert mounted.stat("\\GRÖSSE ω.TXT".replace("SS", "ß")).name == "Größe Ω.txt"
        assert mounted.stat("\\größe Ω.TXT").attributes == 0x23
        assert mounted.read("\\WINDOWS\\SYSTEM32\\CONFIG\\system", 1000, 50) == HIVE[1000:1050]


def test_a_dos_name_leads_to_the_file_but_is_not_listed(volume: Path) -> None:
    with mount(volume) as mounted:
        entry = mounted.stat("\\progra~1")
        assert (entry.name, entry.is_directory) == ("Program Files", True)
        assert entry.attributes & DIRECTORY
        assert [entry.name for entry in mounted.listdir("\\")].count("Program Files") == 1
        assert "PROGRA~1" not in [entry.name for entry in mounted.listdir("\\")]


def test_the_listing_agrees_with_the_files(volume: Path) -> None:
    with mount(volume) as mounted:
        for folder in ("\\", "\\WINDOWS\\system32\\drivers"):
            for entry in mounted.listdir(folder):
                assert entry == mounted.stat(f"{folder.rstrip(chr(92))}\\{entry.name}")
        assert mounted.stat("\\").is_directory


@pytest.mark.parametrize(
    "path", ["\\nothing", "\\WINDOWS\\nothing", "\\nothing\\x", "\\empty\\x", "\\" + "n" * 300, "\\a/b", "\\a:b"]
)
def test_what_is_not_there(volume: Path, path: str) -> None:
    with mount(volume) as mounted, pytest.raises(FileMissingError, match="there is no"):
        mounted.stat(path)


def test_a_file_is_no_directory_and_the_other_way_round(volume: Path) -> None:
    with mount(volume) as mounted:
        with pytest.raises(FileSystemError, match="is a file"):
            mounted.listdir("\\empty")
        with pytest.raises(FileSystemError, match="is a directory"):
            mounted.read("\\WINDOWS")


def test_reads_stop_at_the_end(volume: Path) -> None:
    path = "\\WINDOWS\\system32\\config\\SYSTEM"
    with mount(volume) as mounted:
        assert mounted.read(path) == HIVE
        assert mounted.read(path, 299_990, 100) == HIVE[299_990:]
        assert mounted.read(path, 300_000, 1) == mounted.read(path, 1 << 60, 1) == mounted.read("\\empty") == b""
        hive = OpenFile(mounted, path)
        assert hive.size == 300_000
        assert hive.read(4095, 2) == HIVE[4095:4097]


def test_writing_in_place_moves_nothing(volume: Path) -> None:
    path = "\\WINDOWS\\system32\\config\\SYSTEM"
    with mount(volume, writable=True) as mounted:
        before = mounted.extents(path)
        mounted.write(path, 4000, b"written in place" * 400)
        assert mounted.extents(path) == before
    expected = HIVE[:4000] + b"written in place" * 400 + HIVE[10_400:]
    record = sleuthkit_files(volume)["WINDOWS/system32/config/SYSTEM"]
    assert sleuthkit_content(volume, record) == expected
    assert_consistent(volume)


def test_growing_far_leaves_zeros_and_no_hole(volume: Path) -> None:
    path = "\\WINDOWS\\system32\\drivers\\atapi.sys"
    with mount(volume, writable=True) as mounted:
        mounted.write(path, 2_500_000, b"end")
        assert mounted.stat(path).attributes == 0x20
        assert sum(length for _offset, length in mounted.extents(path)) == 2_500_003
        mounted.truncate("\\empty", 70_000)
    found = sleuthkit_files(volume)
    old = f"{DRIVERS}/atapi.sys".encode()
    assert sleuthkit_content(volume, found[f"{DRIVERS}/atapi.sys"]) == old.ljust(2_500_000, b"\0") + b"end"
    assert sleuthkit_content(volume, found["empty"]) == bytes(70_000)
    assert_consistent(volume)


def test_truncating(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        mounted.truncate("\\WINDOWS\\system32\\config\\SYSTEM", 5000)
        mounted.truncate("\\WINDOWS\\system32\\drivers\\odd.sys", 0)
    found = sleuthkit_files(volume)
    assert sleuthkit_content(volume, found["WINDOWS/system32/config/SYSTEM"]) == HIVE[:5000]
    assert sleuthkit_content(volume, found[f"{DRIVERS}/odd.sys"]) == b""
    assert_consistent(volume)


def test_creating_takes_the_security_of_most_neighbours_of_its_kind(volume: Path) -> None:
    content = os.urandom(123_456)
    filetime = 127_900_000_000_000_000  # 2006-04-20 09:46:40
    with mount(volume, writable=True) as mounted:
        mounted.create("\\windows\\System32\\drivers\\LSI_SAS.sys", content, filetime=filetime)
        entry = mounted.stat("\\WINDOWS\\system32\\drivers\\lsi_sas.SYS")
        assert entry == Entry("LSI_SAS.sys", is_directory=False, size=123_456, attributes=0x20)
        assert entry in mounted.listdir("\\WINDOWS\\system32\\drivers")
    found = sleuthkit_files(volume)
    assert sleuthkit_content(volume, found[f"{DRIVERS}/LSI_SAS.sys"]) == content
    assert security_id(volume, f"{DRIVERS}/LSI_SAS.sys") == security_id(volume, f"{DRIVERS}/disk.sys") >= 256
    assert security_id(volume, f"{DRIVERS}/disk.sys") != security_id(volume, f"{DRIVERS}/odd.sys")
    report = sleuthkit_report(volume, found[f"{DRIVERS}/LSI_SAS.sys"])
    assert "Flags: Archive" in report
    assert report.count("2006-04-20 09:46:40") >= 3
    assert_consistent(volume)


def test_creating_beside_files_of_other_kinds_only(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        mounted.create("\\WINDOWS\\system32\\drivers\\new.inf", b"[Version]")
    assert security_id(volume, f"{DRIVERS}/new.inf") in (
        security_id(volume, f"{DRIVERS}/readme.txt"),
        security_id(volume, f"{DRIVERS}/disk.sys"),
    )


def test_a_new_directory_takes_the_security_of_the_directories_beside_it(volume: Path) -> None:
    guarded = descriptor(0x1301BF)
    fill(volume, *(attribute(name, ACL, guarded) for name in ("WINDOWS/system32", "WINDOWS/many")))
    with mount(volume, writable=True) as mounted:
        mounted.create_directory("\\windows\\Boot")
        assert mounted.listdir("\\WINDOWS\\boot") == ()
        mounted.create_directory("\\WINDOWS\\boot\\Größe Ω")
        mounted.create("\\windows\\boot\\größe ω\\new.sys", b"MZ" * 5000)
        entry = mounted.stat("\\WINDOWS\\BOOT")
        assert (entry.name, entry.is_directory, entry.attributes & DIRECTORY) == ("Boot", True, DIRECTORY)
        assert entry in mounted.listdir("\\WINDOWS")
        for taken in ("\\WINDOWS\\bOOT", "\\PROGRA~1", "\\empty"):
            with pytest.raises(FileSystemError, match="is there already"):
                mounted.create_directory(taken)
        with pytest.raises(FileMissingError):
            mounted.create_directory("\\nothing\\here")
        with pytest.raises(FileSystemError, match="does not allow"):
            mounted.create_directory("\\WINDOWS\\con")
    found = sleuthkit_files(volume)
    assert sleuthkit_content(volume, found["WINDOWS/Boot/Größe Ω/new.sys"]) == b"MZ" * 5000
    assert security_id(volume, "WINDOWS/Boot") == security_id(volume, "WINDOWS/many") >= 256
    assert security_id(volume, "WINDOWS/Boot/Größe Ω") == security_id(volume, "WINDOWS/Boot")
    assert "Directory" in sleuthkit_report(volume, found["WINDOWS/Boot"])
    assert_consistent(volume)


def test_a_file_in_another_case_is_not_created_twice(volume: Path) -> None:
    before = sleuthkit_files(volume)
    with mount(volume, writable=True) as mounted:
        for name in ("SYMMPI.SYS", "symmpi.sys", "Symmpi.Sys"):
            with pytest.raises(FileSystemError, match="is there already"):
                mounted.create(f"\\WINDOWS\\system32\\drivers\\{name}", b"")
        with pytest.raises(FileSystemError, match="is there already"):
            mounted.create("\\PROGRA~1", b"")
    assert sleuthkit_files(volume) == before


@pytest.mark.parametrize("name", ["con", "a?b.sys", "a:b", "point.", "blank ", "n" * 256, "nul.sys", "a/b"])
def test_a_name_that_windows_does_not_allow(volume: Path, name: str) -> None:
    with mount(volume, writable=True) as mounted, pytest.raises(FileSystemError, match="does not allow"):
        mounted.create(f"\\WINDOWS\\{name}", b"")
    assert_consistent(volume)


def test_many_new_files_split_the_directory(volume: Path) -> None:
    names = [f"driver number {number:03d} with a long name.sys" for number in range(120)]
    with mount(volume, writable=True) as mounted:
        for name in names:
            mounted.create(f"\\WINDOWS\\system32\\drivers\\{name}", name.encode() * 20)
    found = sleuthkit_files(volume)
    for name in names[::10]:
        assert sleuthkit_content(volume, found[f"{DRIVERS}/{name}"]) == name.encode() * 20
    assert_consistent(volume)


def test_a_full_volume(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        with pytest.raises(FileSystemError, match="No space left on device"):
            mounted.create("\\huge", bytes(30 << 20))
        assert mounted.read("\\WINDOWS\\system32\\config\\SYSTEM") == HIVE


def test_extents_hold_the_content(volume: Path) -> None:
    raw = volume.read_bytes()
    with mount(volume) as mounted:
        runs = mounted.extents("\\WINDOWS\\system32\\config\\SYSTEM")
        assert b"".join(raw[offset : offset + length] for offset, length in runs) == HIVE
        ((offset, length),) = mounted.extents("\\Größe Ω.txt")
        assert length == 1024
        assert raw[offset : offset + 5] == b"FILE0"
        assert "Größe Ω.txt".encode("utf-16-le") in raw[offset : offset + length]
        ((offset, length),) = mounted.extents("\\$Boot")
        assert (offset, length) == (0, 8192)
        ((offset, length),) = mounted.extents("\\$LogFile")
        assert length >= 8192
        assert raw[offset : offset + length] == b"\xff" * length


def test_a_read_only_mount_refuses_to_write(volume: Path) -> None:
    before = volume.read_bytes()
    with mount(volume) as mounted:
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            mounted.write("\\empty", 0, b"x")
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            mounted.truncate("\\empty", 1)
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            mounted.create("\\new", b"")
        with pytest.raises(UnsafeVolumeError, match="opened for reading only"):
            mounted.create_directory("\\new")
    assert volume.read_bytes() == before


def test_a_closed_volume_says_so(volume: Path) -> None:
    mounted = mount(volume)
    mounted.close()
    mounted.close()
    with pytest.raises(FileSystemError, match="is closed"):
        mounted.listdir("\\")


def test_a_closed_volume_keeps_no_bytes(volume: Path) -> None:
    """Findings about it are kept for long, and it with them."""
    with mount(volume) as mounted:
        mounted.listdir("\\")
        ahead = mounted._operations._device
        assert isinstance(ahead, ReadAhead)
        assert ahead._chunks
    assert not ahead._chunks


def test_not_ntfs(tmp_path: Path) -> None:
    image = tmp_path / "zeros"
    image.write_bytes(bytes(1 << 20))
    with pytest.raises(FileSystemError, match="cannot be mounted as NTFS"):
        mount(image)
