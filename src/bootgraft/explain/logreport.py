"""From the lines of all files to one report: which conversion, what failed first, what is left on the disk."""

import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.explain.catalogue import GRAMMARS
from bootgraft.explain.conversion import Conversion
from bootgraft.explain.grammar import Grammar, LineReader
from bootgraft.explain.message import Level, LogMessage
from bootgraft.explain.reading import Line
from bootgraft.explain.rules import DiskState, MessageKind, Phase, Rule

CONTEXT = 3
"""Lines before and after an error that is not known."""
ONE_JOB = timedelta(minutes=15)
"""What lies further before the last failure belongs to an earlier job."""

_MAX_UNKNOWN = 40
_MAX_TEXT = 2000
_SHOWN_CONTEXT = 400
_NUMBER = re.compile(r"\d+")
_SAYS_NOTHING = ("Task failed:", "Task failed")


class ConversionOutcome(StrEnum):
    """How the conversion ended."""

    FAILED = "failed"  # with a failure that is known
    UNKNOWN = "unknown"  # with an error that is not
    CAVEAT = "caveat"  # it went through, but lacks something
    SUCCEEDED = "succeeded"
    NO_FAILURE = "no-failure"  # neither a failure nor the end is in the log


class Evidence(Struct, frozen=True):
    """One message: ``order`` counts over all files, ``when`` is the last time that its file named."""

    file: str
    number: int
    order: int
    when: datetime | None
    time: str
    part: str
    level: Level
    text: str


class Match(Struct, frozen=True):
    """A rule that fits, how often, and where it did last."""

    rule: Rule
    count: int
    last: Evidence


class Unknown(Struct, frozen=True):
    """An error that no rule knows, with the lines around its last occurrence."""

    count: int
    last: Evidence
    before: tuple[str, ...]
    after: tuple[str, ...]


class LogReport(Struct, frozen=True):
    """What the logs tell. ``primary`` is what the answer leads with; ``matches`` and ``unknown`` are in order of time.

    ``earlier`` counts the failures that belong to jobs before; ``phase`` and ``disk`` are those of the primary match,
    corrected by what else the log shows.
    """

    conversion: Conversion
    outcome: ConversionOutcome
    primary: Match | None
    phase: Phase | None
    disk: DiskState
    matches: tuple[Match, ...]
    unknown: tuple[Unknown, ...]
    earlier: int
    files: int
    messages: int
    last_time: str


