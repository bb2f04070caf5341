"""The machine: the disks of one VM in BIOS order, with their volumes.

Nothing is mounted before it is asked for, everything at most once, and closing the machine unmounts it all.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from bootgraft.changes import FileId
from bootgraft.errors import BootgraftError, FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.storage.devices.blockdevice import BlockDevice, Slice
from bootgraft.storage.disks.partitions import (
    Partition,
    PartitionTable,
    TableKind,
    number_partitions,
    read_partition_table,
)

if TYPE_CHECKING:  # a machine that is only listed opens no hive
    from bootgraft.registry.hive import Hive


IF_COMPLETE = "if there is no such disk any more, give --these-are-all-disks"
"""How a message goes on that leaves something open because a disk may not have been given."""


class Firmware(StrEnum):
    """What starts a machine, by the word that bcdboot uses."""

    BIOS = "BIOS"
    UEFI = "UEFI"


class MbrPartition(Struct, frozen=True):
    """A partition by its disk's signature and the byte at which it begins."""

    signature: int
    offset: int

    def __str__(self) -> str:
        return f"the partition at byte {self.offset} of the disk with signature {self.signature:08x}"


class GptPartition(Struct, frozen=True):
    """A partition by its own GUID and that of its disk, both in upper case."""

    disk_guid: str
    partition_guid: str

    def __str__(self) -> str:
        return f"the partition {{{self.partition_guid}}} of the disk {{{self.disk_guid}}}"


PartitionIdentity = MbrPartition | GptPartition
"""What Windows knows a partition by, wherever it writes that down: BCD stores, MountedDevices."""


class Volume:
    """One partition of a machine and, once it was asked for, the file system and the registry hives in it."""

    def __init__(
        self,
        disk: int,
        partition: Partition,
        number: int | None,
        device: Slice,
        *,
        writable: bool,
        identity: PartitionIdentity | None = None,
    ) -> None:
        self.disk = disk  # the disk's place in BIOS order, from 0
        self.identity = identity  # what Windows knows it by; None where no disk has a name by which it could
        self.partition = partition
        self.number = number  # the ARC number, None where it has none
        self.device = device
        self.name = device.name  # "disk 0 partition 2": the ARC number, or the slot where it has none
        self._writable = writable
        self._accept_unclean = False
        self._filesystem: FileSystem | None = None
        self._hives: dict[str, Hive] = {}

    def __repr__(self) -> str:
        return f"<Volume {self.name}>"

    @property
    def listed_number(self) -> int | None:
        """The number that it has in lists: the ARC number; on a GPT disk, which has none, that of its entry.

        None for an extended partition.
        """
        return self.number if self.partition.guid is None else self.partition.slot

    @property
    def is_inside_disk(self) -> bool:
        """Whether the disk has all the bytes that the partition table promises."""
        return self.partition.start + self.partition.size <= self.device.device.size

    @property
    def is_accepted(self) -> bool:
        """Whether Windows takes the partition: of an MBR's one that ends at up to twice the disk's size.

        Windows allows for disks that report less than they have (behaviour as in ReactOS, ``ntoskrnl/fstub/disksup.c``:
        the last sector allowed is twice that of the disk). What the file system has beyond the disk is another matter.
        """
        if self.is_inside_disk:
            return True
        end, disk = self.partition.start + self.partition.size, self.device.device.size
        return self.partition.guid is None and self.partition.start < disk and end <= 2 * disk

    @cached_property
    def kind(self) -> FileSystemKind | None:
        """Which file system it holds; None for an unknown one, an extended partition and one beyond the disk's end."""
        from bootgraft.filesystems import detect

        if self.partition.is_container or not self.partition.size or not self.is_accepted:
            return None
        promised = None if self.is_inside_disk else detect.promised_size(self.device)
        return detect.identify(self.device) if promised is None or promised <= self.device.size else None

    def filesystem(self) -> FileSystem:
        """Return the mounted file system, mounting it the first time.

        Raises:
            PartitionTableError: the partition, or the file system in it, reaches too far beyond the end of the disk.
            FileSystemError: it holds no file system that can be opened, or a damaged one.
        """
        if self._filesystem is None:
            self._filesystem = self._mount()
        return self._filesystem

    def file(self, path: str) -> FileId:
        """Name the file at ``path`` for a plan, whether it is there or not."""
        return FileId(self.disk, self.partition.start, self.name, path)

    def hive(self, path: str) -> "Hive":
        """Return the registry hive in the file at ``path``, opening it the first time.

        One whose last write was not finished reads as Windows would have it, with its logs replayed; what was pending
        is in its attribute ``pending``, and reaches the file with the first commit of an edit.

        Raises:
            FileSystemError: the file cannot be read or, as FileMissingError, is not there.
            HiveError: the file is no sound hive; as DirtyHiveError, transactions are pending and cannot be replayed.
        """
        from bootgraft.registry.hivefile import open_hive_file

        key = path.casefold()
        if key not in self._hives:
            name = f"{self.name}: {path}"
            self._hives[key] = open_hive_file(self.filesystem(), path, name=name, writable=self._writable)
        return self._hives[key]

    @property
    def opened_hives(self) -> "Mapping[str, Hive]":
        """The hives that were opened since the volume was mounted, by path without regard to case."""
        return self._hives

    def reset_journal(self) -> None:
        """Go on with an unclean volume, which the user consented to, and leave it marked for chkdsk.

        The journal of an NTFS volume is emptied, a FAT volume keeps its dirty flag. The volume is mounted anew: hives
        that were opened before are stale.

        Raises:
            FileSystemError: the journal cannot be emptied.
        """
        self.close()
        if self.kind is FileSystemKind.NTFS:
            from bootgraft.filesystems.ntfs.journal import reset_journal

            reset_journal(self.device, name=self.name)
        self._accept_unclean = True

    def close(self) -> None:
        """Unmount. A second call does nothing.

        Raises:
            FileSystemError: the volume cannot be left consistent.
        """
        mounted, self._filesystem = self._filesystem, None
        for hive in self._hives.values():
            hive.cells.forget()
        self._hives.clear()
        if mounted is not None:
            mounted.close()

    def _mount(self) -> FileSystem:
        from bootgraft.filesystems import detect  # identifying a volume reads one sector; only mounting loads libraries

        self._require_bytes()
        if self.partition.is_container:
            raise FileSystemError(
                "an extended partition holds logical partitions and no file system of its own",
                where=self.name,
                advice="Choose one of the logical partitions in it",
            )
        return detect.mount(self.device, writable=self._writable, name=self.name, accept_unclean=self._accept_unclean)

    def _require_bytes(self) -> None:
        """Raise PartitionTableError where the disk does not have what the partition or its file system promises."""
        if self.is_inside_disk:
            return
        from bootgraft.filesystems import detect

        disk = self.device.device.size
        what, end = "partition", self.partition.start + self.partition.size
        promised = detect.promised_size(self.device) if self.is_accepted else None
        if promised is not None:
            what, end = "file system", self.partition.start + promised
        if not self.is_accepted or end > disk:
            raise PartitionTableError(
                f"the {what} ends at byte {end}, but the disk ends at byte {disk}",
                where=self.name,
                advice="The image is truncated or its disk was made smaller; copy it again from the source",
            )


