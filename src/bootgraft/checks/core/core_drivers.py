"""Gate 3 and 4: are the drivers of Windows' own there, and loaded, that every boot disk is behind?"""

from collections.abc import Iterator

from bootgraft.changes import Change
from bootgraft.checks.check import Check
from bootgraft.checks.core.core_path import boot_start, core_names, file_system_driver
from bootgraft.checks.core.facts import DISABLED, CoreDriver, CoreFacts, fallback_consequence
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import service_key
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.startup.core_services import BOOT_START, path_services, shipped_service
from bootgraft.windows.versions import VISTA

MISSING = "core-service-missing"
NOT_BOOT_START = "core-service-not-boot-start"
FILE = "core-driver-file-unusable"
_APPLIES = "Windows 2000 and later; the driver of the boot volume's file system on every Windows from NT 4 on"
_WAY = (
    "the way from the root of the devices to the boot volume: ACPI (where the HAL has it), the PCI bus, PartMgr, "
    "FtDisk or VolMgr, MountMgr, VolSnap, since Windows 10 volume, the filters that Windows ships for disks and "
    "volumes, and the file system"
)
_STOP_7B = "https://learn.microsoft.com/troubleshoot/windows-client/performance/stop-error-7b-or-inaccessible-boot-device-troubleshooting"
_START = "https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to=_APPLIES,
        cause=f"A control set has no service of a driver on {_WAY}. Cleaners and failed updates delete such keys.",
        evidence="The key that is missing.",
        fix="The key is made again with the values that a real Windows of this release has (XP, 7, 8.1, 10), or in "
        "which the nearest ones below and above agree, if the driver's file is there or can be taken from a cache of "
        "this Windows. Else `--fix core-service-missing` takes the values of the nearest release.",
        limits="",
        symptoms=(Symptom.STOP_7B,),
        references=(_STOP_7B,),
    ),
    FindingDoc(
        id=NOT_BOOT_START,
        applies_to="Windows 2000 and later",
        cause=f"A driver on {_WAY}, is not loaded by the loader: its Start, or since Windows 8 a value below "
        "StartOverride, which replaces it, is not 0. Tools that disable unknown drivers do that.",
        evidence="The service key with Start and what replaces it.",
        fix="Start, and each value below StartOverride, is set to 0, as every real Windows has it, in every control "
        "set, if the driver's file is there.",
        limits="The file system's driver is loaded whatever its Start says.",
        symptoms=(Symptom.STOP_7B,),
        references=(_STOP_7B, _START),
    ),
    FindingDoc(
        id=FILE,
        applies_to=_APPLIES,
        cause=f"The file of a driver on {_WAY}, is missing, no binary, or of another architecture. Such a driver is "
        "needed whatever its ErrorControl says.",
        evidence="The service, the file and what is wrong with it.",
        fix="The newest copy of the same build and architecture as the kernel is taken from where this Windows keeps "
        "one: dllcache, ServicePackFiles and the cabinets of Driver Cache; DriverStore and WinSxS.",
        limits="Files of other builds are not taken: drivers and kernel must fit together.",
        symptoms=(
            Symptom.FILE_MISSING,
            Symptom.C000000F,
            Symptom.C0000225,
            Symptom.C000007B,
            Symptom.C0000359,
            Symptom.STOP_7B,
        ),
        references=(_STOP_7B,),
    ),
)


def find(guest: Guest) -> Iterator[Finding]:
    """What is wrong with the drivers on the way in each control set."""
    core = guest.core
    if core is None:
        return
    for number in core.installation.control_sets:
        for name in core_names(guest, core, number):
            found = _check(core, number, name)
            if found is not None:
                yield found
        found = _check(core, number, file_system_driver(core), is_loaded_anyhow=True)
        if found is not None:
            yield found


