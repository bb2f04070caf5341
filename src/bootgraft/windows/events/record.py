"""One record of an event log, whichever format it was read from, and the clocks that logs are written by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

MAX_READ = 2 << 20
"""Bytes that are read of one log: some thousands of records, dozens of starts."""
Wanted = Callable[[str, int], bool]
"""Whether records of this source (in lower case) and id are to be read in full."""
Enough = Callable[[list["EventRecord"]], bool]
"""Whether these records, the newest first, go back far enough: asked after each."""
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MAX_FILETIME = (datetime(9999, 1, 1, tzinfo=UTC) - _FILETIME_EPOCH) // timedelta(microseconds=1) * 10


class EventRecord(Struct, frozen=True):
    """One record. ``source`` is who wrote it; ``data`` has names, empty where there are none, and texts.

    The time is UTC, None where the record has none that is possible.
    """

    number: int
    time: datetime | None
    source: str
    id: int
    data: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> tuple[str, int]:
        """Source, in lower case, and id: what tells which event it is."""
        return self.source.casefold(), self.id

    def text(self, name: str) -> str:
        """The text of that name; empty where there is none."""
        return next((text for each, text in self.data if each == name), "")

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, in their order."""
        return tuple(text for _, text in self.data)


class LogReading(Struct, frozen=True):
    """What was read of a log: the wanted records, the oldest first.

    ``last`` is when the newest record of any kind was written, ``problem`` what kept further ones from being read.
    """

    records: tuple[EventRecord, ...] = ()
    last: datetime | None = None
    problem: str | None = None


def from_filetime(value: int) -> datetime | None:
    """The time of a FILETIME (100 ns since 1601, UTC); None for 0 and what lies beyond the year 9998."""
    return _FILETIME_EPOCH + timedelta(microseconds=value // 10) if 0 < value < _MAX_FILETIME else None
