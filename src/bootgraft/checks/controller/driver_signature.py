"""Gate 3 of 64-bit Windows from Vista on: does its loader take the signature of a driver that Windows did not ship?

A signature in the file itself is what Microsoft asks of a boot driver. Without one the loader can still find the file's
hash in a catalog, if that lies among those that this Windows has taken in: one beside the file counts for nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import severity_in
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.bindings import CriticalDevice
from bootgraft.windows.driver_database import OWN_PREFIX, DatabaseBinding
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import VISTA

if TYPE_CHECKING:  # most machines live on Windows' own drivers
    from bootgraft.checks.driverjudge import JudgedDriver

MISSING = "driver-signature-missing"
REFUSED = "driver-signature-refused"
SECURE_BOOT = "driver-signature-secure-boot"
UNCERTAIN = "driver-signature-uncertain"
CATALOG = "driver-signature-catalog"
_APPLIES = "64-bit Windows Vista, Server 2008 and later; 32-bit ones from Windows 8 on under Secure Boot"
_POLICY = "https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode-code-signing-policy--windows-vista-and-later-"
_REQUIREMENTS = "https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode-code-signing-requirements--windows-vista-and-later-"
_FIX = (
    "The file is replaced by one from the driver source whose signature this Windows accepts. With another one the "
    "repair is not proven, and nothing is written."
)
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to=_APPLIES,
        cause="The driver was not shipped with Windows, its file carries no signature, and no catalog that this "
        "Windows has taken in lists it: the loader stops with 0xc0000428 before any STOP screen.",
        evidence="The file.",
        fix=_FIX,
        limits="Drivers that Windows ships are not judged.",
        symptoms=(Symptom.C0000428,),
        references=(_REQUIREMENTS,),
    ),
    FindingDoc(
        id=REFUSED,
        applies_to=_APPLIES,
        cause="The driver was not shipped with Windows, and none of its signatures is one that this Windows' loader "
        "accepts: self-signed, under a root that Windows does not know (a public authority without Microsoft's "
        "cross-certificate), by SHA-256 only in a Windows 7 that does not know it, or of a file that was altered "
        "since. No catalog that this Windows has taken in lists it either. The loader stops with 0xc0000428 before any "
        "STOP screen.",
        evidence="The file, and each of its signatures with what is against it.",
        fix=_FIX,
        limits="Drivers that Windows ships are not judged. Revoked certificates, the vulnerable driver blocklist and "
        "further policies of Device Guard are not known.",
        symptoms=(Symptom.C0000428,),
        references=(_POLICY, _REQUIREMENTS),
    ),
    FindingDoc(
        id=SECURE_BOOT,
        applies_to="64-bit Windows 10 1607, Server 2016 and later; 32-bit ones; any that starts with test signing on",
        cause="The loader accepts the driver's signature while Secure Boot is off. Under Secure Boot it refuses what "
        "only test signing lets in, and is likely to refuse a vendor's own signature, by a certificate of 2015-07-29 "
        "or later, in an installation that is no upgrade. A warning, and the verdict unknown, where it is not known "
        "whether Secure Boot is on, or how the loader takes it.",
        evidence="The file and its signature.",
        fix="None in the image. Switch Secure Boot off in the new machine, and say so (`--secure-boot off`, or `--vm` "
        "with its description); or give a driver that Microsoft signed.",
        limits="What the descriptions of Hyper-V and Xen say of Secure Boot is not read.",
        symptoms=(Symptom.C0000428,),
        references=(_POLICY,),
        fault_in=FaultPlace.OUTSIDE,
    ),
    FindingDoc(
        id=UNCERTAIN,
        applies_to=_APPLIES,
        cause="Whether the loader accepts the driver depends on what cannot be read from the disk or is not "
        "documented: a vendor's own signature under the driver policy of 2026, which has an allow list; an attestation "
        "signature in Windows before 10; SHA-256 in Vista; a signature by an algorithm that bootgraft does not verify; "
        "a catalog that cannot be read; an expired certificate without a timestamp.",
        evidence="The file, its signature, and what is not known.",
        fix="None. Give a driver that is signed otherwise.",
        limits="",
        symptoms=(Symptom.C0000428,),
        references=(_POLICY,),
    ),
    FindingDoc(
        id=CATALOG,
        applies_to=_APPLIES,
        cause="No signature in the driver's file is one that the loader accepts, but a good catalog among those that "
        "this Windows has taken in lists the file. The loader can find it there, slowly; Microsoft asks for a "
        "signature in the file itself.",
        evidence="The file and the catalog.",
        fix="None is needed; a driver that is signed in its file is the safer one.",
        limits="",
        references=(_REQUIREMENTS,),
    ),
)


def check(facts: ControllerFacts, judge: "Callable[[str], JudgedDriver]") -> tuple[Finding, ...]:
    """One finding for each control set and driver of the chain whose signature is not plainly accepted.

    ``judge`` judges the file at a path of the volume.
    """
    if facts.version < VISTA:
        return ()
    found = (_check_link(facts, link, judge) for link in facts.links)
    return tuple(finding for finding in found if finding)


def _check_link(facts: ControllerFacts, link: LinkFacts, judge: "Callable[[str], JudgedDriver]") -> Finding | None:
    driver = link.driver
    if driver is None or driver.pe is None or driver.pe.machine is not facts.architecture or not _is_foreign(link):
        return None
    judged = judge(driver.path)
    found = finding_of(judged, f"{facts.place}: {driver.path}", facts.product, link.control_set, severity_in(link))
    return found and replace(found, device=link.main_id, leaves_open=found.leaves_open and link.is_default)


def finding_of(
    judged: "JudgedDriver", where: str, product: str, control_set: str, severity: Severity
) -> Finding | None:
    """What is to be said of a boot driver that was judged; None where its signature is accepted.

    ``severity`` is that of a driver that would be refused; ``where`` names the file for people.
    """
    judgement, unread = judged.judgement, tuple(f"not read: {each}" for each in judged.unread)
    evidence: tuple[str, ...] = (f"{where}: {judgement.reason}",)
    if judged.is_accepted:
        remark = (f"{where}: {judgement.remark}",)
        return _warning(UNCERTAIN, judged, control_set, "may be refused", remark) if judgement.remark else None
    if judged.catalog is not None:
        evidence = (*evidence, f"{judged.catalog} lists it")
        return _warning(CATALOG, judged, control_set, "is signed by a catalog only", evidence)
    if judgement.hangs_on_secure_boot:
        found = _warning(SECURE_BOOT, judged, control_set, "needs Secure Boot to be off", evidence)
        found = replace(found, fault_in=FaultPlace.OUTSIDE)
        return replace(found, leaves_open=True) if judgement.is_open else replace(found, severity=severity)
    if judgement.is_open or unread:
        found = _warning(UNCERTAIN, judged, control_set, "may be refused", (*evidence, *unread))
        return replace(found, leaves_open=True)
    what = "has no signature that this Windows accepts" if judged.is_signed else "is not signed"
    return Finding(
        REFUSED if judged.is_signed else MISSING,
        severity,
        f"the driver file {judged.path} {what} ({control_set})",
        f"The loader of {product} stops with 0xc0000428 at a boot driver whose signature it does not accept.",
        evidence,
        Remedy.DRIVER,
    )


_EXPLAINED = {
    SECURE_BOOT: "The loader stops with 0xc0000428 at a driver whose signature it does not accept; without Secure Boot "
    "it accepts this one.",
    UNCERTAIN: "The loader stops with 0xc0000428 if it does not accept the driver's signature; it may accept this one.",
    CATALOG: "The loader can find a driver by a catalog, which takes it longer; a signature in the file is the rule.",
}


def _warning(
    finding_id: str, judged: "JudgedDriver", control_set: str, what: str, evidence: tuple[str, ...]
) -> Finding:
    title = f"the driver file {judged.path} {what} ({control_set})"
    return Finding(finding_id, Severity.WARNING, title, _EXPLAINED[finding_id], evidence)


def _is_foreign(link: LinkFacts) -> bool:
    """Whether the driver is known not to be one that Windows ships."""
    match link.binding:
        case DatabaseBinding(version=version, inf=inf):
            is_own = inf.casefold().startswith(OWN_PREFIX)
            return is_own or (version is not None and not version.is_inbox)
        case CriticalDevice(service=service, package_id=None):
            return service is not None and service.casefold() not in {each.casefold() for each in link.link.services}
    return False


def _find(guest: Guest) -> tuple[Finding, ...]:
    facts = guest.facts
    if facts is None or (facts.architecture is Architecture.X86 and not guest.secure_boot):
        return ()
    return check(facts, guest.judge_driver)


CHECK = Check(Stage.CONTROLLER, 70, DOCS, _find)
