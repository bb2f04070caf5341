"""One run of one converter: what its messages tell, as they come."""

from collections import deque

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.evidence import CONTEXT, Evidence, Match, Tally, later_job
from bootgraft.explain.grammar import Grammar
from bootgraft.explain.message import Level, LogMessage
from bootgraft.explain.rules import MessageKind, Rule

_SHOWN_CONTEXT = 400


_FAILURES = (MessageKind.CAUSE, MessageKind.SYMPTOM)


def _only_warned(message: LogMessage, rule: Rule) -> bool:
    """Whether a converter that ends at its first error says only as a warning what would be a failure."""
    return message.level is Level.WARNING and not message.tool.goes_on and rule.kind in _FAILURES


class ConversionRun:
    """Takes messages; memory stays the same however many they are.

    ``unknown`` has the errors that no rule knows, ``said`` the warnings, and the errors that ended nothing;
    ``earlier`` counts the failures of runs before this one.
    """

    def __init__(self) -> None:
        self.conversion = Conversion()
        self.matches: dict[str, Match] = {}
        self.unknown = Tally()
        self.said = Tally()
        self.finished = False
        self.messages = self.earlier = self.last_order = 0
        self._before: deque[tuple[int, str]] = deque(maxlen=CONTEXT + 1)
        self._open: list[str] = []

    def surround(self, text: str, number: int) -> None:
        """A line of the run, whatever it is: what stands around an error that is not known."""
        text = text[:_SHOWN_CONTEXT]
        if self._open:
            self._open = [key for key in self._open if self.unknown.follow(key, text, number)]
        self._before.append((number, text))

    def forget_surroundings(self) -> None:
        """The next line is of another file."""
        self._before.clear()
        self._open.clear()

    def take(self, message: LogMessage, grammar: Grammar, evidence: Evidence) -> None:
        """Learn from a message."""
        self.messages += 1
        self.last_order = evidence.order
        if grammar.starts(message):
            self._begin()
        self.conversion = grammar.learn(self.conversion, message).with_percent(message)
        if grammar.finishes(message):
            self._finish(grammar)
        elif grammar.recovers(message):
            self._recover(grammar)
        rule = grammar.rule_for(message.text)
        if rule is not None and not _only_warned(message, rule):
            self._take_known(rule, message, evidence)
        elif message.level is Level.ERROR:
            self.finished = False
            before = [text for number, text in self._before if number < evidence.number]
            key = self.unknown.add(evidence, tuple(before[-CONTEXT:]))
            self._open += [key] if key else []
        elif message.level is Level.WARNING:
            self.said.add(evidence)

    @property
    def failures(self) -> int:
        """How many different messages tell of one."""
        return sum(match.rule.kind is not MessageKind.CAVEAT for match in self.matches.values()) + len(self.unknown)

    def _take_known(self, rule: Rule, message: LogMessage, evidence: Evidence) -> None:
        known = self.matches.get(rule.id)
        if known is not None and later_job(known.last, evidence):
            known = None
        # The message itself says more than a detail of it.
        if known is None:
            self.matches[rule.id] = Match(rule, 1, evidence, evidence)
        elif not message.is_detail:
            self.matches[rule.id] = Match(rule, known.count + 1, known.first, evidence)

    def _begin(self) -> None:
        """Forget the run before this one, but for the number of its failures."""
        self.earlier += self.failures
        self.conversion = Conversion()
        self.matches.clear()
        self.unknown.clear()
        self.said.clear()
        self._open.clear()
        self.finished = False

    def _finish(self, grammar: Grammar) -> None:
        """A run that comes to its end had no failure, only questions that were answered and errors that it survived."""
        self.finished = True
        self._recover(grammar)
        self.said.take(self.unknown)
        self.unknown.clear()
        self._open.clear()

    def _recover(self, grammar: Grammar) -> None:
        for match in list(self.matches.values()):
            if match.rule in grammar.rules and match.rule.kind is not MessageKind.CAVEAT:
                del self.matches[match.rule.id]
