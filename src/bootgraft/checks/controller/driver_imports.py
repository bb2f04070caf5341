"""Gate 3: are the files that the driver imports from on the volume, and built for the same processor?"""

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.driver_files import unsatisfied

ID = "driver-import-missing"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows from NT 4 on",
    cause="The driver was built against a port driver (scsiport.sys, storport.sys) or a kernel component that this "
    "Windows does not have, has for another architecture, or has in an older version without a function that is "
    "called: the loader then cannot load the driver either. The same holds for the drivers that it needs in turn.",
    evidence="The driver file, and each file that it imports from that is not there or lacks a function.",
    fix="The file is replaced by the one from the driver source, which must be built for this Windows: what it imports "
    "is checked before anything is written.",
    limits="Contracts of Windows' API sets (api-ms-win-…, ext-ms-win-…) are taken to be there.",
    symptoms=(Symptom.FILE_MISSING, Symptom.C000000F, Symptom.C0000225, Symptom.STOP_7B),
    references=("https://learn.microsoft.com/windows/win32/debug/pe-format#import-directory-table",),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each control set whose driver's imports cannot all be satisfied."""
    found = (_check_link(facts, link) for link in facts.links)
    return tuple(finding for finding in found if finding)


def _check_link(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    driver = link.driver
    faults = unsatisfied(driver, facts.architecture) if driver is not None else ()
    if driver is None or not faults:
        return None
    return Finding(
        ID,
        severity_in(link),
        f"{driver.path} has a missing dependency ({link.control_set})",
        consequence(facts, link),
        tuple(f"{facts.place}: {driver.path} imports from {fault}" for fault in faults),
        Remedy.DRIVER,
        stop_code=INACCESSIBLE_BOOT_DEVICE,
        device=link.main_id,
    )


CHECK = Check(Stage.CONTROLLER, 60, (DOC,), lambda guest: check(guest.facts) if guest.facts else ())
