"""Files by themselves as a volume."""

import pytest
from tests.storage.sample_disks import MemoryDisk

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.bare_volume import BareFile, BareVolume
from bootgraft.filesystems.base import FileSystem, VolumeState


@pytest.fixture
def files() -> FileSystem:
    return BareVolume(
        {
            "SYSTEM": BareFile(MemoryDisk(bytearray(b"hive".ljust(64, b"\0"))), 4, writable=True),
            "SYSTEM.LOG": BareFile(MemoryDisk(bytearray(b"log")), 3),
        }
    )


def test_reading(files: FileSystem) -> None:
    assert [entry.name for entry in files.listdir("\\")] == ["SYSTEM", "SYSTEM.LOG"]
    assert files.listdir("\\none") == ()
    assert files.stat("\\").is_directory
    assert files.stat("\\system.log").size == 3
    assert files.read("\\system") == b"hive"
    assert files.read("\\system", 2, 10) == b"ve"
    assert files.read("\\system", 9, 1) == b""
    assert files.extents("\\system") == ((0, 4),)
    assert (files.label, files.state) == ("", VolumeState.CLEAN)
    with pytest.raises(FileMissingError):
        files.stat("\\other")


def test_growing_within_the_device(files: FileSystem) -> None:
    files.write("\\System", 4, b"more")
    assert files.read("\\SYSTEM") == b"hivemore"
    files.truncate("\\System", 6)
    assert files.read("\\SYSTEM") == b"hivemo"
    with pytest.raises(FileSystemError, match="grow beyond 64 bytes"):
        files.write("\\System", 60, b"12345")


def test_what_may_not_be_written(files: FileSystem) -> None:
    with pytest.raises(FileSystemError):
        files.write("\\SYSTEM.LOG", 0, b"x")
    with pytest.raises(FileSystemError):
        files.truncate("\\SYSTEM.LOG", 0)
    with pytest.raises(FileSystemError):
        files.create("\\new", b"")
    files.close()
