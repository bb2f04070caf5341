"""Machines in memory: file systems that are dictionaries, on disks that have only a partition table."""

from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import Struct, field

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import Entry, FileSystemKind, VolumeState, parts
from bootgraft.machine import Disk, Machine, Volume, identity_of
from bootgraft.storage.devices.blockdevice import Slice
from bootgraft.storage.disks.partitions import Partition, PartitionTable, TableKind, number_partitions
from tests.storage.sample_disks import MemoryDisk

_DIRECTORY = 0x10
SIGNATURE = 0x12345678
"""The disk signature of every fake disk."""


class FakeFileSystem(Struct):
    """A volume as a dictionary of files by path; directories are whatever paths go through."""

    files: dict[str, bytes]
    kind: FileSystemKind = FileSystemKind.NTFS
    label: str = ""
    state: VolumeState = VolumeState.CLEAN
    attributes: dict[str, int] = field(default_factory=dict)
    closed: int = 0
    failure: FileSystemError | None = None
    calls: int = 0
    directories: list[str] = field(default_factory=list)  # those without files

    @property
    def obstacles(self) -> tuple[VolumeState, ...]:
        return () if self.state is VolumeState.CLEAN else (self.state,)

    def listdir(self, path: str, /) -> tuple[Entry, ...]:
        self.calls += 1
        depth = len(list(parts(path)))
        everything = (each for each in (*self.files, *self.directories) if len(self._key(each)) > depth)
        inside = [each for each in everything if self._key(each)[:depth] == self._key(path)]
        names = {list(parts(each))[depth].casefold(): list(parts(each))[depth] for each in inside}
        return tuple(self.stat("\\".join(["", *parts(path), name])) for name in names.values())

    def stat(self, path: str, /) -> Entry:
        self.calls += 1
        wanted = self._key(path)
        if not wanted:
            return Entry("", is_directory=True, size=0, attributes=_DIRECTORY)
        for each, data in self.files.items():
            names = list(parts(each))
            if self._key(each) == wanted:
                bits = self.attributes.get(each, 0)
                packed = bool(bits & 0x800) and self.kind is FileSystemKind.NTFS
                return Entry(names[-1], is_directory=False, size=len(data), attributes=bits, is_ntfs_compressed=packed)
            if self._key(each)[: len(wanted)] == wanted:
                return Entry(names[len(wanted) - 1], is_directory=True, size=0, attributes=_DIRECTORY)
        for each in self.directories:
            if self._key(each)[: len(wanted)] == wanted:
                name = list(parts(each))[len(wanted) - 1]
                return Entry(name, is_directory=True, size=0, attributes=_DIRECTORY)
        raise FileMissingError("there is no such file", where=path, advice="Look elsewhere")

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        self.calls += 1
        self.stat(path)
        data = next(data for each, data in self.files.items() if self._key(each) == self._key(path))
        return data[offset:] if length is None else data[offset : offset + length]

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        raise NotImplementedError

    def truncate(self, path: str, size: int, /) -> None:
        raise NotImplementedError

    def store_plainly(self, path: str, data: bytes, /) -> None:
        raise NotImplementedError

    def create(self, path: str, data: bytes, /) -> None:
        raise NotImplementedError

    def create_directory(self, path: str, /) -> None:
        raise NotImplementedError

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1
        if self.failure is not None:
            raise self.failure

    @staticmethod
    @cache
    def _key(path: str) -> tuple[str, ...]:
        return tuple(each.casefold() for each in parts(path))


class FakePartition(Struct, frozen=True):
    """One partition and what is on it; ``volume`` None is one that holds nothing readable."""

    volume: FakeFileSystem | None = None
    type: int = 7
    active: bool = False
    logical: bool = False
    boot_sector: bytes = b""


def volume_of(*paths: str, contents: Mapping[str, bytes] | None = None) -> FakeFileSystem:
    """A volume with these (empty) files and those contents."""
    return FakeFileSystem(dict.fromkeys(paths, b"") | dict(contents or {}))


class FakeVolume(Volume):
    """A volume that is mounted already."""

    def __init__(
        self,
        table: PartitionTable,
        disk: int,
        partition: Partition,
        number: int | None,
        fake: FakePartition,
        device: Slice,
    ) -> None:
        super().__init__(disk, partition, number, device, writable=False, identity=identity_of(table, partition))
        self._fake = fake
        if fake.volume is not None:
            self._filesystem = fake.volume

    @property
    def kind(self) -> FileSystemKind | None:
        return None if self._fake.volume is None else self._fake.volume.kind

    def close(self) -> None:
        super().close()
        self._filesystem = None


def machine_of(*disks: Sequence[FakePartition], problems: Sequence[str] = ()) -> Machine:
    """A machine with these partitions, disk by disk; each takes the next 16 sectors."""
    return Machine(tuple(_disk(index, parts_, tuple(problems)) for index, parts_ in enumerate(disks)))


def _disk(index: int, fakes: Sequence[FakePartition], problems: tuple[str, ...]) -> Disk:
    device = MemoryDisk(bytearray((len(fakes) + 1) * 8192))
    partitions = []
    slot, logical = 0, 4
    for position, fake in enumerate(fakes, start=1):
        slot, logical = (slot, logical + 1) if fake.logical else (slot + 1, logical)
        where = logical if fake.logical else slot
        partitions.append(
            Partition(where, position * 8192, 8192, f"0x{fake.type:02X}", active=fake.active, logical=fake.logical)
        )
        device.write(position * 8192, fake.boot_sector)
    table_kind = TableKind.MBR if fakes else TableKind.NONE
    table = PartitionTable(table_kind, SIGNATURE if fakes else None, tuple(partitions), 512, problems)
    numbers = number_partitions(table)
    volumes = []
    for partition, fake in zip(partitions, fakes, strict=True):
        number = numbers.get(partition.slot)
        window = Slice(device, partition.start, partition.size, f"disk {index} partition {number}")
        volumes.append(FakeVolume(table, index, partition, number, fake, window))
    return Disk(index, device, table, tuple(volumes))
