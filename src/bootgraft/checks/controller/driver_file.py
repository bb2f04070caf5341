"""Gate 3: is the driver's file on the volume, and one that this Windows can load?"""

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.driver_files import DriverFacts

MISSING = "driver-file-missing"
UNUSABLE = "driver-file-unusable"
WRONG_ARCHITECTURE = "driver-file-wrong-architecture"
_APPLIES = "every Windows from NT 4 on"
_LOADER = ("https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x7b--inaccessible-boot-device",)
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to=_APPLIES,
        cause="The service is there but its ImagePath (or system32\\drivers\\SERVICE.sys, where it has none) names a "
        "file that is not on the volume.",
        evidence="The service key and the path looked for, without regard to case.",
        fix="The file is copied from the driver source, or from a cache of this Windows that has it (driver.cab, a "
        "service pack's cabinet or folder, dllcache): the newest that it can load.",
        limits="",
        symptoms=(Symptom.FILE_MISSING, Symptom.C000000F, Symptom.C0000225, Symptom.STOP_7B),
        references=_LOADER,
    ),
    FindingDoc(
        id=UNUSABLE,
        applies_to=_APPLIES,
        cause="The file is no PE image, is damaged, is encrypted (EFS), or is WOF-compressed, which no loader before "
        "that of Windows 10 can read.",
        evidence="The file and what is wrong with it.",
        fix="The file is replaced by the one from the driver source; an encrypted or WOF-compressed one is only named.",
        limits="",
        symptoms=(Symptom.FILE_MISSING, Symptom.C000007B, Symptom.STOP_7B),
        references=("https://learn.microsoft.com/windows/win32/debug/pe-format",),
    ),
    FindingDoc(
        id=WRONG_ARCHITECTURE,
        applies_to=_APPLIES,
        cause="The file was built for another processor architecture than the Windows on the volume.",
        evidence="The machine type in the file's PE header and that of system32\\ntoskrnl.exe.",
        fix="The file is replaced by the one from the driver source.",
        limits="",
        symptoms=(Symptom.FILE_MISSING, Symptom.C000007B, Symptom.C0000359, Symptom.STOP_7B),
        references=("https://learn.microsoft.com/windows/win32/debug/pe-format#machine-types",),
    ),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each control set whose service names a file that cannot be loaded."""
    found = (_check_link(facts, link) for link in facts.links)
    return tuple(finding for finding in found if finding)


def fault_of(facts: ControllerFacts, driver: DriverFacts) -> tuple[str, str, str] | None:
    """What keeps this Windows from loading a driver's file: finding id, title and evidence."""
    if not driver.present:
        return MISSING, f"the driver file {driver.path} is missing", f"{driver.path}, which is not there"
    if driver.pe is None:
        return UNUSABLE, f"the driver file {driver.path} cannot be loaded", f"{driver.path}: {driver.fault}"
    if driver.pe.machine is not facts.architecture:
        built_for = f"{driver.path} is built for {driver.pe.machine}; this Windows is {facts.architecture}"
        return WRONG_ARCHITECTURE, f"the driver file {driver.path} is for {driver.pe.machine}", built_for
    return None


def _check_link(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    driver, service = link.driver, link.service
    fault = None if driver is None or service is None else fault_of(facts, driver)
    if driver is None or service is None or fault is None:
        return None
    finding, title, detail = fault
    served_by = f"{service.key_path} is served by " if finding == MISSING else ""
    return Finding(
        finding,
        severity_in(link),
        f"{title} ({link.control_set})",
        consequence(facts, link),
        (f"{facts.place}: {served_by}{detail}",),
        Remedy.DRIVER,
        stop_code=INACCESSIBLE_BOOT_DEVICE,
        device=link.main_id,
    )


CHECK = Check(Stage.CONTROLLER, 50, DOCS, lambda guest: check(guest.facts) if guest.facts else ())
