"""Progress and messages: library code reports events to a monitor and never prints.

A monitor is any callable that takes an :class:`Event`; silence is :func:`silent`.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct


class EventKind(StrEnum):
    """What an event tells."""

    STEP = "step"  # a new stretch of work began; text names it
    NOTE = "note"  # something worth saying in verbose mode
    WARNING = "warning"  # something the user should know even in quiet mode


class Event(Struct, frozen=True):
    """One message; ``done`` and ``total`` are bytes, both 0 where no progress can be told."""

    kind: EventKind
    text: str
    done: int = 0
    total: int = 0


Monitor = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Take an event and say nothing."""
