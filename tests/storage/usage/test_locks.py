"""Locks, against real qemu programs in both directions, and VMware's lock files."""

import errno
import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.storage.imagekit import create, qemu_io

from bootgraft.errors import ImageError, ImageInUseError
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.storage.usage import locks


@contextmanager
def held_by_qemu(path: Path, driver: str, *, read_only: bool = False) -> Iterator[None]:
    """A qemu-io that has the image open until the block ends."""
    line = ["qemu-io", *(["-r"] if read_only else []), "-f", driver, str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        try:
            holder.stdin.write(b"length\n")  # its answer tells that the image is open
            holder.stdin.flush()
            assert holder.stdout.readline()
            yield
        finally:
            holder.communicate(b"quit\n")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return create(tmp_path / "disk.raw", "raw", "1M")


@pytest.mark.parametrize("writable", [False, True])
def test_a_disk_that_qemu_writes_is_in_use(raw: Path, writable: bool) -> None:
    with held_by_qemu(raw, "raw"), pytest.raises(ImageInUseError, match="virtual machine"):
        RawFile(raw, writable=writable)
    RawFile(raw, writable=writable).close()


def test_a_disk_that_qemu_only_reads_can_be_read(raw: Path) -> None:
    with held_by_qemu(raw, "raw", read_only=True):
        RawFile(raw, writable=False).close()


def test_qemu_cannot_write_what_we_read_but_can_read_it(raw: Path) -> None:
    with RawFile(raw, writable=False):
        assert 'Failed to get "write" lock' in qemu_io(raw, "raw", "read 0 512").stderr
        assert "read 512/512" in qemu_io(raw, "raw", "read 0 512", read_only=True).stdout
    assert "read 512/512" in qemu_io(raw, "raw", "read 0 512").stdout


def test_qemu_cannot_write_what_we_write(raw: Path) -> None:
    with RawFile(raw, writable=True):
        assert 'Failed to get "write" lock' in qemu_io(raw, "raw", "read 0 512").stderr
        # A format driver wants to be alone with whoever writes, even to read.
        assert "Failed to get" in qemu_io(raw, "qcow2", "read 0 512", read_only=True).stderr


def test_two_of_us_exclude_each_other_when_one_writes(raw: Path) -> None:
    with RawFile(raw, writable=False), RawFile(raw, writable=False), pytest.raises(ImageInUseError):
        RawFile(raw, writable=True)
    with RawFile(raw, writable=True):
        for writable in (False, True):
            with pytest.raises(ImageInUseError):
                RawFile(raw, writable=writable)


@pytest.mark.parametrize(("driver", "suffix"), [("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vdi", "vdi"), ("vhdx", "vhdx")])
def test_a_container_that_qemu_writes_is_in_use(tmp_path: Path, driver: str, suffix: str) -> None:
    path = create(tmp_path / f"disk.{suffix}", driver)
    with held_by_qemu(path, driver):
        info = identify(str(path))
        for writable in (False, True):
            with pytest.raises(ImageInUseError, match="virtual machine"):
                open_image(info, writable=writable)


def test_an_image_whose_backing_file_is_written_is_in_use(tmp_path: Path) -> None:
    base = create(tmp_path / "base.raw", "raw")
    top = create(tmp_path / "top.qcow2", "qcow2", "8M", backing_file="base.raw", backing_fmt="raw")
    with held_by_qemu(base, "raw"), pytest.raises(ImageInUseError, match=r"base\.raw"):
        open_image(identify(str(top)), writable=False)


def test_every_flat_extent_is_locked(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    with open_image(identify(str(disk)), writable=True):
        said = qemu_io(tmp_path / "disk-flat.vmdk", "raw", "read 0 512").stderr
    assert 'Failed to get "write" lock' in said
    with held_by_qemu(tmp_path / "disk-flat.vmdk", "raw"), pytest.raises(ImageInUseError, match="disk-flat"):
        open_image(identify(str(disk)), writable=False)


def test_probing_takes_nothing(raw: Path) -> None:
    with raw.open("rb") as asks:
        locks.probe(asks.fileno(), raw, writable=True)
        with raw.open("r+b") as takes:
            locks.lock(takes.fileno(), raw, writable=True)
            with pytest.raises(ImageInUseError):
                locks.probe(asks.fileno(), raw, writable=False)
        with raw.open("r+b") as takes:
            locks.lock(takes.fileno(), raw, writable=True)


def test_a_foreign_write_lock_counts(raw: Path) -> None:
    with RawFile(raw, writable=False), raw.open("r+b") as other:
        pass
    with raw.open("r+b") as other:
        fcntl.fcntl(other, fcntl.F_OFD_SETLK, locks._FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        with pytest.raises(ImageInUseError):
            RawFile(raw, writable=False)


@pytest.mark.parametrize(("code", "says"), [(errno.ENOLCK, "no byte-range locks"), (errno.EIO, "cannot be locked")])
def test_a_file_system_without_locks_is_named(raw: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "fcntl", fail)
    with pytest.raises(ImageError, match=says):
        RawFile(raw, writable=False)


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_vmware_lock_is_respected_and_named(tmp_path: Path, as_folder: bool) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    lock = tmp_path / "disk.vmdk.lck"
    if as_folder:
        lock.mkdir()
        (lock / "M05372.lck").write_bytes(b"x")
    else:
        lock.write_bytes(b"")
    for image in (disk, tmp_path / "disk-flat.vmdk"):
        with pytest.raises(ImageInUseError, match=r"disk\.vmdk\.lck"):
            open_image(identify(str(image)), writable=False)


def test_a_lock_beside_an_extent_counts(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="twoGbMaxExtentSparse")
    (tmp_path / "disk-s001.vmdk.lck").mkdir()
    with pytest.raises(ImageInUseError, match=r"disk-s001\.vmdk\.lck"):
        open_image(identify(str(disk)), writable=False)


def test_esxi_locks_on_nfs_by_inode_number(raw: Path) -> None:
    # VMware's article shows .lck-3409000000000000 for the file whose inode is 2356, 0x934.
    number = raw.stat().st_ino.to_bytes(8, "little").hex()
    (raw.parent / f".lck-{number}").write_bytes(b"")
    with pytest.raises(ImageInUseError, match=number):
        open_image(identify(str(raw)), writable=False)


def test_an_overlay_is_written_while_its_base_is_read(tmp_path: Path) -> None:
    for base, driver in (
        (create(tmp_path / "base.raw", "raw"), "raw"),
        (create(tmp_path / "base.vmdk", "vmdk"), "vmdk"),
    ):
        top = create(tmp_path / f"{driver}.qcow2", "qcow2", "8M", backing_file=base.name, backing_fmt=driver)
        with open_image(identify(str(base)), writable=False), open_image(identify(str(top)), writable=True) as image:
            image.device.write(0, b"x" * 512)
            image.device.flush()
