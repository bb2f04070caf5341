"""The lists of filter drivers between the board and the boot volume, and how they are to read.

On the way lie devices of the classes System, hdc or SCSIAdapter, DiskDrive and Volume. Of single devices those count
that the new machine has too: the roots, and the bridges of hypervisors. Lists of the old controller and disk do not.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.changes import DeleteValue, RegistryData, SetValue
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.registry.values import ValueType, multi_data
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import (
    DISK_DRIVE,
    HARD_DISK_CONTROLLER,
    SCSI_ADAPTER,
    SYSTEM_DEVICE,
    driver_chain,
)
from bootgraft.windows.startup.core_services import is_shipped_filter
from bootgraft.windows.startup.device_filters import (
    VOLUME,
    FilterList,
    class_key,
)
from bootgraft.windows.versions import FIRST_WITH_PLUG_AND_PLAY, WINDOWS_10

UPPER = "UpperFilters"
_CLASS_NAMES = {
    SYSTEM_DEVICE: "system devices",
    HARD_DISK_CONTROLLER: "IDE controllers",
    SCSI_ADAPTER: "SCSI controllers",
    DISK_DRIVE: "disks",
    VOLUME: "volumes",
}
_ALWAYS = (SYSTEM_DEVICE, DISK_DRIVE, VOLUME)
_ROOTS = (
    "Root\\ACPI_HAL",
    "Root\\PCI_HAL",
    "ACPI_HAL\\PNP0C08",
    "PCI_HAL\\PNP0A03",
    "ACPI\\PNP0A03",
    "ACPI\\PNP0A08",
    "Root\\ftdisk",
    "Root\\volmgr",
)
_HYPERV_ROOTS = ("ACPI\\VMBus", "Root\\VMBus")
_BRIDGES = (
    "VEN_15AD&DEV_0790",  # VMware's PCI bridge and PCI Express port
    "VEN_15AD&DEV_07A0",
    "VEN_1B36&DEV_0001",  # QEMU's bridges and ports
    "VEN_1B36&DEV_000C",
    "VEN_1B36&DEV_000E",
    "VEN_8086&DEV_244E",
    "VEN_8086&DEV_3420",
)


class FilterPlace(Struct, frozen=True):
    """One list on the way, which devices it is for, and whether the boot disk is surely behind one of them."""

    found: FilterList
    devices: str
    is_needed: bool


def filter_places(core: CoreFacts, number: int, controller: Controller | None) -> Iterator[FilterPlace]:
    """The lists of one control set that have names in them. NT 4 knows no filters."""
    if core.version < FIRST_WITH_PLUG_AND_PLAY:
        return
    links = () if controller is None else driver_chain(controller, core.version).links
    needed = {*_ALWAYS, *(each.class_guid for each in links)}
    for guid, title in _CLASS_NAMES.items():
        for found in core.class_filters(number, guid):
            yield FilterPlace(found, title, guid in needed)
    is_hyperv = controller is not None and controller.is_hyperv
    for device in (*_ROOTS, *(_HYPERV_ROOTS if is_hyperv else ())):
        for found in core.device_filters(number, device):
            yield FilterPlace(found, device, is_needed=True)
    for device in () if is_hyperv else _bridges(core, number):
        for found in core.device_filters(number, device):
            yield FilterPlace(found, device, is_needed=False)


def shipped_filters(core: CoreFacts, number: int, controller: Controller | None) -> tuple[str, ...]:
    """The drivers of Windows' own that filter what the boot disk needs, each once."""
    places = (each for each in filter_places(core, number, controller) if each.is_needed)
    names = (name for place in places for name in place.found.names if is_shipped_filter(name, core.version))
    return tuple(dict.fromkeys(names))


def unusable_names(core: CoreFacts, number: int, found: FilterList) -> dict[str, str]:
    """The names in a list that are to be taken out, and why each cannot be loaded."""
    others = (name for name in found.names if not is_shipped_filter(name, core.version))
    faults = ((name, core.driver(number, name).fault(core.arch)) for name in others)
    return {name: fault for name, fault in faults if fault is not None}


def disk_filters(core: CoreFacts, number: int) -> FilterList | None:
    """The upper filters of disks; None where there is no list."""
    lists = core.class_filters(number, DISK_DRIVE)
    return next((each for each in lists if each.side == UPPER), None)


def disk_class_key(core: CoreFacts, number: int) -> tuple[str, bool]:
    """The key of the class of disks, and whether there is one."""
    path = class_key(number, DISK_DRIVE)
    key = core.hive.key(path)
    return path if key is None else key.path, key is not None


def lacks_partmgr(found: FilterList | None) -> bool:
    """Whether the upper filters of disks are without the partition manager."""
    return found is None or "partmgr" not in map(str.casefold, found.names)


def as_it_should_be(core: CoreFacts, number: int, found: FilterList) -> SetValue | DeleteValue:
    """The edit that a list needs: without what cannot be loaded, and, that of disks, with PartMgr.

    The value goes where no name is left: that is how devcon, Microsoft's own tool, edits such a list.
    """
    bad = unusable_names(core, number, found)
    kept = tuple(each for each in found.names if each not in bad)
    if found == disk_filters(core, number):
        return with_partmgr(core, found.key_path, found, kept)
    if not kept:
        return DeleteValue(core.file, found.key_path, found.side, found.data)
    return SetValue(core.file, found.key_path, found.side, _multi(kept), found.data)


def with_partmgr(core: CoreFacts, key: str, found: FilterList | None, kept: tuple[str, ...]) -> SetValue:
    """The upper filters of disks with PartMgr, as this Windows spells it, next to the disk's own driver."""
    own = "partmgr" if core.version >= WINDOWS_10 else "PartMgr"
    names = (own, *kept) if lacks_partmgr(found) else kept
    return SetValue(core.file, key, UPPER, _multi(names), None if found is None else found.data)


def _bridges(core: CoreFacts, number: int) -> Iterator[str]:
    for name in core.pci_devices(number):
        if name.upper().startswith(_BRIDGES):
            yield f"PCI\\{name}"


def _multi(names: tuple[str, ...]) -> RegistryData:
    return RegistryData(ValueType.REG_MULTI_SZ, multi_data(names))
