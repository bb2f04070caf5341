"""Who leads to what the screen shows: of what was found, of what was looked for, and of what could not be looked at."""

from collections.abc import Iterable

from msgspec import Struct

from bootgraft.checks.catalogue import checks, documentation
from bootgraft.checks.check import Check
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding, Need, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.screens import explains
from bootgraft.checks.symptom import Symptom


class Unexplained(Struct, frozen=True):
    """A blocker that was found and leads to something else, ``shows``; nothing is known to show where that is empty."""

    id: str
    shows: tuple[Symptom, ...]


class NotLookedAt(Struct, frozen=True):
    """Findings that lead to the symptom, and what it would have taken to look for them."""

    ids: tuple[str, ...]
    need: Need
    why: str


class Suspects(Struct, frozen=True):
    """The ids of findings, seen from a symptom.

    ``explained_by`` are blockers that were found and lead to it, ``perhaps`` what else was found that does. Of those
    that were not found, ``looked_at`` are known to lead to it and were looked for. ``of_target`` says that some of
    these were looked for on the one controller that was given.
    """

    symptom: Symptom
    explained_by: tuple[str, ...]
    perhaps: tuple[str, ...]
    unexplained: tuple[Unexplained, ...]
    looked_at: tuple[str, ...]
    not_looked_at: tuple[NotLookedAt, ...]
    of_target: bool

    @property
    def found(self) -> tuple[str, ...]:
        """The ids of all that was found and leads to it."""
        return (*self.explained_by, *self.perhaps)

    def first(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings with those first that lead to it, the others in the order that they had."""
        return tuple(sorted(findings, key=lambda each: each.id not in self.found))


def find_suspects(symptom: Symptom, diagnosis: Diagnosis, guest: Guest) -> Suspects:
    """Sort what is known to lead to the symptom; ``guest`` is the one that the diagnosis is of."""
    shows = {doc.id: doc.symptoms for doc in documentation()}
    blockers = _ids(each for each in diagnosis.findings if each.severity is Severity.BLOCKER)
    others = tuple(each for each in _ids(diagnosis.findings) if each not in blockers)
    missing: dict[tuple[Need, str], list[str]] = {}
    looked_at: dict[str, Need] = {}
    for check in (check for stage in Stage for check in checks(stage, guest)):
        lacking = _lacking(check, guest)
        for doc in check.docs:
            if not explains(doc.symptoms, symptom) or doc.id in (*blockers, *others):
                continue
            if lacking is None:
                looked_at[doc.id] = check.need
            else:
                missing.setdefault(lacking, []).append(doc.id)
    return Suspects(
        symptom,
        explained_by=tuple(each for each in blockers if explains(shows[each], symptom)),
        perhaps=tuple(each for each in others if explains(shows[each], symptom)),
        unexplained=tuple(Unexplained(each, shows[each]) for each in blockers if not explains(shows[each], symptom)),
        looked_at=tuple(looked_at),
        not_looked_at=tuple(NotLookedAt(tuple(ids), need, why) for (need, why), ids in missing.items()),
        of_target=Need.TARGET in looked_at.values(),
    )


def _ids(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.id for each in findings))


def _lacking(check: Check, guest: Guest) -> tuple[Need, str] | None:
    """What the check lacked to look at, in words that follow "because"; None where it could look."""
    if check.need is Need.DESCRIPTION:
        return None if guest.described else (Need.DESCRIPTION, "no description of the new machine was given (--vm)")
    if check.need is Need.NOTHING:
        return None
    if guest.installation is None or guest.hive is None:
        return (Need.WINDOWS, "the boot chain does not arrive at a Windows")
    if check.stage is Stage.CORE and guest.core is None:
        return (Need.WINDOWS, "the version of this Windows is not known")
    if check.need is Need.TARGET and guest.controller is None:
        return (Need.TARGET, "no target was given (--target)")
    if check.need is Need.TARGET and guest.facts is None:
        return (Need.TARGET, "this Windows cannot be judged on the target")
    return None
