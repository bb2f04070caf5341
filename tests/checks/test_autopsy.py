"""Which findings may explain what was recorded, on machines in memory."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.controller import (
    cases_boot_driver_signature,
    cases_boot_service,
    cases_driver_file,
    cases_driver_signature,
    cases_start_override,
)
from tests.core_windows import core_windows, guest
from tests.machines.event_logs import Entry, dump, entry, evt, evtx
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_XP, Release

from bootgraft.checks.autopsy import Autopsy, RecordMatch, match_failures, perform_autopsy
from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import Severity
from bootgraft.windows.events.failures import Failure, FailureKind
from bootgraft.windows.events.guest_records import GuestRecords
from bootgraft.windows.events.starts import Start, StartEnd

SYSTEM = r"system32\winevt\Logs\System.evtx"
OLD_SYSTEM = r"system32\config\SysEvent.Evt"
STARTED: tuple[Entry, ...] = tuple(entry("EventLog", each) for each in (6009, 6005))


def autopsy(
    files: Mapping[str, bytes], release: Release = WINDOWS_XP, target: str = "kvm:virtio-blk", edits: str = ""
) -> Autopsy:
    windows = core_windows(edits, release=release, files=files)
    machine = guest(windows, target)
    return perform_autopsy(windows.installation, diagnose(machine), machine)


def test_a_stop_that_findings_may_explain() -> None:
    saved = entry("Save Dump", 1001, "0x0000007b (0xf78d2524, 0xc0000034, 0x00000000, 0x00000000)", minutes=5)
    found = autopsy({OLD_SYSTEM: evt([*STARTED, *STARTED, saved])})
    assert found.matches == (RecordMatch("STOP 0x0000007B (Save Dump 1001)", ("device-binding-missing",)),)


def test_a_stop_that_nothing_explains() -> None:
    found = autopsy({SYSTEM: evtx(STARTED), "MEMORY.DMP": dump(0x1234, (0, 0, 0, 0), minutes=9)}, WINDOWS_7)
    assert found.matches == (RecordMatch("STOP 0x00001234 (\\Windows\\MEMORY.DMP)", ()),)


def test_a_stop_as_small_dumps_have_it() -> None:
    log = evtx([*STARTED, *STARTED, entry("Microsoft-Windows-Kernel-Power", 41, BugcheckCode=str(0x1000007B))])
    found = autopsy({SYSTEM: log}, WINDOWS_7)
    assert found.matches == (RecordMatch("STOP 0x1000007B (Kernel-Power 41)", ("device-binding-missing",)),)


def test_what_startup_repair_saw_of_a_start_that_left_nothing_else() -> None:
    trail = b"Root cause found:\n---\nUnknown Bugcheck: Bugcheck 7b. Parameters = 0x1, 0xc0000034.\n"
    found = autopsy({r"system32\LogFiles\Srt\SrtTrail.txt": trail}, WINDOWS_7)
    assert found.matches == (RecordMatch("STOP 0x0000007B (SrtTrail.txt)", ("device-binding-missing",)),)


def test_a_driver_that_did_not_load_and_is_named_by_a_finding() -> None:
    lost = entry("Service Control Manager", 7026, "\r\npartmgr\r\ncdrom", minutes=1)
    missing = core_windows(without=(r"system32\drivers\partmgr.sys",), files={OLD_SYSTEM: evt([*STARTED, lost])})
    machine = guest(missing)
    found = perform_autopsy(missing.installation, diagnose(machine), machine)
    (match,) = found.matches
    assert match.record == "did not load: partmgr, cdrom (Service Control Manager 7026)"
    assert match.findings == ("core-driver-file-unusable",)


def test_a_name_that_is_a_word_matches_no_sentence() -> None:
    r"""A driver called disk is not what evidence like 'disk 0 partition 1' is about."""
    lost = entry("Service Control Manager", 7026, "disk control windows", minutes=1)
    assert autopsy({OLD_SYSTEM: evt([*STARTED, lost])}).matches == ()


def test_a_start_before_one_that_was_shut_down_is_past() -> None:
    lost = entry("Service Control Manager", 7026, "partmgr", minutes=1)
    log = evt([*STARTED, lost, *STARTED, entry("EventLog", 6006)])
    missing = core_windows(without=(r"system32\drivers\partmgr.sys",), files={OLD_SYSTEM: log})
    machine = guest(missing)
    assert perform_autopsy(missing.installation, diagnose(machine), machine).matches == ()


@pytest.mark.parametrize(
    ("case", "failure", "name"),
    [
        (cases_boot_driver_signature.CASES, FailureKind.SIGNATURE, "FLT.SYS"),
        (cases_driver_signature.CASES, FailureKind.SIGNATURE, "symmpi.sys"),
        (cases_boot_service.CASES, FailureKind.SERVICE, "Symmpi"),
        (cases_start_override.CASES, FailureKind.DRIVER, "symmpi"),
        (cases_driver_file.CASES, FailureKind.DEVICE, "symmpi"),
    ],
    ids=["boot-driver-signature", "driver-signature", "boot-service", "start-override", "driver-file"],
)
def test_every_finding_about_a_driver_is_known_by_its_name(
    case: Mapping[str, Case], failure: FailureKind, name: str
) -> None:
    failed = Failure(None, failure, "it failed", (name,), "a record")
    records = GuestRecords(starts=(Start(None, None, StartEnd.UNRECORDED, None, failed=False, failures=(failed,)),))
    for identifier, machines in case.items():
        matters = any(each.severity is not Severity.INFO for each in machines.broken)
        found = list(match_failures(records, machines.broken))
        assert found == ([RecordMatch("it failed (a record)", (identifier,))] if matters else [])
        other = replace(failed, names=("other",))
        start = replace(records.starts[0], failures=(other,))
        assert list(match_failures(replace(records, starts=(start,)), machines.broken)) == []
