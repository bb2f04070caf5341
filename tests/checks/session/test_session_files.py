"""The first programs, taken away file by file."""

import pytest
from tests.core_windows import core_windows, driver_file, guest, repaired
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, WINDOWS_7, WINDOWS_10, WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Finding, Remedy
from bootgraft.checks.session import session_files
from bootgraft.checks.session.session_files import ID

X86, X64 = Architecture.X86, Architecture.X64
STOPS = {
    "ntdll.dll": "0x6b",
    "smss.exe": "0x6f",
    "csrss.exe": "0xc000021a",
    "winlogon.exe": "0xc000021a",
    "wininit.exe": "0xc000021a",
}


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(session_files.find(guest(windows)))


@pytest.mark.parametrize("release", [NT_4, WINDOWS_XP, WINDOWS_7, WINDOWS_10], ids=lambda each: each.version)
@pytest.mark.parametrize("file", STOPS)
def test_each_of_them_stops_the_kernel(release: Release, file: str) -> None:
    arch = X64 if release is WINDOWS_10 else X86
    assert find(core_windows(release=release, arch=arch)) == ()
    found = find(core_windows(release=release, arch=arch, without=(rf"system32\{file}",)))
    if file == "wininit.exe" and release.nt < (6, 0):
        assert found == ()
        return
    assert [(each.id, each.severity.value, each.stop_code) for each in found] == [(ID, "blocker", STOPS[file])]


def test_a_copy_in_dllcache_takes_its_place() -> None:
    windows = core_windows(without=(r"system32\smss.exe",), files={r"system32\dllcache\smss.exe": driver_file()})
    findings = find(windows)
    assert [each.remedy for each in findings] == [Remedy.CHANGES]
    assert find(repaired(windows, findings)) == ()


def test_what_stops_earlier_is_told_first() -> None:
    found = diagnose(guest(core_windows(without=(r"system32\ntdll.dll", r"system32\drivers\disk.sys"))))
    assert found.verdict is Verdict.BLOCKED
    assert found.stop_code == "0x7b"
    assert [each.id for each in found.blockers] == ["driver-file-missing", ID]
