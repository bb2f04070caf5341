"""What was recorded of the last starts, for people."""

from datetime import timedelta

from msgspec.structs import replace
from tests.machines.event_logs import FIRST
from tests.report.contract import printed

from bootgraft.report.documents.records import RecordMatchDocument, RecordsDocument
from bootgraft.report.records import match_lines, records_document, records_lines
from bootgraft.windows.events.crashdump import Bugcheck, CrashDump
from bootgraft.windows.events.failures import Failure, FailureKind
from bootgraft.windows.events.guest_records import GuestRecords
from bootgraft.windows.events.ntbtlog import BootLog
from bootgraft.windows.events.setuplog import DeviceInstall
from bootgraft.windows.events.starts import Start, StartEnd
from bootgraft.windows.leftovers.first_boot import ScriptRun

LATER = FIRST + timedelta(minutes=9)
STOP = Bugcheck(0x7E, (0xC0000005, 1), "MEMORY.DMP")
LOST = Failure(FIRST, FailureKind.DRIVER, "did not load: a", ("a",), "service control manager 7026")
SOME = GuestRecords(
    starts=(
        Start(None, FIRST, StartEnd.CUT_OFF, None, failed=True, failures=()),
        Start(FIRST, LATER, StartEnd.CLEAN, None, failed=False, failures=(), resumed=LATER),
        Start(FIRST, LATER, StartEnd.STOPPED, STOP, failed=False, failures=(LOST, LOST)),
        Start(LATER, None, StartEnd.UNRECORDED, None, failed=False, failures=()),
    ),
    last=LATER,
    dumps=(CrashDump(STOP, 9600, LATER), CrashDump(replace(STOP, code=0x50, recorded_in="a.dmp"), 9600, None)),
    boot_log=BootLog("2026-03-01 06:00:00", 2, tuple(f"\\a\\{each}.sys" for each in range(9))),
    installs=(DeviceInstall("2026/03/01 06:00:00", "PCI\\X", "no driver", storage=True),),
    repair=("Boot critical file x is corrupt.",),
    first_boot=ScriptRun("5000-run.bat", 249, (), 3),
    unreadable=("\\Windows\\a: bad sector",),
)


TEXT = r"""last starts of disk0-partition1-WINDOWS, as it recorded them (UTC)
  at an unknown time   cut off (loss of power, reset or hang), last seen at 2026-03-01 06:00:00; @
  2026-03-01 06:00:00  resumed at 2026-03-01 06:09:00; shut down at 2026-03-01 06:09:00
  2026-03-01 06:00:00  stopped with 0x0000007E (0xc0000005, 0x1) at 2026-03-01 06:09:00 (MEMORY.DMP)
                       did not load: a, 2 times (service control manager 7026)
  2026-03-01 06:09:00  its end is not recorded: the disk was copied while it ran, it was cut off, or it $
  The last record of the event log is of 2026-03-01 06:09:00. #
  crash dump without a time: STOP 0x00000050 (0xc0000005, 0x1) (a.dmp)
  boot log of 2026-03-01 06:00:00 (guest's clock): 2 drivers loaded, 9 not loaded: 0.sys, 1.sys, 2.sys, %
  installed at 2026/03/01 06:00:00 (guest's clock): PCI\X: no driver
  Startup Repair's root cause: Boot critical file x is corrupt.
  first-boot script 5000-run.bat of virt-v2v: exit code 249, 3 times in a row
  cannot be read in full: \Windows\a: bad sector"""
TEXT = (
    TEXT.replace("$", "stopped without a trace")
    .replace("@", "the next start noted that it had failed")
    .replace("%", "3.sys, 4.sys, 5.sys, ...")
)
TEXT = TEXT.replace(
    "#", "A start that stops before its volume is written (STOP 0x7B, a file that the loader misses) leaves no record."
)


def document(records: GuestRecords) -> RecordsDocument:
    return records_document("disk0-partition1-WINDOWS", records)


def test_all_of_it() -> None:
    assert "\n".join(records_lines(document(SOME))) == TEXT


def test_nothing_of_it() -> None:
    assert list(records_lines(document(GuestRecords()))) == [
        "last starts of disk0-partition1-WINDOWS, as it recorded them (UTC)",
        "  There is no event log that can be read.",
    ]


def test_too_many_failures_are_counted() -> None:
    lost = tuple(replace(LOST, text=f"did not load: {each}") for each in range(20))
    start = replace(SOME.starts[-1], failures=lost)
    lines = list(records_lines(document(replace(SOME, starts=(start,)))))
    assert "and 12 more (--json has them)" in lines[10]


def test_matches() -> None:
    matched = replace(
        document(SOME), matches=(RecordMatchDocument("STOP 0x7B", ("a", "b")), RecordMatchDocument("STOP 0x7E", ()))
    )
    assert list(match_lines(matched)) == [
        "what of that may have the same cause as a finding",
        "  A record is of the machine that Windows then ran on: the old one, unless it was started since the move.",
        "  STOP 0x7B: may be the same cause: a, b",
        "  STOP 0x7E: nothing that was found explains it",
    ]
    told = list(match_lines(matched, with_target=False))
    assert told[-1].endswith(
        "nothing that was found explains it (drivers for a controller are only judged with --target)"
    )


def test_for_programs() -> None:
    found = printed(document(SOME))
    assert found["starts"][2]["stop"] == {
        "code": "0x7e",
        "arguments": ["0xc0000005", "0x1"],
        "recorded_in": "MEMORY.DMP",
    }
    assert (found["starts"][0]["began"], found["starts"][0]["ended"]) == (None, "2026-03-01T06:00:00Z")
    assert found["boot_log"]["loaded"] == 2
    assert found["installs"][0]["error"] == "no driver"
