"""Progress and messages: library code reports events to a monitor and never prints.

A monitor is any callable that takes an :class:`Event`; silence is :func:`silent`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

INTERVAL = 0.25
"""Seconds between two events that tell how far a step is: no work gets slower by them."""


class EventKind(StrEnum):
    """What an event tells."""

    STEP = "step"  # a new stretch of work began; text names it
    PROGRESS = "progress"  # how far the step with this text is
    NOTE = "note"  # something worth saying in verbose mode
    WARNING = "warning"  # something the user should know even in quiet mode


class Unit(StrEnum):
    """What a step's progress is counted in."""

    BYTES = "bytes"
    INFS = "INFs"


class Event(Struct, frozen=True):
    """One message; ``done`` of ``total`` units, ``total`` 0 where it is not known or nothing is counted."""

    kind: EventKind
    text: str
    done: int = 0
    total: int = 0
    unit: Unit = Unit.BYTES


Monitor = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Take an event and say nothing."""


class Progress:
    """A step of which it is told how far it is: when it begins, and then not more often than every INTERVAL."""

    def __init__(self, monitor: Monitor, text: str, total: int = 0, unit: Unit = Unit.BYTES) -> None:
        self._monitor = monitor
        self._text = text
        self._total = total
        self._unit = unit
        self._next = time.monotonic() + INTERVAL
        self.done = 0
        monitor(Event(EventKind.STEP, text, 0, total, unit))

    def advance(self, amount: int) -> None:
        """Count what was done since the last call."""
        self.done += amount
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self._monitor(Event(EventKind.PROGRESS, self._text, self.done, self._total, self._unit))

    def counting(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted as they are taken."""
        for chunk in chunks:
            self.advance(len(chunk))
            yield chunk
