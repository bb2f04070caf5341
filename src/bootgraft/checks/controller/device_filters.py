"""Gate 4: can the filter drivers be loaded without which the devices on the way to the boot volume do not start?"""

from collections.abc import Iterator, Sequence
from itertools import islice

from bootgraft.changes import CreateKey, RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.controller.filter_places import (
    FilterPlace,
    as_it_should_be,
    disk_class_key,
    disk_filters,
    filter_places,
    lacks_partmgr,
    unusable_names,
    with_partmgr,
)
from bootgraft.checks.core.facts import CoreFacts, fallback_consequence
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Need, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.text import printable
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.startup.core_services import BOOT_START, is_shipped_filter
from bootgraft.windows.versions import FIRST_WITH_PLUG_AND_PLAY

UNUSABLE = "filter-driver-unusable"
NOT_BOOT_START = "filter-driver-not-boot-start"
NO_PARTMGR = "partmgr-filter-missing"
_KB976267 = "https://mskb.pkisolutions.com/kb/976267"
_STOP_7B = "https://learn.microsoft.com/troubleshoot/windows-client/performance/stop-error-7b-or-inaccessible-boot-device-troubleshooting"
_PLACES = (
    "the classes DiskDrive, Volume, SCSIAdapter, hdc and System, and the devices that the disk stands on at the new "
    "machine too: ACPI, the PCI root bus, the volume manager, VMBus, bridges of hypervisors"
)
DOCS = (
    FindingDoc(
        id=UNUSABLE,
        applies_to="Windows 2000 and later",
        cause="UpperFilters or LowerFilters name a driver that has no service, is disabled (Start 4), or whose file is "
        "missing or of another architecture. A device with such a filter is not started. Backup, encryption and "
        "virtualisation software leaves such names behind when it is removed, or was on the old machine for its disk "
        f"only. Looked at are {_PLACES}.",
        evidence="The list, and what each of the names that cannot be loaded lacks.",
        fix="Exactly these names are taken out of the list, the others stay in their order, and a list that became "
        "empty is deleted, as devcon does it; in every control set. Names that Windows itself puts into lists "
        "(partmgr, volsnap, fvevol, rdyboost, iorate, EhStorClass, …) are never taken out: their service and file "
        "are put back (see the findings about core drivers).",
        limits="A blocker for the classes that the boot disk goes through, a warning for the others and for bridges, "
        "which may stand elsewhere in the new machine. Lists of the old controller and the old disk do not count: "
        "these devices do not exist there.",
        symptoms=(Symptom.STOP_7B,),
        references=(_STOP_7B, _KB976267),
    ),
    FindingDoc(
        id=NOT_BOOT_START,
        applies_to="Windows 2000 and later",
        cause="A filter of a device that Windows starts from is no boot driver (Start 1, 2 or 3): the loader does not "
        "load it, and when the kernel starts the device there is no disk yet to load it from.",
        evidence="The list, the service and its Start.",
        fix="Only offered: `--fix filter-driver-not-boot-start` sets Start to 0, if the driver is to filter disks.",
        limits="Whether it keeps the device from starting depends on the driver and the Windows.",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order",),
    ),
    FindingDoc(
        id=NO_PARTMGR,
        applies_to="Windows 2000 and later",
        cause="PartMgr is missing from UpperFilters of the class DiskDrive, where every Windows has it: it tells the "
        "volume manager which partitions a disk has, so without it there is no boot volume.",
        evidence="The class key and its list.",
        fix="PartMgr is put back as the first of the list, next to the disk's own driver, in every control set.",
        limits="",
        symptoms=(Symptom.STOP_7B,),
        references=(_STOP_7B,),
    ),
)
_MAX_SHOWN = 8


