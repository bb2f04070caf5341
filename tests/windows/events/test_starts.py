"""The timeline of the last starts, from records as Windows writes them."""

from datetime import timedelta

from msgspec.structs import replace
from tests.machines.event_logs import FIRST, Entry, entry

from bootgraft.windows.events.crashdump import Bugcheck, CrashDump
from bootgraft.windows.events.failures import FailureKind
from bootgraft.windows.events.record import EventRecord
from bootgraft.windows.events.starts import Start, StartEnd, enough, is_wanted, read_starts

GENERAL, POWER, BOOT = (f"Microsoft-Windows-Kernel-{each}" for each in ("General", "Power", "Boot"))
STOP = "0x0000007e (0xffffffffc0000005, 0xfffff80003a5b2c1, 0xfffff88003b6d7a8, 0xfffff88003b6d000)"


def records(*entries: Entry) -> list[EventRecord]:
    return [
        EventRecord(number, each.time, each.source, each.id, (*each.data, ("Binary", each.binary.hex())))
        for number, each in enumerate(entries, start=1)
    ]


def up(minutes: float, *before: Entry) -> list[Entry]:
    """How Windows from Vista on starts; ``before`` says what became of the start before it."""
    told = [replace(each, minutes=minutes) for each in before]
    kernel = [each for each in told if each.source == POWER]
    others = [each for each in told if each.source != POWER]
    first = entry(GENERAL, 12, minutes=minutes)
    return [first, *kernel, *others, *(entry("EventLog", each, minutes=minutes + 0.2) for each in (6009, 6005))]


def old_up(minutes: float, *before: Entry) -> list[Entry]:
    """How Windows before Vista does."""
    told = [replace(each, minutes=minutes) for each in before]
    dirty = [each for each in told if each.id == 6008]
    after = [each for each in told if each.id != 6008]
    return [*dirty, *(entry("EventLog", each, minutes=minutes) for each in (6009, 6005)), *after]


def down(minutes: float) -> list[Entry]:
    return [entry("EventLog", 6006, minutes=minutes)]


def ends(starts: tuple[Start, ...]) -> list[StartEnd]:
    return [each.end for each in starts]


def power(**data: str) -> Entry:
    return Entry(POWER, 41, tuple(data.items()))


def test_shut_down_and_started_again() -> None:
    found = read_starts(records(*up(0), *down(30), entry(GENERAL, 13, minutes=30.1), *up(60)))
    assert ends(found) == [StartEnd.CLEAN, StartEnd.UNRECORDED]
    assert (found[0].began, found[0].ended) == (FIRST, FIRST + timedelta(minutes=30.1))


def test_the_same_before_vista() -> None:
    found = read_starts(records(*old_up(0), *down(30), *old_up(31), *old_up(35, entry("EventLog", 6008))))
    assert ends(found) == [StartEnd.CLEAN, StartEnd.CUT_OFF, StartEnd.UNRECORDED]


def test_what_the_next_start_says_of_a_stop() -> None:
    report = entry("Microsoft-Windows-WER-SystemErrorReporting", 1001, param1=STOP, param2="C:\\MEMORY.DMP")
    found = read_starts(records(*up(0), *up(9, power(BugcheckCode="126"), entry("EventLog", 6008), report)))
    assert ends(found) == [StartEnd.STOPPED, StartEnd.UNRECORDED]
    stop = found[0].bugcheck
    assert stop is not None
    assert (stop.code, stop.arguments[0], len(stop.arguments)) == (0x7E, 0xFFFFFFFFC0000005, 4)


def test_kernel_power_alone_has_the_stop() -> None:
    arguments = {f"BugcheckParameter{number}": hex(number) for number in range(1, 5)}
    found = read_starts(records(*up(0), *up(9, power(BugcheckCode="123", **arguments))))
    assert found[0].bugcheck == Bugcheck(0x7B, (1, 2, 3, 4), "Kernel-Power 41")


def test_a_loss_of_power_is_no_stop() -> None:
    found = read_starts(records(*up(0), *up(9, power(BugcheckCode="0"), entry("EventLog", 6008))))
    assert (found[0].end, found[0].bugcheck) == (StartEnd.CUT_OFF, None)


