r"""What keeps bootmgr from starting Windows, and the change that mends it: only where that can be proven.

A BCD element that names no partition is pointed at another one only where one single volume has what it should lead to,
and where that is the same partition: it moved on its disk, or the Windows on it says itself that it was there
(``SYSTEM\MountedDevices``, the letter that it was installed under).
"""

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bootgraft.boot import bcd_volumes, search, uefi
from bootgraft.boot.bcd import BcdObject, Element, ElementType
from bootgraft.boot.bcd_device import (
    PARTITION_FIELDS,
    GptPartition,
    MbrPartition,
    PartitionDevice,
    PartitionIdentity,
    partition_fields,
)
from bootgraft.boot.bootmgr import STORES, Menu
from bootgraft.changes import Change, FileId, RegistryData, SetValue, WriteFile
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine, Volume
from bootgraft.storage.partitions import TableKind

_UNREADABLE = frozenset({FileSystemKind.BITLOCKER, FileSystemKind.REFS})
_WRONG = "the default entry of the BCD store names a partition that is not on the given disks"
_CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"


class LoaderFaultKind(StrEnum):
    """What is wrong."""

    DEVICE = "device"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class LoaderFault:
    """One fault: ``what`` in one line, the reasons, and the changes that mend it; none where it cannot be proven."""

    kind: LoaderFaultKind
    what: str
    evidence: tuple[str, ...]
    changes: tuple[Change, ...]


def missing_fallback(system: Volume) -> LoaderFault | None:
    """The fault of an EFI system partition that lacks the fallback loader but has what should be in its place."""
    path = uefi.fallback_path(system)
    if path is None or not _has(system, uefi.BOOT_MANAGER) or _has(system, path):
        return None
    what = f"the EFI system partition has no fallback loader {path}"
    data = uefi.read_loader(system, uefi.BOOT_MANAGER)
    if not _has(system, uefi.FALLBACK_DIRECTORY):
        reason = f"{system.name}: there is no directory {uefi.FALLBACK_DIRECTORY} for it"
        return LoaderFault(LoaderFaultKind.FALLBACK, what, (reason,), ())
    if not uefi.is_windows_manager(data) or len(data) == uefi.MAX_LOADER:
        reason = f"{system.name}: {uefi.BOOT_MANAGER} is not Windows' boot manager"
        return LoaderFault(LoaderFaultKind.FALLBACK, what, (reason,), ())
    reason = f"{system.name}: {uefi.BOOT_MANAGER} is there and can be copied, {len(data)} bytes"
    change = WriteFile(_file(system, path), data, None, f"{system.name}: {uefi.BOOT_MANAGER}")
    return LoaderFault(LoaderFaultKind.FALLBACK, what, (reason,), (change,))


def wrong_device(machine: Machine, menu: Menu) -> LoaderFault | None:
    """The fault of a default entry whose device or osdevice names no partition of the given disks."""
    entry = _default(menu)
    if entry is None:
        return None
    wanted = _wanted(menu, entry)
    wrong = {identity: paths for identity, paths in wanted.items() if not bcd_volumes.matching(machine, identity)}
    if not wrong:
        return None
    changes: list[Change] = []
    reasons: list[str] = []
    for identity, paths in wrong.items():
        volume, reason = _meant(machine, identity, paths)
        reasons.append(reason)
        target = None if volume is None else bcd_volumes.identity_of(machine, volume)
        if target is None:
            return LoaderFault(LoaderFaultKind.DEVICE, _WRONG, tuple(reasons), ())
        edits = tuple(_retarget(menu, identity, target))
        if not edits:
            return LoaderFault(LoaderFaultKind.DEVICE, _WRONG, tuple(reasons), ())
        changes += edits
    return LoaderFault(LoaderFaultKind.DEVICE, _WRONG, tuple(reasons), tuple(changes))


def _default(menu: Menu) -> BcdObject | None:
    manager = menu.store.bootmgr
    guid = None if manager is None else menu.store.text(manager, ElementType.DEFAULT)
    return None if guid is None else menu.store.object(guid)


def _wanted(menu: Menu, entry: BcdObject) -> dict[PartitionIdentity, tuple[str, ...]]:
    """What must lie on each partition that the entry names: its loader, and the SYSTEM hive of its Windows."""
    loader = menu.store.text(entry, ElementType.PATH) or ""
    root = (menu.store.text(entry, ElementType.SYSTEM_ROOT) or "").rstrip("\\")
    wanted: dict[PartitionIdentity, tuple[str, ...]] = {}
    if not loader.startswith("\\") or not root.startswith("\\"):
        return wanted
    for kind, path in ((ElementType.DEVICE, loader), (ElementType.OS_DEVICE, search.system_hive(root))):
        device = menu.store.device(entry, kind)
        if isinstance(device, PartitionDevice):
            wanted[device.identity] = (*wanted.get(device.identity, ()), path)
    return wanted


