"""What it would take to start the machine on each target: the verdicts of all of them, side by side."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose, is_outside, within
from bootgraft.checks.finding import Finding, Prospect, Remedy, Severity
from bootgraft.checks.guest import Guest
from bootgraft.targets.controllers import CONTROLLERS, Controller

_NO_SOURCE = (Prospect.BOOTS, Prospect.FIXABLE, Prospect.OPTION)
"""What takes nothing from outside."""


class Outlook(Struct, frozen=True):
    """One target's row: its diagnosis, what it takes, and the finding that decides this; None where it boots."""

    controller: Controller
    diagnosis: Diagnosis
    prospect: Prospect
    decided_by: Finding | None

    @property
    def options(self) -> tuple[str, ...]:
        """The options of ``repair`` without which it leaves as it is what stops the start, or may."""
        fixable = (each for each in _that_count(self.diagnosis) if each.fixable and not is_outside(each))
        return tuple(dict.fromkeys(each.option for each in fixable if each.option is not None))


def outlooks(guest: Guest, controllers: Iterable[Controller] = CONTROLLERS) -> tuple[Outlook, ...]:
    """The outlook of each controller. Raises HiveError and FileSystemError for damage on the way."""
    return tuple(outlook(diagnose(guest.on(each)), each) for each in controllers)


def outlook(diagnosis: Diagnosis, controller: Controller) -> Outlook:
    """What it takes on one controller, by its diagnosis."""
    for prospect, finding in _in_the_way(diagnosis):
        return Outlook(controller, diagnosis, prospect, finding)
    boots = diagnosis.verdict is Verdict.BOOTS
    return Outlook(controller, diagnosis, Prospect.BOOTS if boots else Prospect.UNKNOWN, None)


def alternatives(diagnosis: Diagnosis, guest: Guest) -> tuple[Outlook, ...]:
    """The hypervisor's other targets for which nothing is needed from outside, those first that need no repair.

    None where the diagnosis of this guest does not lack a driver. Raises HiveError and FileSystemError for damage on
    the way.
    """
    lacks = any(each.remedy is Remedy.DRIVER for each in diagnosis.blockers)
    if diagnosis.facts is None or not lacks:
        return ()
    given = diagnosis.facts.controller
    others = (each for each in CONTROLLERS if each.hypervisor == given.hypervisor and each != given)
    easy = [each for each in outlooks(guest, others) if each.prospect in _NO_SOURCE]
    return tuple(sorted(easy, key=lambda each: each.prospect is not Prospect.BOOTS))


def _in_the_way(diagnosis: Diagnosis) -> Iterator[tuple[Prospect, Finding]]:
    """What keeps the verdict from being better, the worst first."""
    in_the_way = _that_count(diagnosis)
    inside, outside = within(in_the_way), (each for each in in_the_way if is_outside(each))
    stops = (each for each in inside if each.severity is Severity.BLOCKER)
    yield from ((Prospect.CANNOT, each) for each in stops if each.remedy is Remedy.NONE)
    yield from ((Prospect.UNKNOWN, each) for each in inside if each.remedy is Remedy.NONE)
    if diagnosis.facts is None or diagnosis.chain.default is None:  # what lies behind these is not known yet
        yield from ((Prospect.UNKNOWN, each) for each in in_the_way)
    yield from ((Prospect.OUTSIDE, each) for each in outside)
    yield from ((Prospect.DRIVER, each) for each in inside if each.remedy is Remedy.DRIVER)
    yield from ((Prospect.BOOT_CODE, each) for each in inside if each.remedy is Remedy.BOOT_CODE)
    yield from ((Prospect.OPTION, each) for each in inside if each.option is not None)
    yield from ((Prospect.FIXABLE, each) for each in inside)


def _that_count(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """The findings that keep the verdict from being better."""
    return tuple(each for each in diagnosis.findings if each.severity is Severity.BLOCKER or each.leaves_open)
