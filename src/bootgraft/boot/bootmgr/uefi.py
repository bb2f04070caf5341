r"""The beginning of the boot chain on UEFI firmware: GPT, the EFI system partition, and the boot manager on it.

A machine that was moved comes to firmware whose variables know nothing of it. Firmware then starts the fallback
loader, ``\EFI\Boot\bootx64.efi`` (by the processor; UEFI specification 2.10, §3.5.1.1), on the EFI system partition.
Windows Setup puts a copy of its own boot manager there.
"""

import struct

from bootgraft.boot import search
from bootgraft.boot.steps import BrokenLinkError, broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.mbr import PROTECTIVE_TYPE, parse_record

SYSTEM_PARTITION = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
"""The type GUID of an EFI system partition; on MBR disks it is type 0xEF."""

SYSTEM_PARTITION_MBR = "0xEF"
_TYPES = (SYSTEM_PARTITION, SYSTEM_PARTITION_MBR)
BOOT_MANAGER = "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
FALLBACK_DIRECTORY = "\\EFI\\Boot"
MAX_LOADER = 32 << 20
"""Bytes of a boot manager read at most: real ones have one to three million."""

HEAD = 4096
"""Bytes of a boot manager that tell which processor it is for."""

_FIXED_FILE_INFO = bytes.fromhex("bd04effe")
_NAMES = {0x8664: "bootx64.efi", 0x014C: "bootia32.efi", 0xAA64: "bootaa64.efi"}
"""The fallback loader's name by the machine number in the PE header."""

_FALLBACKS = tuple(f"{FALLBACK_DIRECTORY}\\{name}" for name in _NAMES.values())
_FAT = frozenset({FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32})
_OWN_NAMES = tuple(name.encode("utf-16-le") for name in ("bootmgfw.efi", "bootmgr.exe"))
"""What Windows' boot manager calls itself in its version resource, whatever its file is called."""


def system_partition(walk: ChainWalk, disk: Disk) -> Volume:
    """Follow the chain to the EFI system partition of a disk."""
    where = f"{disk.name}, partition table"
    found = system_partitions(disk)
    if not found:
        raise _without(walk.machine, disk, where)
    chosen = _choose(found)
    if chosen is None:
        names = ", ".join(volume.name for volume in found)
        what = f"{disk.name} has more than one EFI system partition with a fallback loader"
        raise unknown(what, where, f"{names}; which one the firmware starts from, only the firmware knows")
    others = [volume.name for volume in found if volume is not chosen]
    kind = chosen.partition.type if chosen.partition.guid is None else f"{{{chosen.partition.type}}}"
    evidence = f"slot {chosen.partition.slot}, type {kind}; only UEFI firmware starts from it"
    remark = [f"{', '.join(others)} too, but without a fallback loader"] if others else []
    link = f"EFI system partition {chosen.name}"
    walk.record_step(f"the EFI system partition is {chosen.name}", where, evidence, *remark, link=link)
    filesystem = walk.mount(chosen, "the EFI system partition")
    if filesystem.kind not in _FAT:
        evidence = f"it is {filesystem.kind.value}: firmware reads FAT only, save where it has a driver of its own"
        raise unknown("the EFI system partition is not formatted with FAT", chosen.name, evidence)
    return chosen


def system_partitions(disk: Disk) -> list[Volume]:
    """The partitions of a disk that have the type of an EFI system partition."""
    return [volume for volume in disk.volumes if volume.partition.type in _TYPES]


def starts_mbr(disk: Disk) -> bool:
    """Whether UEFI firmware starts from an MBR disk: it has one EFI system partition, with a fallback loader.

    UEFI specification 2.10, §5.2.2: partitions of type 0xEF.
    """
    return sum(_has_fallback(volume) for volume in system_partitions(disk)) == 1


def check_loader(walk: ChainWalk, system: Volume) -> None:
    """Follow the chain over the fallback loader, which must be Windows' boot manager."""
    manager = walk.file(system, BOOT_MANAGER)
    fallback = fallback_path(system)
    if fallback is None or walk.file(system, fallback) is None:
        shown = fallback or f"{FALLBACK_DIRECTORY}\\{_NAMES[0x8664]}"
        if manager is None:
            where, evidence = f"{system.name}: {BOOT_MANAGER}", f"nor is there {shown}"
            raise broken("there is no boot manager on the EFI system partition", where, evidence, *walk.fitting())
        raise broken(
            "the EFI system partition has no fallback loader",
            f"{system.name}: {shown}",
            "the firmware of a new machine has no entry for Windows and starts nothing else",
            f"put a copy of {BOOT_MANAGER} there",
        )
    where, content = f"{system.name}: {fallback}", _read_loader(system, fallback)
    if manager is not None and content == _read_loader(system, BOOT_MANAGER):
        walk.record_step("the fallback loader is there", where, f"a copy of {BOOT_MANAGER}", link="fallback loader")
        return
    if not is_windows_manager(content):
        evidence = "another boot loader is started first; what that starts, bootgraft does not follow"
        raise unknown("the fallback loader is not Windows' boot manager", where, evidence)
    remark = f"another version of {BOOT_MANAGER}" if manager else f"Windows' boot manager, though not {BOOT_MANAGER}"
    walk.record_step("the fallback loader is there", where, remark, link="fallback loader")


