"""All that one Windows recorded, on machines in memory."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from tests.core_windows import core_windows
from tests.machines.event_logs import FIRST, Entry, dump, entry, evt, evtx
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_XP, Release

from bootgraft.errors import ImageError
from bootgraft.windows.events.guest_records import GuestRecords, read_records
from bootgraft.windows.events.starts import StartEnd

SYSTEM = r"system32\winevt\Logs\System.evtx"
INTEGRITY = r"system32\winevt\Logs\Microsoft-Windows-CodeIntegrity%4Operational.evtx"
OLD_SYSTEM = r"system32\config\SysEvent.Evt"
STARTED: tuple[Entry, ...] = tuple(entry("EventLog", each) for each in (6009, 6005))


def read(files: Mapping[str, bytes], release: Release = WINDOWS_7) -> GuestRecords:
    return read_records(core_windows(release=release, files=files).installation)


def test_a_windows_without_logs() -> None:
    assert read({}) == GuestRecords()


def test_logs_since_vista() -> None:
    refused = entry("Microsoft-Windows-CodeIntegrity", 3004, minutes=1, FileNameBuffer="\\a\\viostor.sys")
    found = read(
        {
            SYSTEM: evtx([*STARTED, entry("Ntfs", 55, "", "C:", minutes=3)]),
            INTEGRITY: evtx([refused]),
            r"MEMORY.DMP": dump(0x7E, (1, 2, 3, 4), minutes=4),
            r"Minidump\030126-01.dmp": dump(0x50, (1, 2, 3, 4), minutes=-4, wide=False),
            r"INF\setupapi.dev.log": b">>>  [Install - X]\n>>>  Section start 2026/03/01 06:00:10.1\n!!!  bad\n"
            b"<<<  [Exit status: FAILURE(0x1)]\n",
            r"ntbtlog.txt": b"\xff\xfe" + "Did not load driver \\a.sys\r\n".encode("utf-16-le"),
            r"system32\LogFiles\Srt\SrtTrail.txt": b"Root cause found:\r\n---\r\n"
            b"Unknown Bugcheck: Bugcheck 7b. Parameters = 0x1, 0x2.\r\n",
        }
    )
    assert found.unreadable == ()
    assert [(each.end, [failure.text for failure in each.failures]) for each in found.starts] == [
        (StartEnd.STOPPED, ["the file system of C: is damaged", found.starts[0].failures[1].text])
    ]
    assert "viostor.sys" in found.starts[0].failures[1].text
    assert [each.bugcheck.code for each in found.dumps] == [0x50, 0x7E]
    assert [each.error for each in found.installs] == ["bad"]
    assert found.boot_log is not None
    assert found.repair_stops[0].code == 0x7B
    assert found.last is not None
    assert (found.last - FIRST).seconds == 180


def test_logs_before_vista() -> None:
    found = read({OLD_SYSTEM: evt(STARTED, dirty=True), "setupapi.log": b"[x]\n"}, WINDOWS_XP)
    assert ([each.began for each in found.starts], found.last) == ([FIRST], FIRST)


def test_the_log_of_the_windows_before_an_upgrade_is_not_mixed_in() -> None:
    found = read({OLD_SYSTEM: evt(STARTED * 3), SYSTEM: evtx(STARTED)})
    assert len(found.starts) == 1


def test_damage_is_named_and_ends_nothing() -> None:
    found = read({SYSTEM: b"x" * 9999, INTEGRITY: evtx([])[:9], "MEMORY.DMP": b"PAGEDU64"})
    assert (found.starts, found.dumps) == ((), ())
    assert found.unreadable == (f"\\Windows\\{SYSTEM}: it is no event log (no ElfFile header)",)


def test_an_image_that_cannot_be_read_there(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = core_windows(release=WINDOWS_7, files={SYSTEM: evtx(STARTED), r"Minidump\a.dmp": b""})
    filesystem = windows.filesystem

    def broken(*_: object) -> bytes:
        raise ImageError("bad sector\x1b[2J", where="disk", advice="")

    monkeypatch.setattr(type(filesystem), "read", broken)
    found = read_records(windows.installation)
    assert replace(found, unreadable=()) == GuestRecords()
    assert {f"\\Windows\\{each}: bad sector?[2J" for each in (SYSTEM, r"Minidump\a.dmp")} <= set(found.unreadable)