class LogReader:
    """Takes file after file; memory stays the same however long they are."""

    def __init__(self) -> None:
        self._conversion = Conversion()
        self._matches: dict[str, Match] = {}
        self._unknown: OrderedDict[str, Unknown] = OrderedDict()
        self._finished = False
        self._order = self._files = self._messages = self._earlier = 0
        self._last_time = ""
        self._file = ""
        self._when: datetime | None = None
        self._before: deque[str] = deque(maxlen=CONTEXT)
        self._open: dict[str, int] = {}

    def read(self, file: str, source: Iterable[Line]) -> None:
        """Read one file from start to end."""
        self._file, self._when = file, None
        self._before.clear()
        self._open.clear()
        known = self._messages
        readers = [(grammar, grammar.reader()) for grammar in GRAMMARS]
        for line in source:
            self._feed(line, readers)
            self._around(line)
        self._end(readers)
        self._files += self._messages > known

    def _feed(self, line: Line, readers: Sequence[tuple[Grammar, LineReader]]) -> None:
        """Give a line to the first grammar that it belongs to."""
        for grammar, reader in readers:
            messages = reader.feed(line)
            if messages is not None:
                self._end([other for other in readers if other[1] is not reader])
                for message in messages:
                    self._take(message, grammar)
                return

    def _end(self, readers: Sequence[tuple[Grammar, LineReader]]) -> None:
        for grammar, reader in readers:
            for message in reader.end():
                self._take(message, grammar)

    def _around(self, line: Line) -> None:
        text = line.text[:_SHOWN_CONTEXT]
        for key, wanted in list(self._open.items()):
            found = self._unknown.get(key)
            if found is None or wanted <= 0:
                del self._open[key]
            elif line.number > found.last.number:
                self._unknown[key] = replace(found, after=(*found.after, text))
                self._open[key] = wanted - 1
        self._before.append(text)

    def _take(self, message: LogMessage, grammar: Grammar) -> None:
        self._messages += 1
        self._order += 1
        if grammar.starts(message):
            self._begin()
        self._conversion = grammar.learn(self._conversion, message).with_percent(message)
        if message.time:
            self._last_time, self._when = message.time, _moment(message.time)
        if grammar.finishes(message):
            self._finish(grammar)
        rule = grammar.rule_for(message.text)
        # The message itself says more than a detail of it.
        if rule is not None and not (message.is_detail and rule.id in self._matches):
            count = self._matches[rule.id].count if rule.id in self._matches else 0
            self._matches[rule.id] = Match(rule, count + 1, self._evidence(message))
        elif rule is None and message.level is Level.ERROR:
            self._take_unknown(message)

    def _begin(self) -> None:
        """Forget the run before this one, but for the number of its failures."""
        self._earlier += sum(match.rule.kind is not MessageKind.CAVEAT for match in self._matches.values()) + len(
            self._unknown
        )
        self._matches.clear()
        self._unknown.clear()
        self._open.clear()
        self._finished = False

    def _finish(self, grammar: Grammar) -> None:
        """A run that comes to its end had no failure, only a question that somebody answered."""
        self._finished = True
        for match in list(self._matches.values()):
            if match.rule in grammar.rules and match.rule.kind is not MessageKind.CAVEAT:
                del self._matches[match.rule.id]

    def _take_unknown(self, message: LogMessage) -> None:
        key = _NUMBER.sub("0", " ".join(message.text.split())[:200])
        before = self._unknown.pop(key, None)
        count = before.count + 1 if before else 1
        self._unknown[key] = Unknown(count, self._evidence(message), tuple(self._before), ())
        self._open[key] = CONTEXT
        while len(self._unknown) > _MAX_UNKNOWN:
            self._unknown.popitem(last=False)

    def _evidence(self, message: LogMessage) -> Evidence:
        text = " ".join(message.text.split())[:_MAX_TEXT]
        return Evidence(
            self._file, message.number, self._order, self._when, message.time, message.part, message.level, text
        )

    def report(self) -> LogReport:
        """What all files together tell."""
        matches, unknown, earlier = _one_job(list(self._matches.values()), list(self._unknown.values()))
        primary = _primary(matches, unknown)
        outcome = _outcome(primary, unknown, finished=self._finished)
        phase, disk = _left(primary, matches, self._conversion)
        return LogReport(
            self._conversion, outcome, primary, phase, disk, tuple(matches), tuple(unknown),
            self._earlier + earlier, self._files, self._messages, self._last_time,
        )  # fmt: skip


def _moment(time: str) -> datetime | None:
    """The wall clock of a time stamp, without its zone; None for virt-v2v's seconds since its start."""
    try:
        return datetime.fromisoformat(time[:19]) if len(time) >= 19 else None
    except ValueError:
        return None


def _one_job(matches: list[Match], unknown: list[Unknown]) -> tuple[list[Match], list[Unknown], int]:
    """What belongs to the last job that failed, in order of time, and how much does not."""
    evidence = [each.last for each in matches] + [each.last for each in unknown]
    moments = [each.when for each in evidence if each.when]
    since = max(moments) - ONE_JOB if moments and max(moments) - datetime.min > ONE_JOB else datetime.min

    def kept(evidence: Evidence) -> bool:
        return evidence.when is None or evidence.when >= since

    def place(evidence: Evidence) -> tuple[datetime, int]:
        return evidence.when or datetime.max, evidence.order

    of_job = sorted((each for each in matches if kept(each.last)), key=lambda each: place(each.last))
    errors = sorted((each for each in unknown if kept(each.last)), key=lambda each: place(each.last))
    earlier = len(matches) + len(unknown) - len(of_job) - len(errors)
    telling = [each for each in errors if each.last.text not in _SAYS_NOTHING]
    return of_job, telling or ([] if of_job else errors), earlier


def _primary(matches: Sequence[Match], unknown: Sequence[Unknown]) -> Match | None:
    """The first cause; else what explains a failed reconfiguration; else the failure itself; else what is lacking."""

    def first(kind: MessageKind) -> Match | None:
        return next((each for each in matches if each.rule.kind is kind), None)

    symptom = first(MessageKind.SYMPTOM)
    hint = first(MessageKind.HINT) if symptom and symptom.rule.phase is Phase.RECONFIGURING else None
    return first(MessageKind.CAUSE) or hint or symptom or (None if unknown else first(MessageKind.CAVEAT))


def _outcome(primary: Match | None, unknown: Sequence[Unknown], *, finished: bool) -> ConversionOutcome:
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
    return rule.phase, rule.disk


def _disk_without_rule(conversion: Conversion) -> DiskState:
    """The state after an error that no rule knows."""
    for grammar in GRAMMARS:
        if conversion.tool in grammar.tools:
            return grammar.disk_after(conversion)
    return DiskState.UNKNOWN