def _meant(machine: Machine, identity: PartitionIdentity, paths: tuple[str, ...]) -> tuple[Volume | None, str]:
    """The one volume that the identity must mean, and why; None with the reason where that is not proven."""
    hidden = [volume.name for volume in machine.volumes() if volume.kind in _UNREADABLE]
    if hidden:
        return None, f"{', '.join(hidden)} cannot be read, and may be what is meant"
    fitting = [volume for volume in machine.volumes() if all(_has(volume, path) for path in paths)]
    listed = " and ".join(paths)
    if len(fitting) != 1:
        names = " and ".join(volume.name for volume in fitting) or "no volume"
        return None, f"{listed}: {names} {'have' if len(fitting) > 1 else 'has'} it"
    (volume,) = fitting
    if _is_same_disk(machine, volume, identity):
        return volume, f"only {volume.name} has {listed}, and its disk is the one that the element names"
    letter = _own_letter(volume, paths[-1], identity)
    if letter is not None:
        said = f"the Windows on it knows itself as {letter} by that very name (SYSTEM\\MountedDevices)"
        return volume, f"only {volume.name} has {listed}, and {said}"
    doubt = "nothing proves that it is meant: no given disk is the one that the element names; a disk may be missing"
    return None, f"only {volume.name} has {listed}, but {doubt}"


def _is_same_disk(machine: Machine, volume: Volume, identity: PartitionIdentity) -> bool:
    table = machine.disks[volume.disk].table
    if isinstance(identity, MbrPartition):
        twins = [disk for disk in machine.disks if disk.table.signature == identity.signature]
        return table.kind is TableKind.MBR and twins == [machine.disks[volume.disk]] and bool(identity.signature)
    return table.kind is TableKind.GPT and table.disk_guid == identity.disk_guid


def _own_letter(volume: Volume, hive_path: str, identity: PartitionIdentity) -> str | None:
    """The letter that the Windows on a volume was installed under, where that letter was this partition's."""
    config = hive_path.rpartition("\\")[0]
    try:
        version = volume.hive(f"{config}\\SOFTWARE").key(_CURRENT_VERSION)
        root = None if version is None else version.value("SystemRoot")
        mounted = volume.hive(f"{config}\\SYSTEM").key("MountedDevices")
    except (FileSystemError, HiveError):
        return None
    letter = "" if root is None else (root.text() or "")[:2].upper()
    known = None if mounted is None else mounted.value(f"\\DosDevices\\{letter}")
    return letter if known is not None and known.data == _mounted_name(identity) else None


def _mounted_name(identity: PartitionIdentity) -> bytes:
    """What MountedDevices calls a partition: signature and offset, or DMIO:ID: and its GUID."""
    if isinstance(identity, MbrPartition):
        return struct.pack("<IQ", identity.signature, identity.offset)
    return b"DMIO:ID:" + uuid.UUID(identity.partition_guid).bytes_le


def _retarget(menu: Menu, old: PartitionIdentity, new: PartitionIdentity) -> Iterator[SetValue]:
    """Point every partition element of the store that names ``old`` at ``new``, leaving all its other bytes."""
    if isinstance(old, GptPartition) != isinstance(new, GptPartition):
        return  # another partition style is another kind of start, not the same partition
    path = STORES[menu.firmware]
    for owner in menu.store.objects:
        for element in owner.elements:
            if element.value == PartitionDevice(old):
                yield _set_element(menu, path, owner, element, new)


def _set_element(menu: Menu, path: str, owner: BcdObject, element: Element, new: PartitionIdentity) -> SetValue:
    key = f"Objects\\{{{owner.guid}}}\\Elements\\{element.type:08x}"
    data = bytearray(element.data)
    data[PARTITION_FIELDS] = partition_fields(new)
    kind = element.kind
    return SetValue(
        _file(menu.system, path), key, "Element", RegistryData(kind, bytes(data)), RegistryData(kind, element.data)
    )


def _file(volume: Volume, path: str) -> FileId:
    return FileId(volume.disk, volume.partition.start, volume.name, path)


def _has(volume: Volume, path: str) -> bool:
    if volume.kind not in search.OPENABLE:
        return False
    try:
        volume.filesystem().stat(path)
    except FileSystemError:  # bootmgr cannot read it there either
        return False
    return True
