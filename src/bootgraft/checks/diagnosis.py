"""All checks on one machine for one target, and the verdict that follows."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.boot.chain import BootChain
from bootgraft.checks.catalogue import checks
from bootgraft.checks.controller.facts import ControllerFacts
from bootgraft.checks.finding import FaultPlace, Finding, Remedy, Severity, Stage
from bootgraft.checks.finding import Verdict as Verdict
from bootgraft.checks.guest import Guest
from bootgraft.targets.controllers import Controller
from bootgraft.windows.installation import Installation


class Diagnosis(Struct, frozen=True):
    """What came of the checks. ``facts`` is None where the controller was not looked at.

    ``verdict`` is the machine's, ``image_verdict`` that of its disks alone: what it would be if all that lies outside
    the image were fixed. Where they differ, there is something left to do there.
    """

    chain: BootChain
    installation: Installation | None
    controller: Controller | None
    facts: ControllerFacts | None
    findings: tuple[Finding, ...]
    verdict: Verdict
    image_verdict: Verdict

    @property
    def stop_code(self) -> str | None:
        """The STOP code that the first blocker leads to, as ``0x7b``: a machine comes only as far as that one."""
        return self.blockers[0].stop_code if self.blockers else None

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that stop the boot."""
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKER)

    @property
    def outside(self) -> tuple[Finding, ...]:
        """The findings to be fixed outside the image before it boots, or before it can be determined."""
        return tuple(f for f in self.findings if is_outside(f) and (f.severity is Severity.BLOCKER or f.leaves_open))

    def with_findings(self, further: Sequence[Finding]) -> "Diagnosis":
        """The same with further findings, and with the verdict that follows."""
        verdict = judge(further, otherwise=self.verdict)
        image_verdict = judge(within(further), otherwise=self.image_verdict)
        return replace(self, findings=(*self.findings, *further), verdict=verdict, image_verdict=image_verdict)


def findings_of(guest: Guest, stage: Stage) -> tuple[Finding, ...]:
    """What the checks of one stage find, in the order in which a start meets what they look at.

    ``repair`` fixes what it finds in the chain and among the identities of disks and volumes first, then looks again.
    """
    key = (stage, guest.controller)
    if key not in guest.found:
        guest.found[key] = guest.choice.apply(_look(guest, stage))
    return guest.found[key]


def diagnose(guest: Guest) -> Diagnosis:
    """Run every check, stage by stage."""
    found = {stage: findings_of(guest, stage) for stage in Stage}
    facts = guest.facts
    if facts is not None and guest.own_drivers is not None:
        found[Stage.CONTROLLER] = tuple(guest.own_drivers.offer(facts, found[Stage.CONTROLLER]))
    everything = tuple(finding for stage in Stage for finding in found[stage])
    reached = Verdict.BOOTS if facts is not None and guest.chain.default is not None else Verdict.UNKNOWN
    return Diagnosis(
        guest.chain,
        guest.installation,
        guest.controller,
        facts,
        everything,
        verdict=judge(everything, otherwise=reached),
        image_verdict=judge(within(everything), otherwise=reached),
    )


def _look(guest: Guest, stage: Stage) -> list[Finding]:
    found = [
        (check, finding)
        for check in checks(stage, guest)
        if check.find
        for finding in guest.look((stage, check.rank), check.find)
    ]
    explained = any(finding.explains for _, finding in found)
    return [finding for check, finding in found if not (check.general and explained)]


def judge(found: Iterable[Finding], *, otherwise: Verdict) -> Verdict:
    """The verdict that findings lead to; ``otherwise`` is what it is without any."""
    found = tuple(found)
    if any(f.severity is Severity.BLOCKER for f in found):
        return Verdict.BLOCKED
    is_open = otherwise is Verdict.BOOTS and any(f.leaves_open for f in found)
    return Verdict.UNKNOWN if is_open else otherwise


def within(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings whose fault lies in the image."""
    return tuple(f for f in found if not is_outside(f))


def is_outside(finding: Finding) -> bool:
    """Nothing that is written to the image puts it right: it lies elsewhere, or is to be left as it is."""
    return finding.fault_in is FaultPlace.OUTSIDE or finding.remedy is Remedy.SKIPPED
