"""What was seen in a log, where and how often, in bounded memory."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.explain.message import Level
from bootgraft.explain.rules import Rule

ONE_JOB = timedelta(minutes=15)
"""What lies further before the last failure belongs to an earlier job."""
MAX_DIFFERENT = 40
"""Messages that differ which are kept; the first of them and the last, where there are more."""
CONTEXT = 3
"""Lines before and after an error that is not known."""

_FIRST = 10
_KEY = 200
_NUMBER = re.compile(r"\d+")


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
    """A rule that fits, how often, and where it did first and last in its job."""

    rule: Rule
    count: int
    first: Evidence
    last: Evidence


class Unknown(Struct, frozen=True):
    """A message that no rule knows, with the lines around its first occurrence."""

    count: int
    first: Evidence
    last: Evidence
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def later_job(last: Evidence, now: Evidence) -> bool:
    """Whether one message is so much later than another that it is of another job."""
    return last.when is not None and now.when is not None and now.when - last.when > ONE_JOB


class Tally:
    """Messages that no rule knows: those that differ by numbers only are one."""

    def __init__(self) -> None:
        self._seen: dict[str, Unknown] = {}
        self.dropped = 0

    def __iter__(self) -> Iterator[Unknown]:
        return iter(self._seen.values())

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, evidence: Evidence, before: tuple[str, ...] = ()) -> str | None:
        """Count a message. Returns its key where it is new, to add to the lines after it."""
        key = _NUMBER.sub("0", evidence.text[:_KEY])
        known = self._seen.get(key)
        if known is not None and not later_job(known.last, evidence):
            self._seen[key] = replace(known, count=known.count + 1, last=evidence)
            return None
        self._seen.pop(key, None)
        count = known.count + 1 if known is not None else 1
        self._seen[key] = Unknown(count, evidence, evidence, before)
        if len(self._seen) > MAX_DIFFERENT:
            self._drop(evidence)
        return key

    def follow(self, key: str, text: str, number: int) -> bool:
        """Add a line after a message. Returns whether more are wanted."""
        known = self._seen.get(key)
        if known is None or len(known.after) >= CONTEXT:
            return False
        if number > known.first.number:
            self._seen[key] = replace(known, after=(*known.after, text))
        return True

    def take(self, other: "Tally") -> None:
        """Take over what another one has."""
        for key, each in other._seen.items():  # of the same class
            self._seen[key] = each
            if len(self._seen) > MAX_DIFFERENT:
                self._drop(each.last)
        self.dropped += other.dropped

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()
        self.dropped = 0

    def _drop(self, now: Evidence) -> None:
        """Make room: of earlier jobs first, then between the first messages, which are causes, and the last."""
        keys = list(self._seen)
        old = next((key for key in keys if later_job(self._seen[key].last, now)), keys[_FIRST])
        del self._seen[old]
        self.dropped += 1
