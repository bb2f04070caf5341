"""The last starts of a Windows, as its event log and its crash dumps tell of them.

What marks a start: ``EventLog`` 6009 and 6005, with 6008 before them where the log was not closed, and from Vista on
``Kernel-General`` 12. What marks its end: ``EventLog`` 6006, ``Kernel-General`` 13. What a start says of the one before
it: ``EventLog`` 6008 and ``Kernel-Power`` 41 (it was cut off, or 41 has the STOP), ``BugCheck``, ``Save Dump`` 1001 and
``System Error`` 1003 (its STOP), ``Kernel-Boot`` 20 (whether it had succeeded). ``Kernel-Boot`` 27 tells of one that
only resumed the one before it: fast start-up (1) or hibernation (2). Microsoft, "Windows Kernel event ID 41 error",
"Event ID 1001 BugCheck", "Event Log service events".

A start that stops before the volume is written (STOP 0x7B, and whatever the loader refuses) leaves no record, so there
can be more starts than are known here.
"""

import re
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from bootgraft.text import printable
from bootgraft.windows.events.crashdump import Bugcheck, CrashDump
from bootgraft.windows.events.failures import Failure, read_failure
from bootgraft.windows.events.record import EventRecord

_KERNEL, _LOG_DIRTY, _LOG_VERSION, _LOG_STARTED = range(4)
_MARKS = {
    ("microsoft-windows-kernel-general", 12): _KERNEL,
    ("eventlog", 6008): _LOG_DIRTY,
    ("eventlog", 6009): _LOG_VERSION,
    ("eventlog", 6005): _LOG_STARTED,
}
_STARTED = ("eventlog", 6005)
_ENDS = frozenset((("microsoft-windows-kernel-general", 13), ("eventlog", 6006)))
_POWER = ("microsoft-windows-kernel-power", 41)
_BOOT = ("microsoft-windows-kernel-boot", 20)
_BOOT_TYPE = ("microsoft-windows-kernel-boot", 27)
_RESUMED = ("1", "2")
_STOPS = frozenset(
    (
        ("microsoft-windows-wer-systemerrorreporting", 1001),
        ("bugcheck", 1001),
        ("save dump", 1001),
        ("savedump", 1001),
        ("system error", 1003),
    )
)
_RECORDS = frozenset((*_MARKS, *_ENDS, _POWER, _BOOT, _BOOT_TYPE, *_STOPS))
_TOGETHER = timedelta(minutes=15)
_STOP_TEXT = re.compile(
    r"0x([0-9a-f]{1,8}) \((0x[0-9a-f]{1,16})(?:, (0x[0-9a-f]{1,16}))?(?:, (0x[0-9a-f]{1,16}))?"
    r"(?:, (0x[0-9a-f]{1,16}))?\)",
    re.IGNORECASE,
)
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,16})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,10}")  # of 32 bits
STARTS = 5
"""How many of the last starts are told of."""
_MAX_FAILURES = 100


class StartEnd(StrEnum):
    """How a start ended."""

    CLEAN = "clean"  # it was shut down
    STOPPED = "stopped"  # with a STOP
    CUT_OFF = "cut-off"  # power, a reset or a hang: the next start found the log open, and no STOP was recorded
    UNRECORDED = "unrecorded"  # nothing tells


class Start(Struct, frozen=True):
    """One start. Times are UTC; ``began`` is None where only its end is known, ``ended`` where nobody recorded that.

    ``failures`` are the last that were recorded. ``resumed`` is when it was last resumed, by fast start-up or from
    hibernation. ``failed`` says that the next start noted it as one that had not succeeded.
    """

    began: datetime | None
    ended: datetime | None
    end: StartEnd
    bugcheck: Bugcheck | None
    failed: bool
    failures: tuple[Failure, ...]
    resumed: datetime | None = None


class _Gathered(Struct):
    """A start while records are read; ``before_*`` is what it says of the one before it."""

    began: datetime | None
    marks: set[int] = field(default_factory=set)
    ended: datetime | None = None
    closed: bool = False
    resumed: datetime | None = None
    failures: list[Failure] = field(default_factory=list)
    before_cut: bool = False
    before_failed: bool = False
    before_seen: datetime | None = None
    before_stop: Bugcheck | None = None

    def takes(self, mark: int, time: datetime | None) -> bool:
        """Whether a mark belongs to this start, and begins no new one."""
        if self.closed or not self.marks or mark in self.marks:
            return False
        if mark in (_LOG_DIRTY, _LOG_VERSION) and _LOG_STARTED in self.marks:
            return False
        return time is None or self.began is None or abs(time - self.began) <= _TOGETHER


def is_wanted(source: str, identifier: int) -> bool:
    """Whether records of that source and number tell of starts."""
    return (source, identifier) in _RECORDS


def enough(found: Sequence[EventRecord]) -> bool:
    """Whether these records go back further than the starts that are told of."""
    if not found or found[-1].kind != _STARTED:  # asked after each record: only one that begins a start can be enough
        return False
    return sum(each.kind == _STARTED for each in found) > STARTS + 1


