"""What the logs tell: which conversion, what failed first and what followed from it, what is left on the disk."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.explain.evidence import ONE_JOB, Evidence, Match, Tally, Unknown
from bootgraft.explain.rules import DiskState, MessageKind, Phase
from bootgraft.explain.run import ConversionRun

Seen = TypeVar("Seen", Match, Unknown)

_SAYS_NOTHING = re.compile(
    r"Task failed:?$|(?:Error executing v2v command:|Failed to execute virt-v2v command) exit status \d+$"
    r"|qemu-img execution failed$"
)


class ConversionOutcome(StrEnum):
    """How the conversion ended."""

    FAILED = "failed"  # with a failure that is known
    UNKNOWN = "unknown"  # with an error that is not
    CAVEAT = "caveat"  # it went through, with limitations
    SUCCEEDED = "succeeded"
    NO_FAILURE = "no-failure"  # neither a failure nor the end is in the log


class LogReport(Struct, frozen=True):
    """What the logs tell. ``primary`` is what the answer leads with; ``matches`` and ``unknown`` are in order of time.

    ``said`` are the other warnings and errors, of which ``unsaid`` more that differ were not kept. ``earlier`` counts
    the failures that belong to jobs before, ``others`` the conversions that ran at the same time, with
    ``others_failed`` of them; ``phase`` and ``disk`` are those of the primary match, corrected by what else the log
    shows. ``cut`` counts lines too long to be read whole.
    """

    conversion: Conversion
    outcome: ConversionOutcome
    primary: Match | None
    phase: Phase | None
    disk: DiskState
    matches: tuple[Match, ...]
    unknown: tuple[Unknown, ...]
    said: tuple[Unknown, ...]
    unsaid: int
    earlier: int
    others: int
    others_failed: int
    files: int
    messages: int
    last_time: str
    cut: int


class Totals(Struct, frozen=True):
    """What was counted over all runs."""

    files: int
    messages: int
    earlier: int
    last_time: str
    cut: int


def report_of(runs: Sequence[ConversionRun], around: Tally, totals: Totals) -> LogReport:
    """One report: of the run that failed last, else of the last one.

    ``around`` are failures that the programs around the converter wrote: they count where the converter tells of none.
    """
    run = max(runs, key=lambda each: (each.failures > 0, each.last_order))
    others = [each for each in runs if each is not run and each.messages]
    since = _job_began([*run.matches.values(), *run.unknown])
    matches = _of_job(run.matches.values(), since)
    unknown = _of_job(run.unknown, since)
    earlier = len(run.matches) + len(run.unknown) - len(matches) - len(unknown)
    unknown = [each for each in unknown if not _SAYS_NOTHING.match(each.first.text)] or ([] if matches else unknown)
    said, aside = _of_job(run.said, since), _of_job(around, since)
    if unknown or run.finished or any(each.rule.kind is not MessageKind.CAVEAT for each in matches):
        said = sorted([*said, *aside], key=lambda each: each.first.order)
    else:
        unknown = aside
    primary = _primary(matches, unknown)
    phase, disk = _left(primary, matches, run.conversion)
    return LogReport(
        conversion=run.conversion,
        outcome=_outcome(primary, unknown, finished=run.finished),
        primary=primary,
        phase=phase,
        disk=disk,
        matches=tuple(matches),
        unknown=tuple(unknown),
        said=tuple(said),
        unsaid=run.said.dropped + around.dropped,
        earlier=totals.earlier + run.earlier + earlier,
        others=len(others),
        others_failed=sum(each.failures > 0 for each in others),
        files=totals.files,
        messages=totals.messages,
        last_time=totals.last_time,
        cut=totals.cut,
    )


def _job_began(failures: Sequence[Match | Unknown]) -> datetime:
    """When the last job that failed began, at the latest."""
    moments = [each.last.when for each in failures if each.last.when]
    return max(moments) - ONE_JOB if moments and max(moments) - datetime.min > ONE_JOB else datetime.min


def _of_job(seen: Iterable[Seen], since: datetime) -> list[Seen]:
    """What belongs to that job, in order of time."""
    kept = (each for each in seen if each.last.when is None or each.last.when >= since)
    return sorted(kept, key=lambda each: _place(each.first))


def _place(evidence: Evidence) -> tuple[datetime, int]:
    return evidence.when or datetime.max, evidence.order


def _primary(matches: Sequence[Match], unknown: Sequence[Unknown]) -> Match | None:
    """The first cause or else symptom, or what explains that; else a hint that answers alone; else a limitation."""

    def first(kind: MessageKind) -> Match | None:
        return next((each for each in matches if each.rule.kind is kind), None)

    failure = first(MessageKind.CAUSE) or first(MessageKind.SYMPTOM)
    if failure is not None:
        return next((each for each in matches if failure.rule.id in each.rule.explains), failure)
    if unknown:
        return None
    return next((each for each in matches if each.rule.answers_alone), None) or first(MessageKind.CAVEAT)


def _outcome(primary: Match | None, unknown: Iterable[Unknown], *, finished: bool) -> ConversionOutcome:
    if primary is not None:
        return ConversionOutcome.CAVEAT if primary.rule.kind is MessageKind.CAVEAT else ConversionOutcome.FAILED
    if unknown:
        return ConversionOutcome.UNKNOWN
    return ConversionOutcome.SUCCEEDED if finished else ConversionOutcome.NO_FAILURE


def _left(primary: Match | None, matches: Sequence[Match], conversion: Conversion) -> tuple[Phase | None, DiskState]:
    """How far it came, and what the target disk holds."""
    if primary is None:
        return None, _disk_without_rule(conversion)
    rule = primary.rule
    if rule.phase is Phase.CONNECTING:  # only what failed of it tells when that was
        failures = [each.rule for each in matches if each.rule.kind is not MessageKind.HINT]
        then = [each for each in failures if each.phase is not Phase.CONNECTING]
        then.sort(key=lambda each: each.phase is not Phase.RECONFIGURING)
        return (then[0].phase, then[0].disk) if then else (rule.phase, rule.disk)
    if rule.phase is Phase.CONVERTING and rule.kind is not MessageKind.CAVEAT and not _copies(conversion):
        return rule.phase, DiskState.UNKNOWN
    return rule.phase, rule.disk


def _copies(conversion: Conversion) -> bool:
    return conversion.tool is not None and conversion.tool.copies


def _disk_without_rule(conversion: Conversion) -> DiskState:
    """The state after an error that no rule knows."""
    for grammar in GRAMMARS:
        if conversion.tool in grammar.tools:
            return grammar.disk_after(conversion)
    return DiskState.UNKNOWN
