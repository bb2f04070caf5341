"""The facts about who is who: what disks, volumes and letters are called, and by whom. Read once, then only judged.

Windows knows a volume by its disk's signature and its offset (MBR) or by its GUID (GPT). A converter that writes a new
signature, moves a partition or gives new GUIDs makes another volume of it.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.boot.chain import BootChain
from bootgraft.boot.references import DiskReference, disk_references
from bootgraft.changes import FileId, WriteSectors
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.registry.hive import Hive
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.disk_information import read_disk_signatures
from bootgraft.windows.installation import Installation, hive_file, open_hive
from bootgraft.windows.mounted_devices import MountedDevice, name_of, read_mounted_devices
from bootgraft.windows.system_root import agreed, own_letters

_HIDDEN = 0x1C
_HAS_HIDDEN = frozenset({FileSystemKind.NTFS, FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32})
_DYNAMIC = frozenset({"0x42", "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", "AF9B60A0-1431-4F62-BC68-3311714A69AD"})
"""Types of partitions of dynamic disks: Windows knows the volumes in them by GUIDs of their own."""

_PROTECTIVE = "0xEE"
READ_ONLY, HIDDEN, NO_DRIVE_LETTER = 1 << 60, 1 << 62, 1 << 63
"""Attribute bits of a GPT entry that only mean something for basic data partitions."""
HIDING_BITS = READ_ONLY | HIDDEN | NO_DRIVE_LETTER


class DiskFacts(Struct, frozen=True):
    """One disk: its signature (MBR) or GUID (GPT), and the sum that NT 4 to 2003 compare beside the signature."""

    index: int
    name: str
    kind: TableKind
    signature: int | None
    guid: str | None
    sector_sum: int  # of the 128 numbers of sector 0, modulo 2**32


class VolumeFacts(Struct, frozen=True):
    """One volume. ``known_as`` is what MountedDevices calls it; None where that cannot be determined.

    ``hidden`` is what its boot sector says of where it starts, in sectors; None where it has no such number that means
    anything: in logical partitions it counts from the extended one.
    """

    disk: int
    name: str
    start: int  # bytes
    slot: int
    known_as: bytes | None
    hidden: int | None = None
    active: bool = False
    logical: bool = False
    has_filesystem: bool = True
    attributes: int = 0


class WindowsFacts(Struct, frozen=True):
    """What the Windows that the work is about says of letters; ``mounted`` is None where it has no MountedDevices."""

    volume: VolumeFacts
    product: str
    version: tuple[int, int]
    hive: FileId
    own_letters: tuple[tuple[str, str], ...]  # (value, "C:")
    mounted: tuple[MountedDevice, ...] | None
    disk_signatures: tuple[int, ...] = ()  # what NT 4 lists in DISK\\Information

    @property
    def letter(self) -> str | None:
        """The letter that it was installed under; None where it does not say, or says two."""
        return agreed(self.own_letters)

    def named(self, letter: str) -> MountedDevice | None:
        """What MountedDevices has for a letter."""
        return next((each for each in self.mounted or () if each.letter == letter), None)

    @property
    def is_nt5(self) -> bool:
        """Whether it is Windows 2000, XP or Server 2003, which do not start under another letter."""
        return self.version[0] == 5


class IdentityFacts(Struct, frozen=True):
    """The disks and volumes of a machine, the Windows if there is one, and the disks that the boot menu names.

    ``is_complete``: these are all disks of the machine, by the user's word.
    """

    disks: tuple[DiskFacts, ...]
    volumes: tuple[VolumeFacts, ...]
    windows: WindowsFacts | None
    references: tuple[DiskReference, ...] = ()
    unhiding: tuple[WriteSectors, ...] = ()  # what clears the HIDING_BITS of the partition of Windows
    is_complete: bool = False

    def with_signature(self, signature: int) -> tuple[DiskFacts, ...]:
        """The MBR disks with this signature; none for 0, which is no signature."""
        return tuple(each for each in self.disks if each.kind is TableKind.MBR and each.signature == signature != 0)

    def volume_known_as(self, data: bytes) -> VolumeFacts | None:
        """The one given volume that MountedDevices calls so; None where there is none, or where disks were cloned."""
        found = [each for each in self.volumes if each.known_as == data]
        return found[0] if len(found) == 1 else None


def gather(machine: Machine, chain: BootChain, installation: Installation | None, hive: Hive | None) -> IdentityFacts:
    """Read the facts. ``installation`` and ``hive`` (its SYSTEM) are None where the chain arrives at no Windows.

    Raises HiveError where the SYSTEM hive is damaged there, ImageError where a disk cannot be read.
    """
    volumes = {volume: _volume(machine, volume) for volume in machine.volumes() if _holds_something(volume)}
    windows: WindowsFacts | None = None
    unhiding: tuple[WriteSectors, ...] = ()
    if installation is not None and hive is not None:
        windows = _windows(installation, hive, volumes[installation.volume])
        unhiding = tuple(_unhiding(machine, installation.volume))
    disks = tuple(map(_disk, machine.disks))
    references = disk_references(chain)
    return IdentityFacts(disks, tuple(volumes.values()), windows, references, unhiding, machine.is_complete)


def _unhiding(machine: Machine, volume: Volume) -> Iterator[WriteSectors]:
    if not volume.partition.attributes & HIDING_BITS:
        return
    from bootgraft.storage.disks.gpt_edit import clear_attributes

    for edit in clear_attributes(machine.disks[volume.disk].device, volume.partition.slot, HIDING_BITS):
        yield WriteSectors(volume.disk, edit.offset, edit.data, edit.before, edit.what)


def _holds_something(volume: Volume) -> bool:
    """Whether it is a volume, and no extended partition or the entry that stands for a GPT.

    A partition of that type which has a file system is one all the same: an old Windows goes by the number alone.
    """
    is_protective = volume.partition.type == _PROTECTIVE and volume.kind is None
    return not volume.partition.is_container and not is_protective


def _disk(disk: Disk) -> DiskFacts:
    table = disk.table
    sector = disk.device.read(0, min(SECTOR, disk.device.size)).ljust(SECTOR, b"\0")
    total = sum(struct.unpack("<128I", sector)) % 2**32
    return DiskFacts(disk.index, disk.name, table.kind, table.signature, table.disk_guid, total)


def _volume(machine: Machine, volume: Volume) -> VolumeFacts:
    partition = volume.partition
    is_mbr = machine.disks[volume.disk].table.kind is TableKind.MBR
    return VolumeFacts(
        volume.disk,
        volume.name,
        partition.start,
        partition.slot,
        None if partition.type in _DYNAMIC or volume.identity is None else name_of(volume.identity),
        _hidden(volume) if is_mbr and not partition.logical else None,
        partition.active,
        partition.logical,
        not is_mbr or volume.kind is not None,
        partition.attributes,
    )


def _hidden(volume: Volume) -> int | None:
    if volume.kind not in _HAS_HIDDEN or volume.device.size < SECTOR:
        return None
    (hidden,) = struct.unpack("<I", volume.device.read(_HIDDEN, 4))
    return int(hidden)


def _windows(installation: Installation, hive: Hive, volume: VolumeFacts) -> WindowsFacts:
    return WindowsFacts(
        volume,
        installation.product,
        installation.version,
        hive_file(installation),
        tuple(_own_letters(installation)),
        read_mounted_devices(hive),
        read_disk_signatures(hive),
    )


def _own_letters(installation: Installation) -> Iterator[tuple[str, str]]:
    try:
        yield from own_letters(open_hive(installation, "SOFTWARE"))
    except (FileSystemError, HiveError):  # the letter is unknown then, and nothing is guessed from it
        return
