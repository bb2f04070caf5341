"""Gate 3, second half: can the loader load every boot driver that says that Windows must not start without it?"""

from collections.abc import Iterator

from bootgraft.changes import Change
from bootgraft.checks.check import Check
from bootgraft.checks.controller.filter_places import filter_places
from bootgraft.checks.core.core_path import core_names, file_system_driver
from bootgraft.checks.core.deleted_drivers import OWNED
from bootgraft.checks.core.facts import CoreDriver, CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import disable_service
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.versions import WINDOWS_7

ID = "boot-driver-file-unusable"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows from NT 4 on",
    cause="The loader loads every service with Start 0 (and no other number below StartOverride), whoever made it. "
    "The file of one is missing, no binary, or of another architecture. What follows, its ErrorControl says: 3 and 2 "
    "(critical, severe) end the start, 1 (normal) is reported and passed over, 0 (ignore) is passed over.",
    evidence="The service with its Start and ErrorControl, the file and what is wrong with it.",
    fix="A driver of Windows' own is taken from where this Windows keeps another copy, if one of the same build is "
    "there. Another one that must not fail is offered to be disabled (Start 4) by `--fix boot-driver-file-unusable`, "
    "unless it filters devices on the way to the disk.",
    limits="A blocker with ErrorControl 2 or 3, a warning with 1, nothing with 0. The default control set only. "
    "Drivers that the boot disk is behind have findings of their own, which no ErrorControl mitigates.",
    symptoms=(Symptom.FILE_MISSING, Symptom.C000000F, Symptom.C0000225, Symptom.C000007B, Symptom.C0000359),
    references=("https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew",),
)
_IGNORE, _SEVERE = 0, 2


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each boot driver whose file the loader cannot use and that is not to be ignored."""
    core = guest.core
    if core is None:
        return
    number = core.installation.select.default
    judged = {each.casefold() for each in (*core_names(guest, core, number), file_system_driver(core))}
    judged |= {(each.service_name or "").casefold() for each in guest.facts.links} if guest.facts else set()
    judged |= set(OWNED) if core.version >= WINDOWS_7 else set()
    filters = {name.casefold() for place in filter_places(core, number, guest.controller) for name in place.found.names}
    for driver in core.boot_drivers:
        fault = driver.file_fault(core.arch)
        ignored = driver.service is None or driver.service.error_control == _IGNORE
        if fault is not None and not ignored and driver.name.casefold() not in judged:
            yield _finding(core, driver, fault, is_filter=driver.name.casefold() in filters)


def _finding(core: CoreFacts, driver: CoreDriver, fault: str, *, is_filter: bool) -> Finding:
    from bootgraft.windows.leftovers.makers import product_of  # few lack a file

    control = None if driver.service is None else driver.service.error_control
    is_grave = control is not None and control >= _SEVERE
    copy = restored(core, driver.head.path) if is_grave and driver.head is not None else None
    changes: tuple[Change, ...] = (copy,) if copy is not None else ()
    remedy = Remedy.CHANGES if changes else Remedy.NONE
    if is_grave and not changes and not is_filter:
        changes, remedy = disable_service(core.installation, core.hive, driver.name), Remedy.OFFERED
    control_set, product = control_set_name(core.installation.select.default), product_of(driver.name)
    return Finding(
        ID,
        Severity.BLOCKER if is_grave else Severity.WARNING,
        f"the file of the boot driver {driver.name} cannot be loaded in {control_set}",
        "Its ErrorControl says that Windows must not start without it: the loader stops, or takes Last Known Good."
        if is_grave
        else "The loader passes it over: what the driver is for will not work.",
        (
            f"{core.installation.volume.name}: {fault}",
            f"{core.file.path}: {driver.shown_start}, ErrorControl={control}",
            *((f"{driver.name} belongs to {product}",) if product is not None else ()),
        ),
        remedy,
        changes,
    )


CHECK = Check(Stage.CORE, 15, (DOC,), find)
