"""Machines: volumes found, mounted once, unmounted all."""

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from bootgraft.changes import FileId
from bootgraft.errors import FileMissingError, FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine, MbrPartition, identity_of
from tests.fakes import SIGNATURE, FakePartition, machine_of, volume_of
from tests.storage.sample_disks import SparseDisk, sfdisk

MIB = 1 << 20
SCRIPT = """label: dos
label-id: 0xcafe0001
1 : start=2048, size=32768, type=6, bootable
2 : start=34816, size=40960, type=f
5 : start=36864, size=32768, type=6
6 : start=71680, size=2048, type=7
"""


@pytest.fixture
def disk(tmp_path: Path) -> SparseDisk:
    """Two FAT16 volumes, the second logical, a stretch of nothing, and an extended partition."""
    disk = sfdisk(tmp_path / "disk", 40 * MIB, SCRIPT)
    for number, start in (("1", 2048), ("5", 36864)):
        volume = tmp_path / number
        with volume.open("wb") as file:
            file.truncate(32768 * 512)
        subprocess.run(["mkfs.fat", "-F", "16", "-n", f"VOL{number}", str(volume)], check=True, capture_output=True)
        subprocess.run(["mmd", "-i", str(volume), "::WINDOWS"], check=True, capture_output=True)
        disk.write(start * 512, volume.read_bytes())
    return disk


def test_a_volume_for_every_partition(disk: SparseDisk) -> None:
    with Machine.read([disk], writable=False) as machine:
        volumes = list(machine.volumes())
        assert [(v.name, v.number, v.kind) for v in volumes] == [
            ("disk 0 partition 1", 1, FileSystemKind.FAT16),
            ("disk 0 extended partition (slot 2)", None, None),
            ("disk 0 partition 2", 2, FileSystemKind.FAT16),
            ("disk 0 partition 3", 3, None),
        ]
        assert machine.volume(0, 2) is volumes[2]
        assert machine.volume(0, 4) is None
        assert machine.volume(1, 1) is None
        assert volumes[2].file("\\boot.ini") == FileId(0, 36864 * 512, "disk 0 partition 2", "\\boot.ini")


def test_a_file_system_is_mounted_once(disk: SparseDisk) -> None:
    with Machine.read([disk], writable=False) as machine:
        volume = machine.volume(0, 2)
        assert volume is not None
        mounted = volume.filesystem()
        assert mounted.label == "VOL5"
        assert mounted.stat("\\windows").is_directory
        assert volume.filesystem() is mounted
        with pytest.raises(FileMissingError):
            volume.hive("\\WINDOWS\\system32\\config\\SYSTEM")


@pytest.mark.parametrize("position", [1, 3])
def test_what_holds_no_file_system_says_so(disk: SparseDisk, position: int) -> None:
    with Machine.read([disk], writable=False) as machine:
        volume = list(machine.volumes())[position]
        with pytest.raises(FileSystemError) as caught:
            volume.filesystem()
        assert caught.value.where == volume.name


def test_a_file_system_beyond_the_end_is_told_and_not_opened(disk: SparseDisk) -> None:
    with disk.path.open("r+b") as file:
        file.truncate(30 * MIB)
    with Machine.read([disk], writable=False) as machine:
        assert any("beyond the end" in problem for problem in machine.disks[0].table.problems)
        volume = machine.volume(0, 2)
        assert volume is not None
        assert volume.kind is None
        with pytest.raises(PartitionTableError, match="the file system ends at byte 35651584, but the disk ends at"):
            volume.filesystem()


@pytest.mark.parametrize(("sectors", "is_taken"), [(100_000, True), (2 * 81_920 - 36_864, True), (200_000, False)])
def test_windows_takes_a_partition_that_ends_within_twice_the_disk(
    disk: SparseDisk, sectors: int, *, is_taken: bool
) -> None:
    """Its file system lies inside: only the table says more than there is."""
    record = 34816 * 512 + 0x1BE  # of the logical partition
    disk.write(record + 12, sectors.to_bytes(4, "little"))
    with Machine.read([disk], writable=False) as machine:
        volume = machine.volume(0, 2)
        assert volume is not None
        assert (volume.is_inside_disk, volume.is_accepted) == (False, is_taken)
        assert volume.kind is (FileSystemKind.FAT16 if is_taken else None)
        if is_taken:
            assert volume.filesystem().label == "VOL5"
            return
        with pytest.raises(PartitionTableError, match="the partition ends at byte"):
            volume.filesystem()


def test_closing_unmounts_all_even_if_one_fails() -> None:
    volumes = [volume_of("\\a") for _ in range(3)]
    volumes[1].failure = FileSystemError("it cannot be left consistent", where="here", advice="Look at it")
    machine = machine_of([FakePartition(volume) for volume in volumes])
    with pytest.raises(FileSystemError, match="left consistent"):
        machine.close()
    assert [volume.closed for volume in volumes] == [1, 1, 1]
    machine.close()
    assert [volume.closed for volume in volumes] == [1, 1, 1]


def test_disks_without_a_table_have_no_volumes(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(bytes(4096))
    with Machine.read([SparseDisk(path)], writable=False) as machine:
        assert machine.disks[0].volumes == ()
        assert len(machine.disks[0].table.problems) == 1


def test_a_volume_is_known_by_signature_and_offset() -> None:
    machine = machine_of([FakePartition(volume_of("\\x")), FakePartition(volume_of("\\y"))])
    first, second = machine.volumes()
    assert second.identity == MbrPartition(SIGNATURE, second.partition.start)
    assert machine.known_as(MbrPartition(SIGNATURE, first.partition.start)) == (first,)
    assert machine.known_as(MbrPartition(SIGNATURE ^ 1, first.partition.start)) == ()


def test_a_signature_of_zero_names_nothing() -> None:
    (disk,) = machine_of([FakePartition(volume_of("\\x"))]).disks
    assert identity_of(disk.table, disk.table.partitions[0]) == MbrPartition(SIGNATURE, 8192)
    assert identity_of(replace(disk.table, signature=0), disk.table.partitions[0]) is None


def test_clones_are_known_by_the_same_name() -> None:
    machine = machine_of([FakePartition(volume_of("\\x"))], [FakePartition(volume_of("\\x"))])
    found = machine.known_as(MbrPartition(SIGNATURE, 8192))
    assert [volume.disk for volume in found] == [0, 1]


def test_a_partition_of_a_gpt_is_listed_by_its_entry(tmp_path: Path) -> None:
    gpt = sfdisk(tmp_path / "gpt", 40 * MIB, "label: gpt\n1 : start=2048, size=2048\n4 : start=8192, size=2048\n")
    with Machine.read([gpt], writable=False) as machine:
        assert [(each.number, each.listed_number, each.name) for each in machine.volumes()] == [
            (None, 1, "disk 0 partition 1"),
            (None, 4, "disk 0 partition 4"),
        ]


def test_an_extended_partition_has_no_number(disk: SparseDisk) -> None:
    with Machine.read([disk], writable=False) as machine:
        assert [each.listed_number for each in machine.volumes()] == [1, None, 2, 3]
