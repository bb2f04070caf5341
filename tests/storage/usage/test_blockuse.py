"""Who uses block devices and files, against loop devices, partitions and mounts of the kernel's own."""

import os
from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.storage.openers import fuse_mounted, loop_device, mounted, partition_mounted

from bootgraft.storage.usage import blockuse, mounts
from bootgraft.storage.usage.blockuse import Use, device_uses, file_uses


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    with path.open("wb") as opened:
        opened.truncate(8 << 20)
    run("mkfs.ext4", "-q", path)
    return path


@pytest.mark.parametrize(("options", "writes"), [((), True), (("-r",), False)])
def test_loop_devices_over_a_file(file: Path, options: tuple[str, ...], writes: bool) -> None:
    assert file_uses(file, file.stat()) == ()
    with loop_device(file, *options) as device:
        assert device_uses(device.stat().st_rdev) == ()
        assert file_uses(file, file.stat()) == (Use(f"the loop device {device}", writes, f"losetup -d {device}"),)
        link = file.with_name("link")
        link.hardlink_to(file)
        assert len(file_uses(link, link.stat())) == 1


def test_a_loop_device_whose_file_is_seen_elsewhere_is_known_by_name(file: Path) -> None:
    with loop_device(file) as device:
        moved = file.rename(file.with_name("moved"))
        assert [use.what for use in file_uses(moved, moved.stat())] == [f"the loop device {device}"]
        file.touch()
        assert file_uses(file, file.stat()) == ()


@pytest.mark.parametrize(("options", "writes"), [((), True), (("-o", "ro"), False)])
def test_a_mount_of_a_partition(tmp_path: Path, options: tuple[str, ...], writes: bool) -> None:
    point = tmp_path / "a place"
    disk = tmp_path / "disk.raw"
    with partition_mounted(disk, point, *options) as device:
        what = f"{device}p2 is mounted at {point}"
        for each, expected in ((device, True), (Path(f"{device}p2"), True), (Path(f"{device}p1"), False)):
            found = device_uses(each.stat().st_rdev)
            assert found == ((Use(what, writes, f"umount '{point}'"),) if expected else ())
        (use,) = file_uses(disk, disk.stat())
        assert use.what == f"the loop device {device} ({what})"
        assert use.release == f"umount '{point}'; losetup -d {device}"


def test_a_mount_without_a_device(tmp_path: Path) -> None:
    volume, point = tmp_path / "volume", tmp_path / "mount"
    with fuse_mounted(volume, point):
        assert file_uses(volume, volume.stat()) == (Use(f"it is mounted at {point}", True, f"umount {point}"),)


def device(folder: Path, number: str, name: str = "") -> None:
    """A block device as sysfs shows it (Linux, Documentation/ABI/stable/sysfs-block)."""
    (folder / "holders").mkdir(parents=True)
    (folder / "dev").write_text(f"{number}\n")
    if name:
        (folder / "dm").mkdir()
        (folder / "dm" / "name").write_text(f"{name}\n")


@pytest.fixture
def disk_with_lvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of a disk as the kernel shows it whose second partition is a volume group's: this one has no dm."""
    devices = tmp_path / "devices"
    device(devices / "sdb", "8:16")
    for number in (1, 2):
        device(devices / "sdb" / f"sdb{number}", f"8:{16 + number}")
        (devices / "sdb" / f"sdb{number}" / "partition").write_text(f"{number}\n")
    for number, name in ((0, "vg0-root"), (1, "vg0-vm--100--disk--0"), (2, "crypt\x1b[2J")):
        device(devices / f"dm-{number}", f"252:{number}", name)
    (devices / "sdb" / "sdb2" / "holders" / "dm-0").symlink_to(devices / "dm-0")
    (devices / "sdb" / "sdb2" / "holders" / "dm-1").symlink_to(devices / "dm-1")
    (devices / "dm-1" / "holders" / "dm-2").symlink_to(devices / "dm-2")
    (tmp_path / "dev" / "block").mkdir(parents=True)
    (tmp_path / "dev" / "block" / "8:16").symlink_to(devices / "sdb")
    monkeypatch.setattr(blockuse, "_SYS", tmp_path)
    table = tmp_path / "mountinfo"
    table.write_text("22 1 252:0 / / rw,relatime - ext4 /dev/mapper/vg0-root rw\n")
    monkeypatch.setattr(mounts, "_MOUNTINFO", table)
    return os.makedev(8, 16)


def test_what_is_built_on_a_disk(disk_with_lvm: int) -> None:
    assert device_uses(disk_with_lvm) == (
        Use("/dev/dm-0 (vg0-root) is mounted at /", True, "umount /"),
        Use("/dev/dm-2 (crypt\x1b[2J) is built on /dev/dm-1 (vg0-vm--100--disk--0)", None, ""),
    )


def test_a_circle_which_no_kernel_makes_has_an_end(disk_with_lvm: int, tmp_path: Path) -> None:
    (tmp_path / "devices" / "dm-2" / "holders" / "dm-1").symlink_to(tmp_path / "devices" / "dm-1")
    assert len(device_uses(disk_with_lvm)) == 2


def test_a_file_system_with_a_number_of_its_own(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A btrfs shows the device that it is on by name only."""
    with loop_device(file) as loop:
        table = tmp_path / "mountinfo"
        table.write_text(f"22 1 0:43 /@ /srv rw,relatime - btrfs {loop} rw,subvol=/@\n")
        monkeypatch.setattr(mounts, "_MOUNTINFO", table)
        assert device_uses(loop.stat().st_rdev) == (Use(f"{loop} is mounted at /srv", True, "umount /srv"),)


def test_a_device_that_sysfs_does_not_know() -> None:
    assert device_uses(os.makedev(4095, 4095)) == ()


def test_a_loop_device_below_a_mount(file: Path, tmp_path: Path) -> None:
    with loop_device(file) as loop, mounted(loop, tmp_path / "mount") as point:
        (use,) = file_uses(file, file.stat())
        assert use.what == f"the loop device {loop} ({loop} is mounted at {point})"
