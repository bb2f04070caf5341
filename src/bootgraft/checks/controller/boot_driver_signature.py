"""Gate 3 for the boot drivers that no device of the chain needs: filters, and what else other vendors start at boot.

The loader reads all boot drivers, and stops at the first whose signature it does not accept, whatever that is for.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bootgraft.checks.check import Check
from bootgraft.checks.controller.driver_signature import SECURE_BOOT, finding_of
from bootgraft.checks.finding import Finding, FindingDoc, Need, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError
from bootgraft.windows.company import MICROSOFT
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import VISTA

if TYPE_CHECKING:  # few Windows have such drivers
    from bootgraft.checks.driverjudge import JudgedDriver

ID = "boot-driver-signature"
DOC = FindingDoc(
    id=ID,
    applies_to="64-bit Windows Vista, Server 2008 and later",
    cause="A boot driver (effective Start 0) of another maker than Microsoft, whichever device or filter it is for, "
    "has no signature that this Windows' loader accepts: it stops there with 0xc0000428 before any STOP screen. A "
    "warning where a catalog that this Windows has taken in lists the file, or where it is not known how the loader "
    "takes it.",
    evidence="The service, its file, and each of the file's signatures with what is against it.",
    fix="None. Take the driver from its maker in a version that this Windows accepts, or disable the service and take "
    "its name out of the filters of the device classes.",
    limits="Only the default control set is looked at, and files that name a maker in their version resource.",
    symptoms=(Symptom.C0000428,),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode-code-signing-requirements--windows-vista-and-later-",
    ),
)


def check(guest: Guest) -> tuple[Finding, ...]:
    """One finding for each such driver whose signature is not plainly accepted."""
    return tuple(_found(guest))


def _found(guest: Guest) -> Iterator[Finding]:
    core = guest.core
    if core is None or not _is_strict(core.installation):
        return
    installation, number = core.installation, core.installation.select.default
    links = () if guest.facts is None else guest.facts.links
    done = {link.driver.path.casefold() for link in links if link.driver is not None}
    for driver in core.boot_drivers:
        path = "" if driver.head is None else driver.head.path
        company = None if path.casefold() in done else core.company(path)
        if company is None or company.casefold() == MICROSOFT:
            continue
        done.add(path.casefold())
        try:
            judged = guest.judge_driver(path)
        except FileSystemError:  # that a boot driver cannot be read is another check's matter
            continue
        where = f"{installation.volume.name}: {driver.key_path}: {path}, of {company}"
        found = _finding(judged, where, installation, control_set_name(number))
        if found is not None:
            yield found


def _finding(judged: "JudgedDriver", where: str, installation: Installation, control_set: str) -> Finding | None:
    found = finding_of(judged, where, installation.product, control_set, Severity.BLOCKER)
    return found if found is None or found.id == SECURE_BOOT else replace(found, id=ID, remedy=Remedy.NONE)


def _is_strict(installation: Installation) -> bool:
    return installation.version >= VISTA and installation.arch not in (Architecture.X86, Architecture.UNKNOWN)


CHECK = Check(Stage.CONTROLLER, 75, (DOC,), check, needs=Need.WINDOWS)
