"""What a layout of the matrix is: a machine built by outside tools, and bytes of it changed as a conversion would."""

from collections.abc import Iterable

from msgspec import Struct

from tests.machines.spec import SECTOR, Disk, File, FileSystem, Loader, MachineSpec, Partition, Volume

SIGNATURE, SECOND_SIGNATURE = 0x3B7A19C4, 0x3B7A19C5
MIB = 2048
"""Sectors in one."""

_TYPES = {FileSystem.NTFS: 0x07, FileSystem.FAT12: 0x01, FileSystem.FAT16: 0x06, FileSystem.FAT32: 0x0B}


class Patch(Struct, frozen=True):
    """Bytes of a disk that are not as the tools wrote them; ``offset`` counts from the start of the disk."""

    offset: int
    data: bytes
    disk: int = 0


class Layout(Struct, frozen=True):
    """One machine of the matrix.

    ``what`` says in one line what is special about it. ``given`` are the disks that bootgraft is given, in this order;
    without it all of them. ``cut`` is where disk 0 ends, in bytes, where the image was cut short.
    """

    what: str
    machine: MachineSpec
    target: str = "vmware:lsilogic"
    patches: tuple[Patch, ...] = ()
    given: tuple[int, ...] | None = None
    cut: int | None = None


class Place(Struct, frozen=True):
    """Where a partition lies: first sector and number of sectors."""

    start: int
    sectors: int

    @property
    def offset(self) -> int:
        """Bytes from the start of the disk."""
        return self.start * SECTOR

    @property
    def end(self) -> int:
        """The first sector behind it."""
        return self.start + self.sectors


def part(
    place: Place,
    files: Iterable[File] | None = None,
    *,
    active: bool = False,
    logical: bool = False,
    slot: int | None = None,
    kind: int | None = None,
    filesystem: FileSystem = FileSystem.NTFS,
    loader: Loader = Loader.NTLDR,
) -> Partition:
    """A partition with these files, or an unformatted one."""
    volume = None if files is None else Volume(filesystem, tuple(files), loader=loader)
    return Partition(
        place.start, place.sectors, _TYPES[filesystem] if kind is None else kind, volume, active, logical, slot=slot
    )


def disk(*parts: Partition, signature: int = SIGNATURE, container: int = 0x05) -> Disk:
    """An MBR disk that ends a MiB behind its last partition."""
    end = max((each.start + each.sectors for each in parts), default=16 * MIB)
    return Disk((end // MIB + 2) * MIB, signature, parts, container=container)


def machine(name: str, *disks: Disk) -> MachineSpec:
    """A machine of these disks, in BIOS order."""
    return MachineSpec(name, disks)


def flag(slot: int, value: int) -> Patch:
    """The active flag of an entry of the MBR."""
    return Patch(0x1BE + (slot - 1) * 16, bytes([value]))