def _check(core: CoreFacts, number: int, name: str, *, is_loaded_anyhow: bool = False) -> Finding | None:
    driver = core.driver(number, name)
    if driver.service is None:
        return _missing(core, number, driver)
    if driver.file_fault(core.arch) is not None:
        return _without_file(core, number, driver, is_loaded_anyhow=is_loaded_anyhow)
    if is_loaded_anyhow or driver.start == BOOT_START:
        return None
    return _not_started(core, number, driver)


def _missing(core: CoreFacts, number: int, driver: CoreDriver) -> Finding:
    shipped = shipped_service(driver.name, core.version)
    file = None if shipped is None else core.head(shipped[0].image or f"system32\\drivers\\{shipped[0].name}.sys")
    changes: tuple[Change, ...] = ()
    if shipped is not None and file is not None:
        copy = None if file.fault_for(core.arch) is None else restored(core, file.path)
        if copy is not None or file.fault_for(core.arch) is None:
            changes = (*service_key(core.file, driver.key_path, shipped[0]), *((copy,) if copy is not None else ()))
    remedy = Remedy.CHANGES if shipped is not None and shipped[1] else Remedy.OFFERED
    return _finding(
        core,
        number,
        MISSING,
        f"the service {driver.name} is missing in {control_set_name(number)}",
        (f"{core.file.path}: {driver.shown_start}",),
        changes,
        remedy,
    )


def _not_started(core: CoreFacts, number: int, driver: CoreDriver) -> Finding:
    """Windows 10 and later, for one, leave no filter of their own at another Start: it may still be loaded in time."""
    is_on_the_way = driver.name.casefold() in map(str.casefold, path_services(core.version))
    is_certain = is_on_the_way or driver.start == DISABLED
    known = shipped_service(driver.name, core.version) is not None
    return _finding(
        core,
        number,
        NOT_BOOT_START,
        f"the driver {driver.name} is not loaded at boot in {control_set_name(number)}",
        (f"{core.file.path}: {driver.shown_start}; needed is 0",),
        tuple(boot_start(core, driver)),
        Remedy.CHANGES if known else Remedy.OFFERED,
        is_certain=is_certain,
    )


def _without_file(core: CoreFacts, number: int, driver: CoreDriver, *, is_loaded_anyhow: bool) -> Finding:
    path = "" if driver.head is None else driver.head.path
    fault = driver.file_fault(core.arch) or ""
    copy = restored(core, path)
    changes: tuple[Change, ...] = ()
    if copy is not None:
        changes = (copy,) if is_loaded_anyhow else (copy, *boot_start(core, driver))
    taken = () if copy is None else (f"{copy.origin} fits and can take its place",)
    loader = "winload" if core.version >= VISTA else "ntldr"
    return _finding(
        core,
        number,
        FILE,
        f"the driver file {path} cannot be loaded ({control_set_name(number)})",
        (f"{core.installation.volume.name}: {driver.key_path} is served by {fault}", *taken),
        changes,
        Remedy.CHANGES,
        met_by=f"{loader} stops and names the file, or the kernel stops with 0x7B INACCESSIBLE_BOOT_DEVICE",
    )


def _finding(
    core: CoreFacts,
    number: int,
    finding: str,
    title: str,
    evidence: tuple[str, ...],
    changes: tuple[Change, ...],
    remedy: Remedy,
    *,
    is_certain: bool = True,
    met_by: str = "",
) -> Finding:
    is_default = number == core.installation.select.default
    severity = core.severity(number, Severity.BLOCKER if is_certain else Severity.WARNING)
    stop = met_by or f"{core.installation.product} stops with 0x7B INACCESSIBLE_BOOT_DEVICE"
    return Finding(
        finding,
        severity,
        title,
        f"The boot disk is behind it: {stop}." if is_default else fallback_consequence(control_set_name(number)),
        evidence,
        remedy if changes else Remedy.NONE,
        changes,
        INACCESSIBLE_BOOT_DEVICE if severity is Severity.BLOCKER else None,
        leaves_open=is_default and not is_certain,
    )


CHECK = Check(Stage.CORE, 20, DOCS, find)
