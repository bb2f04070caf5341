"""All checks on one machine for one target, and the verdict that follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bootgraft.boot.chain import BootChain
from bootgraft.boot.hibernation import SavedSession
from bootgraft.boot.unusable import Unusable
from bootgraft.checks.chain import (
    boot_chain,
    boot_loader,
    boot_menu,
    boot_sector,
    boot_store,
    boot_switches,
    dynamic_disk,
    encryption,
    foreign_volume,
    uefi_fallback,
)
from bootgraft.checks.controller import (
    boot_service,
    device_binding,
    driver_file,
    driver_imports,
    driver_signature,
    enum_instance,
    own_driver,
    start_override,
    target,
)
from bootgraft.checks.controller.facts import ControllerFacts, gather
from bootgraft.checks.finding import Finding, FindingDoc, Severity
from bootgraft.checks.identity import disk_information, disk_signature, drive_letter, gpt_attributes
from bootgraft.checks.identity.identity_facts import IdentityFacts
from bootgraft.checks.machine import (
    hibernation,
    hive_integrity,
    hive_size,
    last_known_good,
    pending_transactions,
    vm_firmware,
    volume_state,
)
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.driver_database import has_database
from bootgraft.windows.installation import Installation

STORAGE_CHECKS: tuple[Callable[[ControllerFacts], tuple[Finding, ...]], ...] = (
    device_binding.check,
    boot_service.check,
    start_override.check,
    driver_file.check,
    driver_imports.check,
    driver_signature.check,
    enum_instance.check,
)
"""Each a pure function of the facts; together the conjunction that gate 4 is."""

IDENTITY_CHECKS: tuple[Callable[[IdentityFacts], tuple[Finding, ...]], ...] = (
    disk_signature.check,
    gpt_attributes.check,
    drive_letter.check,
    disk_information.check,
)
"""Who is which disk and volume: the same for every target, and all that is needed to mend it is on the disks."""

DOCS: tuple[FindingDoc, ...] = (
    *boot_chain.DOCS,
    *boot_menu.DOCS,
    boot_switches.DOC,
    *boot_loader.DOCS,
    *boot_store.DOCS,
    *uefi_fallback.DOCS,
    *boot_sector.DOCS,
    *device_binding.DOCS,
    *boot_service.DOCS,
    start_override.DOC,
    *driver_file.DOCS,
    driver_imports.DOC,
    driver_signature.DOC,
    enum_instance.DOC,
    *disk_signature.DOCS,
    gpt_attributes.DOC,
    *drive_letter.DOCS,
    disk_information.DOC,
    volume_state.DOC,
    *hibernation.DOCS,
    *encryption.DOCS,
    *foreign_volume.DOCS,
    *dynamic_disk.DOCS,
    hive_integrity.DOC,
    hive_size.DOC,
    last_known_good.DOC,
    pending_transactions.DOC,
    *target.DOCS,
    vm_firmware.DOC,
)
"""Every finding id that bootgraft knows."""


class Verdict(StrEnum):
    """Whether the machine would boot; UNKNOWN is never better than a guess, so it counts as no."""

    BOOTS = "boots"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came of the checks. ``facts`` is None where the controller was not looked at."""

    chain: BootChain
    installation: Installation | None
    controller: Controller | None
    facts: ControllerFacts | None
    findings: tuple[Finding, ...]
    verdict: Verdict

    @property
    def stop_code(self) -> str | None:
        """The STOP code that the first blocker leads to, as ``0x7b``: a machine comes only as far as that one."""
        return self.blockers[0].stop_code if self.blockers else None

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that stop the boot."""
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKER)

    def with_findings(self, further: Sequence[Finding], *, first: bool = False) -> "Diagnosis":
        """The same with further findings (``first``: before the others), and with the verdict that follows."""
        blocked = any(finding.severity is Severity.BLOCKER for finding in further)
        verdict = Verdict.BLOCKED if blocked else self.verdict
        findings = (*further, *self.findings) if first else (*self.findings, *further)
        return replace(self, findings=findings, verdict=verdict)


def chain_findings(chain: BootChain) -> tuple[Finding, ...]:
    """What stands in the way before any Windows is looked at. ``repair`` mends these first, then looks again."""
    return (
        *boot_chain.check(chain),
        *boot_menu.check(chain),
        *boot_switches.check(chain),
        *boot_loader.check(chain),
        *boot_store.check(chain),
        *uefi_fallback.check(chain),
        *boot_sector.check(chain),
    )


def identity_findings(identity: IdentityFacts) -> tuple[Finding, ...]:
    """What is wrong with the names of disks and volumes. ``repair`` mends these in the same rounds as the chain."""
    return tuple(finding for check in IDENTITY_CHECKS for finding in check(identity))


def diagnose(
    chain: BootChain,
    installation: Installation | None,
    hive: Hive | None,
    controller: Controller | None,
    sessions: Sequence[SavedSession] = (),
    identity: IdentityFacts | None = None,
    unusable: Unusable | None = None,
) -> Diagnosis:
    """Run every check that applies, in the order in which a start meets what they look at.

    ``installation`` and ``hive`` (its SYSTEM) are None where the chain arrives at no Windows; ``sessions`` are those
    that were found asleep on the machine; ``unusable`` says why the volume that matters is no ordinary one.
    """
    findings = [*chain_findings(chain), *hibernation.check(sessions, installation, hive), *_unusable(unusable)]
    facts = None
    judged = False
    if installation is not None and hive is not None:
        findings += volume_state.check(installation.volume.name, installation.volume.filesystem().obstacles)
        findings += dynamic_disk.check_drivers(installation, hive)
        findings += last_known_good.check(installation)
        findings += hive_size.check(installation, hive.cells.bins_size)
        findings += pending_transactions.check(hive.name, hive.pending)
        if controller is None:
            findings.append(target.no_target())
        elif not target.is_judged(installation, has_database=has_database(hive)):
            findings.append(target.not_judged(installation, controller, has_database=has_database(hive)))
        else:
            judged = True
            findings += target.check(installation, controller)
            facts = gather(installation, hive, controller)
            found = [finding for check in STORAGE_CHECKS for finding in check(facts)]
            findings += own_driver.offer(installation, hive, facts, found)
    if identity is not None:  # after the storage driver: a wrong letter is only met at the log-on
        findings += identity_findings(identity)
    return Diagnosis(chain, installation, controller, facts, tuple(findings), _verdict(chain, findings, judged=judged))


def _unusable(cause: Unusable | None) -> tuple[Finding, ...]:
    return (*encryption.check(cause), *foreign_volume.check(cause), *dynamic_disk.check(cause))


def _verdict(chain: BootChain, findings: list[Finding], *, judged: bool) -> Verdict:
    if any(f.severity is Severity.BLOCKER for f in findings):
        return Verdict.BLOCKED
    known = judged and chain.default is not None and not any(f.leaves_open for f in findings)
    return Verdict.BOOTS if known else Verdict.UNKNOWN
