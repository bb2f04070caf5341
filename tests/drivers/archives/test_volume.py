"""A floppy image as a source of drivers."""

import subprocess
from pathlib import Path

import pytest
from tests.fakes import FakeFileSystem
from tests.filesystems.fat.images import FileDevice

from bootgraft.drivers.archives import volume as volume_module
from bootgraft.drivers.archives.volume import VolumeArchive
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.errors import DriverSourceError, FileMissingError
from bootgraft.filesystems.base import Entry
from bootgraft.filesystems.detect import mount


def test_a_floppy_made_by_mtools(tmp_path: Path) -> None:
    image = tmp_path / "f6.img"
    (tmp_path / "A long name.inf").write_bytes(b"[Version]\r\n")
    (tmp_path / "disk.sys").write_bytes(b"MZ")
    subprocess.run(["mformat", "-C", "-f", "1440", "-i", image], check=True)
    subprocess.run(["mmd", "-i", image, "::WXP"], check=True)
    subprocess.run(["mcopy", "-i", image, tmp_path / "A long name.inf", tmp_path / "disk.sys", "::WXP"], check=True)
    subprocess.run(["mcopy", "-i", image, tmp_path / "disk.sys", "::"], check=True)
    archive = VolumeArchive(mount(FileDevice(image), writable=False, name="f6.img"), "f6.img")
    assert sorted((member.path, member.size) for member in archive.members()) == [
        ("WXP\\A long name.inf", 11),
        ("WXP\\disk.sys", 2),
        ("disk.sys", 2),
    ]
    assert archive.read("wxp\\DISK.SYS") == b"MZ"
    with pytest.raises(FileMissingError):
        archive.read("wxp\\absent.sys")
    (inf,) = PackageTree(archive, "f6.img").infs()
    assert inf.path == "WXP\\A long name.inf"


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem = FakeFileSystem({"\\a.inf": b"12345", "\\x\\b.inf": b""})
    monkeypatch.setattr(volume_module, "MAX_MEMBER_BYTES", 4)
    with pytest.raises(DriverSourceError, match="more than"):
        VolumeArchive(filesystem, "floppy").read("a.inf")
    monkeypatch.setattr(volume_module, "MAX_MEMBERS", 1)
    with pytest.raises(DriverSourceError, match="it has more than 1 files"):
        VolumeArchive(filesystem, "floppy")


class Endless(FakeFileSystem):
    """A damaged volume: each folder has two that are itself."""

    def listdir(self, _path: str, /) -> tuple[Entry, ...]:
        return tuple(Entry(name, is_directory=True, size=0, attributes=0x10) for name in "ab")


def test_folders_that_hold_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_module, "_MAX_FOLDERS", 100)
    with pytest.raises(DriverSourceError, match="it has more than 100 folders"):
        VolumeArchive(Endless({}), "floppy")