def read_starts(
    records: Iterable[EventRecord], others: Iterable[EventRecord] = (), dumps: Iterable[CrashDump] = ()
) -> tuple[Start, ...]:
    """The last starts, the oldest first.

    ``records`` are those of the system's log, the oldest first; those of ``others`` are matched by their time.
    """
    gathered: list[_Gathered] = []
    for record in records:
        mark = _MARKS.get(record.kind)
        if mark is not None:
            if not gathered or not gathered[-1].takes(mark, record.time):
                gathered.append(_Gathered(record.time))
            gathered[-1].marks.add(mark)
        elif not gathered:
            gathered.append(_Gathered(None))
        _take(gathered[-1], record)
    for record in others:
        failure = read_failure(record)
        if failure is not None and gathered:
            _at(gathered, failure.time).failures.append(failure)
    stops: dict[int, CrashDump] = {}
    for dump in dumps:
        if not gathered or (dump.time is not None and gathered[0].began is not None and dump.time < gathered[0].began):
            continue  # of a start before those that are known
        stops[gathered.index(_at(gathered, dump.time))] = dump
    found = (each for each in _finished(gathered, stops) if each.began or each.bugcheck or each.failures)
    return tuple(found)[-STARTS:]


def _take(start: _Gathered, record: EventRecord) -> None:
    kind = record.kind
    if kind in _ENDS:
        start.ended, start.closed = record.time, True
    elif kind == ("eventlog", 6008):
        start.before_cut, start.before_seen = True, _last_seen(record)
    elif kind == _POWER:
        start.before_cut = True
        start.before_stop = start.before_stop or _power_stop(record)
    elif kind == _BOOT:
        start.before_failed = record.text("LastBootGood") == "false"
    elif kind == _BOOT_TYPE:
        start.resumed = record.time if record.text("BootType") in _RESUMED else start.resumed
    elif kind in _STOPS:
        start.before_stop = _stop(record) or start.before_stop
    else:
        failure = read_failure(record)
        if failure is not None:
            start.failures.append(failure)


def _at(gathered: Sequence[_Gathered], time: datetime | None) -> _Gathered:
    """The start that was under way at a time: the last that began before it, else the first."""
    before = [each for each in gathered if time is not None and each.began is not None and each.began <= time]
    return before[-1] if before else gathered[0]


def _finished(gathered: Sequence[_Gathered], stops: dict[int, CrashDump]) -> Iterable[Start]:
    for number, each in enumerate(gathered):
        after = gathered[number + 1] if number + 1 < len(gathered) else None
        dump = stops.get(number)
        recorded = None if after is None else after.before_stop
        stop = recorded or (None if dump is None else dump.bugcheck)
        seen = None if after is None else after.before_seen
        yield Start(
            began=each.began,
            ended=each.ended or (None if dump is None else dump.time) or seen,
            end=_end(each, after, stop),
            bugcheck=stop,
            failed=after is not None and after.before_failed,
            failures=tuple(each.failures[-_MAX_FAILURES:]),
            resumed=each.resumed,
        )


def _end(start: _Gathered, after: _Gathered | None, stop: Bugcheck | None) -> StartEnd:
    if stop is not None:
        return StartEnd.STOPPED
    if start.closed:
        return StartEnd.CLEAN
    return StartEnd.CUT_OFF if after is not None and after.before_cut else StartEnd.UNRECORDED


def _last_seen(record: EventRecord) -> datetime | None:
    """When the log was last known to be open, by 6008: two SYSTEMTIMEs, of which the second is UTC."""
    data = record.text("Binary")[32:64]
    try:
        year, month, _, day, hour, minute, second, _ = struct.unpack("<8H", bytes.fromhex(data))
        seen = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, struct.error):
        return None
    return seen if record.time is not None and seen <= record.time else None


def _power_stop(record: EventRecord) -> Bugcheck | None:
    """The STOP in Kernel-Power 41: its code is 0 where there was none, as after a loss of power."""
    code = record.text("BugcheckCode")
    if _NUMBER.fullmatch(code) is None or not int(code):
        return None
    arguments = (record.text(f"BugcheckParameter{number}") for number in range(1, 5))
    numbers = tuple(int(found[1], 16) for found in map(_HEX.fullmatch, arguments) if found)
    return Bugcheck(int(code), numbers, "Kernel-Power 41")


def _stop(record: EventRecord) -> Bugcheck | None:
    """The STOP in a record that is written after it: as one text, or for System Error as five numbers."""
    for text in record.texts:
        found = _STOP_TEXT.search(text)
        if found is not None:
            arguments = tuple(int(each, 16) for each in found.groups()[1:] if each)
            return Bugcheck(int(found[1], 16), arguments, printable(f"{record.source} {record.id}"))
    numbers = [int(found[1], 16) for found in map(_HEX.fullmatch, record.texts[:5]) if found]
    if record.kind == ("system error", 1003) and len(numbers) == 5:
        return Bugcheck(numbers[0], tuple(numbers[1:]), "System Error 1003")
    return None
