"""Volumes out of the ordinary: NT 4's NTFS 1.2, other cluster and sector sizes, very large ones."""

import os
import struct
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    CountingDevice,
    assert_consistent,
    attribute,
    blank,
    descriptor,
    directory,
    file,
    fill,
    mount,
    patch,
    record_offset,
    run,
    sleuthkit_content,
    sleuthkit_files,
    sleuthkit_report,
    volume_information,
)

from bootgraft.filesystems.base import VolumeState
from bootgraft.filesystems.ntfs.volume import mount_ntfs


def make_nt4(volume: Path) -> Path:
    """Say NTFS 1.2 in ``$Volume``, as NT 4 before service pack 4 does; nothing formats it so any more."""
    record = record_offset(volume, 3)
    content = volume.read_bytes()[record : record + 1024]
    version = content.index(b"\x03\x01\x00\x00", content.index(b"\x70\x00\x00\x00"))
    for start in (record, record_offset(volume, 3, mirror=True)):
        patch(volume, start + version, b"\x01\x02")
    return volume


def test_on_nt4_the_neighbours_security_descriptor_is_copied(tmp_path: Path) -> None:
    wanted, other = descriptor(0x1200A9), descriptor(0x1F01FF)
    volume = fill(
        make_nt4(blank(tmp_path / "volume")),
        directory("WINNT"),
        file("WINNT/a.txt", b"text"),
        attribute("WINNT/a.txt", "system.ntfs_acl", other),
        file("WINNT/atapi.sys", b"driver"),
        attribute("WINNT/atapi.sys", "system.ntfs_acl", wanted),
    )
    assert volume_information(volume)["Volume Version"] == "1.2"
    with mount(volume, writable=True) as mounted:
        mounted.create("\\WINNT\\symmpi.sys", b"new driver")
    found = sleuthkit_files(volume)
    for name in ("WINNT/atapi.sys", "WINNT/symmpi.sys"):
        assert run("icat", "-f", "ntfs", volume, f"{found[name]}-80") == wanted
        assert "Security ID: 0" in sleuthkit_report(volume, found[name])
    assert sleuthkit_content(volume, found["WINNT/symmpi.sys"]) == b"new driver"
    assert_consistent(volume)


def test_in_an_empty_directory_the_directory_lends_its_security(tmp_path: Path) -> None:
    volume = fill(
        blank(tmp_path / "volume"), directory("drivers"), attribute("drivers", "system.ntfs_acl", descriptor(0x1200A9))
    )
    with mount(volume, writable=True) as mounted:
        mounted.create("\\drivers\\symmpi.sys", b"new driver")
    found = sleuthkit_files(volume)
    lines = [
        line
        for name in ("drivers", "drivers/symmpi.sys")
        for line in sleuthkit_report(volume, found[name]).splitlines()
        if line.startswith("Security ID")
    ]
    assert len(lines) == 2
    assert lines[0] == lines[1] != "Security ID: 0  ()"


@pytest.mark.parametrize(("sector", "cluster"), [(512, 512), (512, 1024), (512, 65536), (4096, 4096), (4096, 65536)])
def test_cluster_and_sector_sizes(tmp_path: Path, sector: int, cluster: int) -> None:
    volume = tmp_path / "volume"
    with volume.open("wb") as image:
        image.truncate(40 << 20)
    run("mkntfs", "-F", "-q", "-Q", "-s", str(sector), "-c", str(cluster), volume)
    content = os.urandom(200_000)
    with mount(volume, writable=True) as mounted:
        for number in range(60):
            mounted.create(f"\\a long name, so that the index grows {number:02d}.sys", content[: number * 3000])
        mounted.create("\\symmpi.sys", content)
        assert mounted.stat("\\SYMMPI.SYS").size == 200_000
    raw = volume.read_bytes()
    with mount(volume) as mounted:
        assert len(mounted.listdir("\\")) == 61
        assert mounted.read("\\symmpi.sys") == content
        runs = mounted.extents("\\symmpi.sys")
        assert b"".join(raw[offset : offset + length] for offset, length in runs) == content
        ((offset, length),) = mounted.extents("\\$Boot")
        assert offset == 0
        assert raw[:8192] == raw[offset : offset + length]
    assert_consistent(volume)


def test_a_nearly_full_large_volume_costs_few_reads(tmp_path: Path) -> None:
    """One new file on a volume whose only room is at its end: all of ``$Bitmap`` is read, a megabyte at a time."""
    volume = tmp_path / "volume"
    with volume.open("wb") as image:
        image.truncate(256 << 30)
    run("mkntfs", "-F", "-q", "-Q", "-c", "4096", volume)
    with mount(volume) as mounted:
        bitmap = mounted.extents("\\$Bitmap")
    assert sum(length for _offset, length in bitmap) == 8 << 20
    for index, (offset, length) in enumerate(bitmap):
        patch(volume, offset, b"\xff" * (length - 4096 if index == len(bitmap) - 1 else length))
    device = CountingDevice(volume)
    with mount_ntfs(device, writable=True, name="volume") as mounted:
        assert mounted.state is VolumeState.CLEAN
        at_mount = len(device.reads)
        mounted.create("\\symmpi.sys", b"x" * 100_000)
        mounted_reads = device.reads[at_mount:]
    assert 7 << 20 < sum(length for _offset, length in mounted_reads) < 9 << 20
    assert len(mounted_reads) < 20
    assert at_mount < 30
    with mount(volume) as mounted:
        ((offset, _length),) = mounted.extents("\\symmpi.sys")
        assert offset > 255 << 30
        assert mounted.read("\\symmpi.sys") == b"x" * 100_000
    with volume.open("rb") as image:
        assert struct.unpack("4s", os.pread(image.fileno(), 4, offset))[0] == b"xxxx"
