"""Gate 4: does anything tell the kernel which drivers serve the devices that are above the controller and below?"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.changes import Change, CreateKey, RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.core.core_path import core_names
from bootgraft.checks.core.facts import CoreFacts, fallback_consequence
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType, text_data
from bootgraft.targets.driverchains import SYSTEM_DEVICE
from bootgraft.windows.bindings import enum_instances, find_critical_device
from bootgraft.windows.driver_database import find_database_binding, has_database
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.startup.device_filters import VOLUME
from bootgraft.windows.versions import FIRST_WITH_PLUG_AND_PLAY, VISTA

ID = "core-device-unbound"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 and later",
    cause="Nothing binds a driver to the root of the PCI bus (*PNP0A03; that of PCI Express, *PNP0A08, is compatible "
    "with it), to the ACPI root, or, from Vista on, to the volume manager and the volumes: neither the "
    "CriticalDeviceDatabase nor the DriverDatabase. No controller is found then.",
    evidence="The ids looked for and the key that should have them.",
    fix="On Windows 2000 to 7 the keys of the CriticalDeviceDatabase are made again as Windows has them.",
    limits="The ACPI root, the volume manager and volumes are the same devices on every machine, so an instance below "
    "Enum that has its service counts for them; the PCI bus of another board is another device. The DriverDatabase of "
    "Windows 8 and later is not repaired: take the SYSTEM hive from a backup.",
    symptoms=(Symptom.STOP_7B,),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x7b--inaccessible-boot-device",
    ),
)


class _Device(Struct, frozen=True):
    """One device: its ids, best match last, its class, and where instances that count lie below Enum."""

    name: str
    ids: tuple[str, ...]
    service: str
    class_guid: str
    first: tuple[int, int] = FIRST_WITH_PLUG_AND_PLAY
    instances: tuple[str, str] | None = None


_DEVICES = (
    _Device("the ACPI root", ("*PNP0C08",), "ACPI", SYSTEM_DEVICE, instances=("ACPI_HAL", "PNP0C08")),
    _Device("the root of the PCI bus", ("*PNP0A03",), "pci", SYSTEM_DEVICE),
    _Device("the volume manager", ("Root\\VOLMGR",), "volmgr", SYSTEM_DEVICE, VISTA, ("Root", "volmgr")),
    _Device("volumes", ("STORAGE\\Volume",), "volsnap", VOLUME, VISTA, ("STORAGE", "Volume")),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each device of the way and control set that no driver is bound to."""
    core = guest.core
    if core is None:
        return
    by_database = has_database(core.hive)
    for number in core.installation.control_sets:
        names = {each.casefold() for each in core_names(guest, core, number)}
        for device in _DEVICES:
            needed = core.version >= device.first and device.service.casefold() in names
            if needed and not _is_bound(core, number, device, by_database=by_database):
                yield _finding(core, number, device, by_database=by_database)


def _is_bound(core: CoreFacts, number: int, device: _Device, *, by_database: bool) -> bool:
    if by_database:
        bound = find_database_binding(core.hive, device.ids).binding
        service = None if bound is None else bound.service
    else:
        critical = find_critical_device(core.hive, number, device.ids)
        service = None if critical is None else critical.service
    if service is not None or device.instances is None:
        return service is not None
    instances = enum_instances(core.hive, number, *device.instances)
    return any(each.service and each.class_guid and not each.disabled for each in instances)


def _finding(core: CoreFacts, number: int, device: _Device, *, by_database: bool) -> Finding:
    control_set, ids = control_set_name(number), " or ".join(device.ids)
    is_default = number == core.installation.select.default
    store = "DriverDatabase" if by_database else f"{control_set}\\Control\\CriticalDeviceDatabase"
    changes = () if by_database else tuple(_keys(core, number, device))
    return Finding(
        ID,
        core.severity(number),
        f"no driver is bound to {device.name} ({ids}) in {control_set}",
        f"The boot disk is behind it: {core.installation.product} stops with 0x7B INACCESSIBLE_BOOT_DEVICE."
        if is_default
        else fallback_consequence(control_set),
        (f"{core.file.path}: {store}: nothing there leads from {ids} to a service; it should be {device.service}",),
        Remedy.CHANGES if changes else Remedy.NONE,
        changes,
        INACCESSIBLE_BOOT_DEVICE if is_default else None,
    )


def _keys(core: CoreFacts, number: int, device: _Device) -> Iterator[Change]:
    for device_id in device.ids:
        key = f"{control_set_name(number)}\\Control\\CriticalDeviceDatabase\\{device_id.replace(chr(92), '#').lower()}"
        existing = core.hive.key(key)
        if existing is None:
            yield CreateKey(core.file, key)
        for name, text in (("ClassGUID", device.class_guid), ("Service", device.service)):
            value = None if existing is None else existing.value(name)
            before = None if value is None else RegistryData(value.type, value.data)
            yield SetValue(core.file, key, name, RegistryData(ValueType.REG_SZ, text_data(text)), before)


CHECK = Check(Stage.CORE, 30, (DOC,), find)