def test_save_dump_and_system_error_of_nt_5() -> None:
    saved = entry("Save Dump", 1001, "0x0000007b (0xf78d2524, 0xc0000034, 0x00000000, 0x00000000)", "C:\\a.dmp", "")
    error = entry("System Error", 1003, "000000d1", "00000004", "00000002", "00000000", "f7a1b2c3")
    found = read_starts(records(*old_up(0), *old_up(1, entry("EventLog", 6008), saved), *old_up(2, error)))
    assert [each.bugcheck and each.bugcheck.code for each in found] == [0x7B, 0xD1, None]


def test_starts_in_quick_succession_are_each_one() -> None:
    found = read_starts(
        records(*(each for minute in range(0, 12, 3) for each in up(minute, power(BugcheckCode="126"))))
    )
    assert ends(found) == [StartEnd.STOPPED] * 3 + [StartEnd.UNRECORDED]


def test_when_it_was_last_seen() -> None:
    local = bytes.fromhex("EA070300000001000700140000000000")
    utc = bytes.fromhex("EA070300000001000600140000000000")  # 2026-03-01 06:20
    found = read_starts(records(*up(0), *up(90, entry("EventLog", 6008, binary=local + utc))))
    assert found[0].ended == FIRST + timedelta(minutes=20)
    later = read_starts(records(*up(0), *up(90, entry("EventLog", 6008, binary=local + b"\xff" * 16))))
    assert later[0].ended is None


def test_the_loaders_own_note() -> None:
    note = entry(BOOT, 20, LastShutdownGood="true", LastBootGood="false")
    assert [each.failed for each in read_starts(records(*up(0), *up(9, note)))] == [True, False]


def test_a_start_that_only_resumed_is_none() -> None:
    cold, fast = (entry(BOOT, 27, minutes=each, BootType=str(each % 10)) for each in (0, 61))
    (found,) = read_starts(records(*up(0), cold, fast))
    assert found.resumed == FIRST + timedelta(minutes=61)
    assert read_starts(records(*up(0), cold))[0].resumed is None


def test_dumps_belong_to_the_start_that_was_under_way() -> None:
    dump = CrashDump(Bugcheck(0x7E, (1, 2, 3, 4), "MEMORY.DMP"), 9600, FIRST + timedelta(minutes=5))
    before = CrashDump(Bugcheck(0x50, (1, 2, 3, 4), "old.dmp"), 9600, FIRST - timedelta(days=5))
    found = read_starts(records(*up(0), *up(9)), dumps=[before, dump])
    assert [each.bugcheck for each in found] == [dump.bugcheck, None]
    assert found[0].ended == dump.time


def test_what_failed_is_told_of_its_start() -> None:
    lost = entry("Service Control Manager", 7026, "\r\nsymmpi\r\ncdrom", minutes=1)
    refused = records(entry("Microsoft-Windows-CodeIntegrity", 3004, FileNameBuffer="\\a\\viostor.sys", minutes=31))
    found = read_starts(records(*up(0), lost, *down(20), *up(30)), refused)
    assert [[each.kind for each in start.failures] for start in found] == [
        [FailureKind.DRIVER],
        [FailureKind.SIGNATURE],
    ]
    assert found[0].failures[0].names == ("symmpi", "cdrom")


def test_records_from_the_middle_of_a_start() -> None:
    found = read_starts(records(entry("Ntfs", 55, "C:"), *up(9, entry("EventLog", 6008))))
    assert [(each.began is None, each.end) for each in found] == [
        (True, StartEnd.CUT_OFF),
        (False, StartEnd.UNRECORDED),
    ]
    assert len(read_starts(records(*down(1), *up(9)))) == 1
    assert read_starts([]) == ()


def test_only_the_last_starts_are_told_of() -> None:
    many = records(*(each for number in range(20) for each in (*up(number * 60), *down(number * 60 + 9))))
    assert len(read_starts(many)) == 5
    started = [each for each in reversed(many) if each.id == 6005]
    assert [enough(started[:number]) for number in (0, 6, 7)] == [False, False, True]
    assert not enough([*started, many[0]])
    assert is_wanted("eventlog", 6005)
    assert not is_wanted("eventlog", 6013)


def test_numbers_that_are_none() -> None:
    assert read_starts(records(*up(0), *up(9, power(BugcheckCode="9" * 99))))[0].bugcheck is None
    found = read_starts(
        records(*up(0), *up(9, power(BugcheckCode="\N{SUPERSCRIPT TWO}"), entry("BugCheck", 1001, "0x")))
    )
    assert found[0].bugcheck is None
