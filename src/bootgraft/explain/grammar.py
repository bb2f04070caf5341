"""What one family of converters contributes: how its lines are read, and what its messages mean and tell."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.message import LogMessage, Tool
from bootgraft.explain.rules import DiskState, Rule
from bootgraft.explain.wrapping.unwrapping import LogLine


class LineReader(Protocol):
    """Takes the lines of one file, gives its messages."""

    def feed(self, line: LogLine) -> tuple[LogMessage, ...] | None:
        """The messages that this line completes, None where the line is no message of this converter's."""

    def end(self) -> tuple[LogMessage, ...]:
        """What still waited for its next line: the file ends, or the line is another converter's."""


def _never(_message: LogMessage) -> bool:
    return False


def _unknown(_conversion: Conversion) -> DiskState:
    return DiskState.UNKNOWN


class Grammar(Struct, frozen=True, eq=False):
    """The logs of one family of converters.

    ``words``: a message that a rule fits has one of these (in lower case); looking for them first is what makes
    gigabytes bearable. ``learn`` adds to what is known of the conversion what a message says of it. A message that
    ``starts`` begins a new run; one that ``finishes`` says that the run came to its end, one that ``recovers`` that
    what had failed has succeeded. ``disk_after`` tells the state of the target disk after an error that is not known.
    """

    tools: tuple[Tool, ...]
    rules: tuple[Rule, ...]
    words: tuple[str, ...]
    reader: Callable[[], LineReader]
    learn: Callable[[Conversion, LogMessage], Conversion]
    starts: Callable[[LogMessage], bool] = _never
    finishes: Callable[[LogMessage], bool] = _never
    recovers: Callable[[LogMessage], bool] = _never
    disk_after: Callable[[Conversion], DiskState] = _unknown

    def rule_for(self, text: str) -> Rule | None:
        """The first rule that fits a message, in the order of the grammar."""
        flat = " ".join(text.split())
        low = flat.lower()
        if not any(word in low for word in self.words):
            return None
        return next((rule for rule in self.rules if rule.pattern.search(flat)), None)
