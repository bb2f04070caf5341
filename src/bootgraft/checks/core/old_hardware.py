"""Does NT 5 start a driver for the old machine's processor or AGP bridge, whatever the new one has?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreDriver, CoreFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import disable_service
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.versions import SERVER_2003, WINDOWS_2000

if TYPE_CHECKING:  # from Vista on Plug and Play starts them
    from bootgraft.windows.leftovers.old_hardware import OldDriver

PROCESSOR = "old-processor-driver"
AGP = "old-agp-driver"
DOCS = (
    FindingDoc(
        id=PROCESSOR,
        applies_to="Windows 2000, XP and Server 2003",
        cause="The driver of the old machine's processor (intelppm, processr, amdk7 and the like) has Start=1, so it "
        "is started whatever processor there is. On one of another make it is reported to stop with 0x7E, and in "
        "virtual machines that pass the host's processor through in part.",
        evidence="The service and its Start; with --vm the processor that the machine is given.",
        fix=f"`--fix {PROCESSOR}` sets Start=4 (disabled), as Microsoft's KB 953356 does it. It only saves power.",
        limits="A warning where the description's processor is of another make, or the only one that this Windows has "
        "met (the case of KB 953356: the driver was left by the machine that the image was made on); else info: most "
        "machines start with it.",
        symptoms=(Symptom.STOP_7E,),
        references=(
            "https://support.microsoft.com/kb/953356",
            "https://www.virtualbox.org/wiki/Migrate_Windows",
        ),
    ),
    FindingDoc(
        id=AGP,
        applies_to="Windows 2000, XP and Server 2003, not on VMware or Hyper-V's first generation",
        cause="A filter of the old machine's AGP bridge (agp440 and the like) is a boot driver. Without such a bridge "
        "it does nothing on most machines, and is reported to hang or stop some at start.",
        evidence="The service and its Start.",
        fix=f"`--fix {AGP}` sets Start=4 (disabled), as Microsoft's KB 324764 does it in the recovery console.",
        limits="Machines of VMware and of Hyper-V's first generation have the bridge of agp440.",
        symptoms=(Symptom.BLACK_SCREEN, Symptom.STOP_7E),
        references=("https://support.microsoft.com/kb/324764", "https://kb.parallels.com/5756"),
    ),
)
_WITH_BRIDGE = ("vmware", "hyperv", "azure")


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each such driver that the control set starts."""
    core = guest.core
    if core is None or not WINDOWS_2000 <= core.version <= SERVER_2003:
        return
    from bootgraft.windows.leftovers.old_hardware import OLD_DRIVERS, Hardware

    for old in OLD_DRIVERS:
        driver = core.driver(core.installation.select.default, old.service)
        if driver.service is None or driver.start != old.start or driver.file_fault(core.arch) is not None:
            continue
        if old.hardware is Hardware.AGP:
            yield from _agp(guest, core, driver)
        else:
            yield from _processor(guest, core, driver, old)


def _agp(guest: Guest, core: CoreFacts, driver: CoreDriver) -> Iterator[Finding]:
    if guest.controller is None or guest.controller.hypervisor in _WITH_BRIDGE:
        return
    yield Finding(
        AGP,
        Severity.INFO,
        f"{driver.name}, a filter of the old machine's AGP bridge, is started at boot",
        f"The new machine has no such bridge. Should it hang at start, or safe mode stop at it: --fix {AGP}.",
        (f"{core.file.path}: {driver.shown_start}",),
        Remedy.OFFERED,
        disable_service(core.installation, core.hive, driver.name),
    )


def _processor(guest: Guest, core: CoreFacts, driver: CoreDriver, old: "OldDriver") -> Iterator[Finding]:
    from bootgraft.windows.leftovers.old_hardware import Hardware, make_of, processors_met

    processor = None if guest.described is None else guest.described.processor
    make = None if processor is None else make_of(processor.model)
    if make is not None and make is old.hardware:
        return
    met = processors_met(core.hive, core.installation.select.default)
    is_orphan = bool(met) and old.hardware is not Hardware.ANY_PROCESSOR and old.hardware not in met
    is_other = make is not None and old.hardware is not Hardware.ANY_PROCESSOR
    orphan = (f"the only processors that this Windows has met are {' and '.join(met)}",) if is_orphan else ()
    said = (
        (f"{guest.described.line(processor.line)}: {processor.said}",)
        if guest.described is not None and processor is not None and is_other
        else ()
    )
    yield Finding(
        PROCESSOR,
        Severity.WARNING if is_other or is_orphan else Severity.INFO,
        f"{driver.name}, a driver for {old.hardware}, is started on any processor",
        "On a processor of another make it is reported to stop with 0x7E SYSTEM_THREAD_EXCEPTION_NOT_HANDLED. It only "
        f"saves power: --fix {PROCESSOR} disables it.",
        (f"{core.file.path}: {driver.shown_start}", *said, *orphan),
        Remedy.OFFERED,
        disable_service(core.installation, core.hive, driver.name),
    )


CHECK = Check(Stage.CORE, 50, DOCS, find)