class Disk:
    """One disk: what its partition table says, and a volume for every partition in it."""

    def __init__(self, index: int, device: BlockDevice, table: PartitionTable, volumes: tuple[Volume, ...]) -> None:
        self.index = index  # the disk's place in BIOS order, from 0
        self.device = device
        self.table = table
        self.volumes = volumes  # in the order of table.partitions

    @property
    def name(self) -> str:
        """What errors and evidence call it."""
        return f"disk {self.index}"


class Machine:
    """The disks of one VM, in BIOS order; a context manager that unmounts what was mounted.

    ``is_complete`` says that these are all its disks, by the user's word: one that is named and not there exists no
    more. Otherwise it may be a disk that was not given.
    """

    def __init__(self, disks: tuple[Disk, ...]) -> None:
        self.disks = disks
        self.is_complete = False

    @classmethod
    def read(cls, devices: Sequence[BlockDevice], *, writable: bool) -> Self:
        """Read the partition tables of the disks ``devices``, which stay the caller's to close.

        Raises:
            ImageError: a device cannot be read.
        """
        return cls(tuple(_read_disk(index, device, writable=writable) for index, device in enumerate(devices)))

    def volume(self, disk: int, number: int) -> Volume | None:
        """Return the volume that ``rdisk(disk)partition(number)`` names, or None where there is none."""
        return next((each for each in self.volumes() if each.disk == disk and each.number == number), None)

    def volumes(self) -> Iterator[Volume]:
        """All volumes, disk by disk."""
        return (volume for disk in self.disks for volume in disk.volumes)

    def known_as(self, identity: PartitionIdentity) -> tuple[Volume, ...]:
        """The volumes that Windows knows by this: one, or none; several where disks were cloned."""
        ordinary = (volume for volume in self.volumes() if not volume.partition.is_container)
        return tuple(volume for volume in ordinary if volume.identity == identity)

    def close(self) -> None:
        """Unmount every volume, the last first, even where one of them fails; then raise the first failure."""
        failure: BootgraftError | None = None
        for volume in reversed(list(self.volumes())):
            try:
                volume.close()
            except BootgraftError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read_disk(index: int, device: BlockDevice, *, writable: bool) -> Disk:
    table = read_partition_table(device)
    numbers = number_partitions(table)
    volumes = []
    for partition in table.partitions:
        number = numbers.get(partition.slot)
        name = _volume_name(index, table, partition, number)
        size = min(partition.size, max(0, device.size - partition.start))
        window = Slice(device, partition.start, size, name)
        identity = identity_of(table, partition)
        volumes.append(Volume(index, partition, number, window, writable=writable, identity=identity))
    return Disk(index, device, table, tuple(volumes))


def identity_of(table: PartitionTable, partition: Partition) -> PartitionIdentity | None:
    """What Windows knows a partition by; None on a disk without a partition table, or with signature 0.

    Windows gives a disk without a signature a new one when it first starts, so that 0 names nothing for long.
    """
    if table.kind is TableKind.GPT and table.disk_guid and partition.guid:
        return GptPartition(table.disk_guid, partition.guid)
    if table.kind is TableKind.MBR and table.signature:
        return MbrPartition(table.signature, partition.start)
    return None


def _volume_name(disk: int, table: PartitionTable, partition: Partition, number: int | None) -> str:
    if number is not None:
        return f"disk {disk} partition {number}"
    if table.kind is TableKind.GPT:
        return f"disk {disk} partition {partition.slot}"
    return f"disk {disk} extended partition (slot {partition.slot})"
