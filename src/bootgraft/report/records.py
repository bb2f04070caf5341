"""What a Windows recorded of its last starts, for people and for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from bootgraft.report.documents.records import (
    BootLogDocument,
    CrashDumpDocument,
    DeviceInstallDocument,
    FirstBootScriptDocument,
    RecordedFailureDocument,
    RecordedStartDocument,
    RecordedStopDocument,
    RecordMatchDocument,
    RecordsDocument,
)
from bootgraft.windows.events.crashdump import Bugcheck
from bootgraft.windows.events.guest_records import GuestRecords
from bootgraft.windows.events.starts import Start

if TYPE_CHECKING:  # inspect matches nothing
    from bootgraft.checks.autopsy import RecordMatch

_SHOWN_FAILURES = 8
_SHOWN_DRIVERS = 6
_SHOWN_DUMPS = 4
_OPEN = ": the disk was copied while it ran, it was cut off, or it stopped without a trace"
_NO_TRACE = (
    "A start that stops before its volume is written (STOP 0x7B, a file that the loader misses) leaves no record."
)


_WHOSE = "A record is of the machine that Windows then ran on: the old one, unless it was started since the move."


def records_document(windows: str, records: GuestRecords, matches: "Iterable[RecordMatch]" = ()) -> RecordsDocument:
    """What ``--json`` prints of the installation of that name; ``matches`` are those of an autopsy."""
    boot_log, script = records.boot_log, records.first_boot
    return RecordsDocument(
        windows=windows,
        starts=tuple(map(_start, records.starts)),
        last_record=_time(records.last),
        dumps=tuple(CrashDumpDocument(_stop(each.bugcheck), each.build, _time(each.time)) for each in records.dumps),
        boot_log=None if boot_log is None else msgspec.convert(boot_log, BootLogDocument, from_attributes=True),
        installs=msgspec.convert(records.installs, tuple[DeviceInstallDocument, ...], from_attributes=True),
        startup_repair=records.repair,
        first_boot=None if script is None else msgspec.convert(script, FirstBootScriptDocument, from_attributes=True),
        matches=msgspec.convert(tuple(matches), tuple[RecordMatchDocument, ...], from_attributes=True),
        unreadable=records.unreadable,
    )


def _start(start: Start) -> RecordedStartDocument:
    return RecordedStartDocument(
        began=_time(start.began),
        resumed=_time(start.resumed),
        ended=_time(start.ended),
        end=start.end.value,
        stop=None if start.bugcheck is None else _stop(start.bugcheck),
        failed=start.failed,
        failures=tuple(
            RecordedFailureDocument(_time(each.time), each.kind.value, each.text, each.names, each.record)
            for each in start.failures
        ),
    )


def _stop(bugcheck: Bugcheck) -> RecordedStopDocument:
    return RecordedStopDocument(hex(bugcheck.code), tuple(map(hex, bugcheck.arguments)), bugcheck.recorded_in)


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def records_lines(records: RecordsDocument) -> Iterator[str]:
    """The last starts, the newest last, then what else was recorded."""
    yield f"last starts of {records.windows}, as it recorded them (UTC)"
    for number, start in enumerate(records.starts, start=1):
        resumed = f"resumed at {_shown(start.resumed)}; " if start.resumed else ""
        newest = number == len(records.starts) and start.end == "unrecorded"
        yield f"  {_shown(start.began)}  {resumed}{_end_text(start)}{_OPEN if newest else ''}"
        yield from (f"                       {line}" for line in _failure_lines(start.failures))
    if records.last_record is None:
        yield "  There is no event log that can be read."
    else:
        yield f"  The last record of the event log is of {_shown(records.last_record)}. {_NO_TRACE}"
    yield from (f"  {line}" for line in _other_lines(records))
    yield from (f"  cannot be read in full: {each}" for each in records.unreadable)


def match_lines(records: RecordsDocument, *, with_target: bool = True) -> Iterator[str]:
    """Which findings may explain what was recorded; drivers of a controller were only judged ``with_target``."""
    nothing = "nothing that was found explains it"
    nothing += "" if with_target else " (drivers for a controller are only judged with --target)"
    if records.matches:
        yield "what of that may have the same cause as a finding"
        yield f"  {_WHOSE}"
    for match in records.matches:
        ids = ", ".join(match.findings)
        yield f"  {match.record}: {f'may be the same cause: {ids}' if ids else nothing}"


def _end_text(start: RecordedStartDocument) -> str:
    at = f" at {_shown(start.ended)}" if start.ended else ""
    stop = start.stop
    noted = "; the next start noted that it had failed" if start.failed else ""
    if stop is not None:
        arguments = f" ({', '.join(stop.arguments)})" if stop.arguments else ""
        return f"stopped with 0x{int(stop.code, 16):08X}{arguments}{at} ({stop.recorded_in}){noted}"
    match start.end:
        case "clean":
            return f"shut down{at}{noted}"
        case "cut-off":
            seen = f", last seen{at}" if at else ""
            return f"cut off (loss of power, reset or hang){seen}{noted}"
        case _:
            return f"its end is not recorded{noted}"


def _failure_lines(failures: tuple[RecordedFailureDocument, ...]) -> Iterator[str]:
    """Each failure once, with how often it was recorded."""
    counted = Counter((each.text, each.record) for each in failures)
    for (text, record), times in list(counted.items())[:_SHOWN_FAILURES]:
        yield f"{text}{f', {times} times' if times > 1 else ''} ({record})"
    if len(counted) > _SHOWN_FAILURES:
        yield f"and {len(counted) - _SHOWN_FAILURES} more (--json has them)"


def _other_lines(records: RecordsDocument) -> Iterator[str]:
    told = {start.stop for start in records.starts}
    for dump in records.dumps[-_SHOWN_DUMPS:]:
        if dump.stop not in told:
            code = int(dump.stop.code, 16)
            when = f"of {_shown(dump.time)}" if dump.time else "without a time"
            arguments = ", ".join(dump.stop.arguments)
            yield f"crash dump {when}: STOP 0x{code:08X} ({arguments}) ({dump.stop.recorded_in})"
    if records.boot_log is not None:
        log = records.boot_log
        missing = [each.rpartition("\\")[2] for each in log.not_loaded]
        names = ", ".join(missing[:_SHOWN_DRIVERS]) + (", ..." if len(missing) > _SHOWN_DRIVERS else "")
        counted = "1 driver loaded" if log.loaded == 1 else f"{log.loaded} drivers loaded"
        head = f"boot log of {log.time or 'an unknown time'} (guest's clock): {counted}"
        yield f"{head}, {len(missing)} not loaded{f': {names}' if missing else ''}"
    for install in records.installs:
        yield f"installed at {install.time} (guest's clock): {install.what}: {install.error or 'success'}"
    yield from (f"Startup Repair's root cause: {each}" for each in records.startup_repair)
    if records.first_boot is not None:
        script = records.first_boot
        times = f", {script.times} times in a row" if script.times > 1 else ""
        yield f"first-boot script {script.script} of virt-v2v: exit code {script.exit_code}{times}"


def _shown(time: str | None) -> str:
    return "at an unknown time " if time is None else time.replace("T", " ").removesuffix("Z")
