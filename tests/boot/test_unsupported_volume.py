"""Why a volume is no ordinary partition."""

import pytest
from tests.fakes import FakeFileSystem, FakePartition, machine_of

from bootgraft.boot.unsupported_volume import UnsupportedKind, explain
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine
from bootgraft.storage.disks.partitions import Partition


def cause(partition: FakePartition) -> UnsupportedKind | None:
    machine = machine_of((partition,))
    (volume,) = machine.volumes()
    found = explain(machine, volume)
    return None if found is None else found.kind


def of(kind: FileSystemKind, type_: int = 7) -> FakePartition:
    return FakePartition(FakeFileSystem({}, kind=kind), type=type_)


def test_an_ordinary_volume_has_none() -> None:
    assert cause(of(FileSystemKind.NTFS)) is None
    assert cause(of(FileSystemKind.FAT16, 6)) is None
    assert cause(FakePartition()) is None  # holds nothing, and nothing that looks random


@pytest.mark.parametrize(
    ("partition", "kind"),
    [
        (of(FileSystemKind.BITLOCKER), UnsupportedKind.BITLOCKER),
        (of(FileSystemKind.REFS), UnsupportedKind.REFS),
        (of(FileSystemKind.NTFS, 0x87), UnsupportedKind.FAULT_TOLERANT),
        (of(FileSystemKind.NTFS, 0x42), UnsupportedKind.DYNAMIC),  # no database says that it is simple
        (FakePartition(type=0x42), UnsupportedKind.DYNAMIC),
    ],
)
def test_each_cause_is_told(partition: FakePartition, kind: UnsupportedKind) -> None:
    assert cause(partition) is kind


def test_a_pool_is_told_by_its_type() -> None:
    machine: Machine = machine_of((FakePartition(),))
    (volume,) = machine.volumes()
    start, size = volume.partition.start, volume.partition.size
    volume.partition = Partition(1, start, size, "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D", active=False, logical=False)
    found = explain(machine, volume)
    assert found is not None
    assert found.kind is UnsupportedKind.STORAGE_SPACES