def fallback_path(system: Volume) -> str | None:
    """Where the fallback loader belongs, by the processor that Windows' boot manager is made for.

    Without a readable boot manager it is the one that is there; None where there is none.
    """
    try:
        path = fallback_of(system.filesystem().read(BOOT_MANAGER, 0, HEAD))
    except FileSystemError:
        path = None
    if path is not None:
        return path
    return next((path for path in _FALLBACKS if _has_file(system, path)), None)


def fallback_of(head: bytes) -> str | None:
    """Where a copy of this boot manager (its first HEAD bytes) belongs; None where it is for no known processor."""
    name = _NAMES.get(_machine_number(head))
    return None if name is None else f"{FALLBACK_DIRECTORY}\\{name}"


def read_loader(system: Volume, path: str) -> bytes:
    """The content of a boot manager, cut off at MAX_LOADER."""
    return system.filesystem().read(path, 0, MAX_LOADER)


def is_windows_manager(content: bytes) -> bool:
    """Whether this is Windows' boot manager, by the names in its version resource."""
    return any(name in content for name in _OWN_NAMES)


def file_version(content: bytes) -> tuple[int, int, int, int] | None:
    """The version in the resource of a program (VS_FIXEDFILEINFO); None where there is none."""
    at = content.find(_FIXED_FILE_INFO)
    if at < 0 or at + 16 > len(content):
        return None
    high, low = struct.unpack_from("<II", content, at + 8)
    return high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF


def other_disks(machine: Machine) -> tuple[str, ...]:
    """Say which other disk could be the first one of a UEFI machine."""
    found = {
        volume.disk
        for volume in machine.volumes()
        if volume.partition.type == SYSTEM_PARTITION and volume.disk and _has_file(volume, BOOT_MANAGER)
    }
    return tuple(
        f"disk {disk} has an EFI system partition with Windows' boot manager: if the machine starts from it, give that "
        "image first"
        for disk in sorted(found)
    )


def on_mbr(machine: Machine) -> tuple[str, ...]:
    """Say which volumes of MBR disks only UEFI firmware would start from."""
    return tuple(
        f"{volume.name} has {BOOT_MANAGER}: UEFI firmware may start from it, but there is no fallback loader on an EFI "
        "system partition (type 0xEF)"
        for volume in machine.volumes()
        if volume.partition.guid is None and _has_file(volume, BOOT_MANAGER)
    )


def _without(machine: Machine, disk: Disk, where: str) -> BrokenLinkError:
    """What it means that there is no EFI system partition: the end, save where firmware may start in another way."""
    what = f"{disk.name} has no EFI system partition"
    listed = ", ".join(f"{volume.name} (type {volume.partition.type})" for volume in disk.volumes)
    evidence = [f"it has {listed or 'no partition at all'}", *disk.table.problems]
    record = parse_record(disk.device.read(0, SECTOR))
    if record is not None and any(entry.flag == 0x80 and entry.type != PROTECTIVE_TYPE for entry in record.entries):
        return unknown(what, where, *evidence, "its hybrid MBR has an active partition, from which a BIOS may start")
    able = [volume.name for volume in disk.volumes if _has_fallback(volume)]
    if able:
        remark = f"{' and '.join(able)} has a fallback loader: some firmware starts it from any FAT volume"
        return unknown(what, where, *evidence, remark)
    return broken(what, where, *evidence, *other_disks(machine))


def _choose(found: list[Volume]) -> Volume | None:
    """The system partition that firmware would take: the only one, or the only one that has a fallback loader."""
    if len(found) == 1:
        return found[0]
    able = [volume for volume in found if _has_fallback(volume)]
    if len(able) == 1:
        return able[0]
    return None if able else found[0]


def _read_loader(system: Volume, path: str) -> bytes:
    try:
        return read_loader(system, path)
    except FileSystemError as error:
        evidence = f"{error.what}. {error.advice}"
        raise broken("the boot manager cannot be read", f"{system.name}: {path}", evidence) from error


def _machine_number(head: bytes) -> int:
    """The machine number in a PE header (Microsoft, "PE Format"); 0 where there is none in these bytes."""
    if len(head) < 0x40 or head[:2] != b"MZ":
        return 0
    (at,) = struct.unpack_from("<I", head, 0x3C)
    if at + 6 > len(head) or head[at : at + 4] != b"PE\0\0":
        return 0
    number: int = struct.unpack_from("<H", head, at + 4)[0]
    return number


def _has_fallback(volume: Volume) -> bool:
    return volume.kind in _FAT and any(_has_file(volume, path) for path in _FALLBACKS)


def _has_file(volume: Volume, path: str) -> bool:
    if volume.kind not in search.OPENABLE:
        return False
    try:
        entry = search.find_entry(volume.filesystem(), path)
    except FileSystemError:  # what cannot be read is no suggestion
        return False
    return entry is not None and not entry.is_directory