def find(guest: Guest) -> Iterator[Finding]:
    """What is wrong with the filters of each control set."""
    core = guest.core
    if core is None or core.version < FIRST_WITH_PLUG_AND_PLAY:
        return
    for number in core.installation.control_sets:
        for place in filter_places(core, number, guest.controller):
            bad = unusable_names(core, number, place.found)
            if bad:
                yield _unusable(core, number, place, bad)
            late = (each for each in place.found.names if each not in bad and place.is_needed)
            yield from (_late(core, number, place, name) for name in late if _is_late(core, number, name))
        if lacks_partmgr(disk_filters(core, number)):
            yield _without_partmgr(core, number)


def _is_late(core: CoreFacts, number: int, name: str) -> bool:
    return not is_shipped_filter(name, core.version) and core.driver(number, name).start != BOOT_START


def _unusable(core: CoreFacts, number: int, place: FilterPlace, bad: dict[str, str]) -> Finding:
    control_set, found = control_set_name(number), place.found
    drivers = f"filter driver{'s' if len(bad) > 1 else ''} {_shown(tuple(bad))}"
    severity = core.severity(number) if place.is_needed else Severity.WARNING
    listed = f"{core.file.path}: {found.key_path}: {found.side}={_shown(found.names)}"
    return Finding(
        UNUSABLE,
        severity,
        f"the {drivers} of {place.devices} cannot be loaded in {control_set}",
        _consequence(core, number, place),
        (listed, *(f"{name}: {fault}" for name, fault in islice(bad.items(), _MAX_SHOWN))),
        Remedy.CHANGES,
        (as_it_should_be(core, number, found),),
        INACCESSIBLE_BOOT_DEVICE if severity is Severity.BLOCKER else None,
    )


def _consequence(core: CoreFacts, number: int, place: FilterPlace) -> str:
    if number != core.installation.select.default:
        return fallback_consequence(control_set_name(number))
    if place.is_needed:
        return (
            "Windows starts no device whose filter it cannot load, and the boot disk is behind these: "
            f"{core.installation.product} stops with 0x7B INACCESSIBLE_BOOT_DEVICE."
        )
    return "Windows starts no device whose filter it cannot load; the boot disk is not known to be behind these."


def _late(core: CoreFacts, number: int, place: FilterPlace, name: str) -> Finding:
    driver, found = core.driver(number, name), place.found
    start = None if driver.service is None else driver.service.start
    before = None if start is None else _dword(start)
    return Finding(
        NOT_BOOT_START,
        Severity.WARNING,
        f"the filter driver {name} of {place.devices} is no boot driver in {control_set_name(number)}",
        "The loader does not load it, so it is not there yet when Windows starts the device that the boot disk is "
        "behind; whether the device starts without it cannot be determined offline.",
        (f"{core.file.path}: {found.key_path}: {found.side}={_shown(found.names)}", driver.shown_start),
        Remedy.OFFERED,
        (SetValue(core.file, driver.key_path, "Start", _dword(BOOT_START), before),),
        leaves_open=number == core.installation.select.default,
    )


def _without_partmgr(core: CoreFacts, number: int) -> Finding:
    found, control_set = disk_filters(core, number), control_set_name(number)
    key, exists = disk_class_key(core, number)
    is_default = number == core.installation.select.default
    wanted = with_partmgr(core, key, None, ()) if found is None else as_it_should_be(core, number, found)
    return Finding(
        NO_PARTMGR,
        core.severity(number),
        f"PartMgr is missing from the filters of disks in {control_set}",
        "Without it the volume manager learns of no partition, so there is no boot volume: "
        f"{core.installation.product} stops with 0x7B INACCESSIBLE_BOOT_DEVICE."
        if is_default
        else fallback_consequence(control_set),
        (f"{core.file.path}: {key}: UpperFilters={_shown(found.names) if found else 'none'}",),
        Remedy.CHANGES,
        (wanted,) if exists else (CreateKey(core.file, key), wanted),
        INACCESSIBLE_BOOT_DEVICE if is_default else None,
    )


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return ", ".join(printable(each) for each in names[:_MAX_SHOWN]) + more


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))


CHECK = Check(Stage.CONTROLLER, 90, DOCS, find, needs=Need.WINDOWS)
