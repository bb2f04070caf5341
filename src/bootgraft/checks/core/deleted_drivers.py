"""Were drivers deleted that Windows owns, because their names look like those of another hypervisor?"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootgraft.changes import WriteFile
from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import DISABLED, CoreDriver, CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.windows.startup.core_services import BOOT_START
from bootgraft.windows.versions import WINDOWS_7

ID = "windows-driver-deleted"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 7, Server 2008 R2 and later",
    cause="Files of drivers that every Windows ships for Hyper-V are gone: vmstorfl.sys, vmgid.sys, vmgencounter.sys, "
    "vms3cap.sys. Their names begin like those of VMware's, and clean-ups of VMware Tools delete them: vJailbreak's "
    "does, of exactly these four. Their services are still there.",
    evidence="Each service and the file that it names.",
    fix=f"`--fix {ID}` puts the files back that this Windows has another copy of, of the same build, in its "
    "DriverStore or component store (WinSxS). In a running Windows `sfc /scannow` does it.",
    limits="A warning where the loader misses one of them, else info: no start stops because they are missing, since "
    "the services have ErrorControl 1 and serve no other hypervisor's devices. On Hyper-V without vmgencounter.sys a "
    "domain controller does not notice that it was cloned. Copies are looked for only under --fix.",
    references=(
        "https://github.com/platform9/vjailbreak",
        "https://learn.microsoft.com/windows-server/administration/windows-commands/sfc",
    ),
)
OWNED = ("storflt", "vmgid", "gencounter", "s3cap")
"""The services, casefolded."""
_DRIVERS_OF_VJAILBREAK = 3
"""From how many of them on it is no accident: releases before Windows 10 have no vmgid, 7 no generation counter."""


class _Deleted(Struct, frozen=True):
    driver: CoreDriver
    fault: str
    copy: WriteFile | None


def find(guest: Guest) -> Iterator[Finding]:
    """One finding with every such driver whose file is gone."""
    core = guest.core
    if core is None or core.version < WINDOWS_7:
        return
    deleted = tuple(_deleted(core, guest, is_asked=ID in guest.choice.fix))
    if deleted:
        yield _finding(core, deleted, is_asked=ID in guest.choice.fix)


def _deleted(core: CoreFacts, guest: Guest, *, is_asked: bool) -> Iterator[_Deleted]:
    number = core.installation.select.default
    judged = {(each.service_name or "").casefold() for each in guest.facts.links} if guest.facts else set()
    for name in OWNED:
        if name in judged:  # on Hyper-V the disk may be behind it
            continue
        driver = core.driver(number, name)
        fault = driver.file_fault(core.arch)
        if fault is not None and driver.head is not None and driver.start != DISABLED:
            yield _Deleted(driver, fault, restored(core, driver.head.path) if is_asked else None)


def _finding(core: CoreFacts, deleted: Sequence[_Deleted], *, is_asked: bool) -> Finding:
    changes = tuple(each.copy for each in deleted if each.copy is not None)
    names = ", ".join(each.driver.name for each in deleted)
    whose = (
        "vJailbreak's clean-up of VMware's files deletes exactly these"
        if len(deleted) >= _DRIVERS_OF_VJAILBREAK
        else "clean-ups of VMware Tools delete them for their names"
    )
    is_offered = bool(changes) or not is_asked
    way = (
        f"--fix {ID} puts back what this Windows has a copy of."
        if is_offered
        else "This Windows has no copy of them; sfc /scannow, in Windows, gets them from its media."
    )
    return Finding(
        ID,
        Severity.WARNING if any(each.driver.start == BOOT_START for each in deleted) else Severity.INFO,
        f"the files of drivers that Windows owns are missing or unusable: {names}",
        f"They are Windows' own, for Hyper-V, not VMware's: {whose}. No start fails because they are missing. {way}",
        (
            *(f"{core.installation.volume.name}: {each.fault}" for each in deleted),
            *(f"{each.origin} fits and can take its place" for each in changes),
        ),
        Remedy.OFFERED if is_offered else Remedy.NONE,
        changes,
    )


CHECK = Check(Stage.CORE, 25, (DOC,), find)
