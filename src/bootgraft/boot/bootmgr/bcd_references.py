"""The partitions that a BCD store names: by which element, for whom, and what must lie there if it is right."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from bootgraft.boot.bootmgr.bcd import BOOTMGR, BcdObject, BcdStore, Element, ElementFormat, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_device import Device, FileDevice, on_partition
from bootgraft.boot.bootmgr.bcd_menu import reachable
from bootgraft.machine import PartitionIdentity
from bootgraft.windows.hives import hive_path

_FIRMWARES = frozenset({ObjectType.FIRMWARE_MANAGER, ObjectType.FIRMWARE_APPLICATION})
"""Objects that stand for the firmware's own variables: Windows writes them anew at each start."""


class Role(StrEnum):
    """For whom a partition is named."""

    DEFAULT = "default"  # the entry that starts
    MANAGER = "manager"  # bootmgr itself: the system partition
    RESUME = "resume"
    RECOVERY = "recovery"
    OTHER = "other"


class Reference(Struct, frozen=True):
    r"""One element that names a partition; ``path`` must be a file there (``\Windows\system32\winload.exe``).

    The path is empty where the store does not say what lies there. ``used`` says that the boot manager leads to the
    object, over however many others: else it is left over from an earlier Windows.
    """

    owner: BcdObject
    element: Element
    identity: PartitionIdentity
    role: Role
    path: str
    used: bool


def references(store: BcdStore, default: BcdObject | None) -> tuple[Reference, ...]:
    """Every element of a store that names a partition, but for those that stand for the firmware's variables."""
    used, recovering = reachable(store), frozenset(_recovery(store))
    found: list[Reference] = []
    for owner in store.objects:
        if owner.type in _FIRMWARES:
            continue
        for element, device in devices(owner):
            named = on_partition(device)
            if named is not None:
                role = _role(owner, default, device, recovering)
                path = named[1] or sought(store, owner, element.type)
                found.append(Reference(owner, element, named[0], role, path, owner.guid in used))
    return tuple(found)


def devices(owner: BcdObject) -> Iterator[tuple[Element, Device]]:
    """The device elements of an object that can be read."""
    for element in owner.elements:
        value = element.value
        if element.format == ElementFormat.DEVICE and not isinstance(value, str | int | tuple | bytes):
            yield element, value


def sought(store: BcdStore, owner: BcdObject, kind: int) -> str:
    """The file on the partition that a device element of this number names; empty where the store does not say."""
    path: str | None = None
    if owner.guid == BOOTMGR:
        return ""  # its path may be another system's loader, put in its place
    if kind == ElementType.DEVICE:
        path = store.text(owner, ElementType.PATH)
    elif kind == ElementType.OS_DEVICE and owner.type == ObjectType.OS_LOADER:
        root = (store.text(owner, ElementType.SYSTEM_ROOT) or "").rstrip("\\")
        path = hive_path(root, "SYSTEM") if root else None
    elif kind == ElementType.SDI_DEVICE:
        path = store.text(owner, ElementType.SDI_PATH)
    return path if path is not None and path.startswith("\\") else ""


def _role(owner: BcdObject, default: BcdObject | None, device: Device, recovering: frozenset[str]) -> Role:
    if owner is default:
        return Role.DEFAULT
    if owner.guid == BOOTMGR:
        return Role.MANAGER
    if owner.guid in recovering or owner.type == ObjectType.DEVICE_OPTIONS or isinstance(device, FileDevice):
        return Role.RECOVERY
    return Role.RESUME if owner.type == ObjectType.RESUME else Role.OTHER


def _recovery(store: BcdStore) -> Iterator[str]:
    for each in store.objects:
        yield from store.guids(each, ElementType.RECOVERY_SEQUENCE)
