"""Why a volume cannot be used as an ordinary partition: encryption, dynamic disks, fault-tolerant sets, pools, ReFS."""

from enum import StrEnum

from msgspec import Struct

from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine, Volume

_STORAGE_SPACES = "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D"
_FAULT_TOLERANT = frozenset({"0x86", "0x87", "0x8B", "0x8C", "0xC6", "0xC7"})
"""Types of NT 4's sets: FAT16, NTFS and FAT32 with the bit 0x80 (a member), 0xC0 (one that failed); Linux, fdisk -l."""


class UnsupportedKind(StrEnum):
    """The causes, each with a finding of its own."""

    BITLOCKER = "bitlocker"
    ENCRYPTED = "encrypted"
    RANDOM = "random"
    REFS = "refs"
    STORAGE_SPACES = "storage-spaces"
    DYNAMIC = "dynamic"
    FAULT_TOLERANT = "fault-tolerant"


class UnsupportedVolume(Struct, frozen=True):
    """Why ``volume`` cannot be used: ``what`` it is in a few words, what shows that, and what to do."""

    kind: UnsupportedKind
    volume: Volume
    what: str
    evidence: str
    advice: str


_CONVERT = "convert the machine again"


def explain(machine: Machine, volume: Volume) -> UnsupportedVolume | None:
    """Say why a volume is no ordinary partition, None where it is one, or holds nothing that is known.

    Raises ImageError where the disk cannot be read.
    """
    partition = volume.partition
    if partition.is_container or not volume.is_inside_disk:
        return None
    if partition.type == _STORAGE_SPACES:
        return UnsupportedVolume(
            UnsupportedKind.STORAGE_SPACES,
            volume,
            "part of a Storage Spaces pool",
            f"its type is {{{_STORAGE_SPACES}}}",
            f"Windows cannot start from a pool: choose another volume, or copy the data off in Windows and {_CONVERT}",
        )
    if partition.type in _FAULT_TOLERANT:
        return _fault_tolerant(volume)
    if volume.kind in _BY_FILE_SYSTEM:
        return UnsupportedVolume(_BY_FILE_SYSTEM[volume.kind], volume, *_TEXTS[volume.kind])
    if partition.is_dynamic:
        return _dynamic(machine, volume)
    return _hidden(machine, volume) if volume.kind is None and partition.size else None


_BY_FILE_SYSTEM = {FileSystemKind.BITLOCKER: UnsupportedKind.BITLOCKER, FileSystemKind.REFS: UnsupportedKind.REFS}
_DECRYPT = (
    "Decrypt it on the source machine (manage-bde -off C:; suspending is not enough), wait until manage-bde -status "
    f"says that it has ended, and {_CONVERT}. On new hardware it asks for the recovery key"
)
_TEXTS = {
    FileSystemKind.BITLOCKER: (
        "encrypted with BitLocker",
        "its boot sector has BitLocker's signature; a volume whose protection is only suspended has it too",
        _DECRYPT,
    ),
    FileSystemKind.REFS: (
        "formatted with ReFS, which bootgraft cannot open",
        "its boot sector has ReFS's signature",
        f"If Windows boots from it, install the driver with pnputil before the conversion, then {_CONVERT}",
    ),
}


def _fault_tolerant(volume: Volume) -> UnsupportedVolume:
    return UnsupportedVolume(
        UnsupportedKind.FAULT_TOLERANT,
        volume,
        "a member of a fault-tolerant set of Windows NT 4",
        f"its type is {volume.partition.type}: the bit 0x80 marks a mirror, stripe or volume set (ftdisk)",
        f"Break the set on the source machine (Disk Administrator), and {_CONVERT}",
    )


def _hidden(machine: Machine, volume: Volume) -> UnsupportedVolume | None:
    from bootgraft.filesystems import foreign  # most volumes have a file system

    product = foreign.volume_encryption(volume.device) or foreign.disk_encryption(machine.disks[volume.disk].device)
    if product is not None:
        return UnsupportedVolume(
            UnsupportedKind.ENCRYPTED,
            volume,
            f"encrypted with {product}",
            f"the boot code of {product} stands in front of it, and it holds no file system",
            f"Decrypt it on the source machine with {product}, and {_CONVERT}",
        )
    if foreign.looks_random(volume.device):
        return UnsupportedVolume(
            UnsupportedKind.RANDOM,
            volume,
            "full of bytes that look random",
            "its first 64 KiB have no file system and no pattern: is it encrypted by another maker's product?",
            f"If it is, decrypt it on the source machine with that product, and {_CONVERT}; if not, copy it again",
        )
    return None


def _dynamic(machine: Machine, volume: Volume) -> UnsupportedVolume | None:
    """None for a simple volume with an entry in the partition table: that is read and written like any partition."""
    from bootgraft.storage.disks import ldm  # few disks are dynamic

    database = ldm.read_database(machine.disks[volume.disk].device)
    found = None if database is None else database.volume_at(volume.partition)
    basic = f"Make the disk basic or the volume simple on the source machine, and {_CONVERT}"
    if found is None:
        if volume.kind is None:
            evidence = f"its type is {volume.partition.type}, and it holds no file system of its own"
            return UnsupportedVolume(UnsupportedKind.DYNAMIC, volume, "space of a dynamic disk", evidence, basic)
        evidence = f"its type is {volume.partition.type}, and the disk's LDM database does not say what lies there"
        return UnsupportedVolume(
            UnsupportedKind.DYNAMIC, volume, "on a dynamic disk whose database cannot be read", evidence, basic
        )
    if found.kind is ldm.LdmKind.SIMPLE:
        return None
    here = {each.disk_guid for disk in machine.disks if (each := ldm.read_database(disk.device)) is not None}
    missing = [guid for guid in found.disks if guid not in here]
    gone = "gone" if machine.is_complete else "not given"
    lacks = f"; {len(missing)} of them {gone}: {', '.join(missing)}" if missing else ""
    evidence = f"the LDM database has {found.name} as {found.kind.value} on {len(found.disks)} disks{lacks}"
    if found.kind is ldm.LdmKind.MIRRORED:
        basic = f"Break the mirror on the source machine (Disk Management, diskpart: break disk), and {_CONVERT}"
    return UnsupportedVolume(
        UnsupportedKind.DYNAMIC, volume, f"part of a {found.kind.value} volume of dynamic disks", evidence, basic
    )
