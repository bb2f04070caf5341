"""The drivers of Windows' own that every boot disk is behind, broken one by one."""

from pathlib import Path

import pytest
from tests.core_windows import core_windows, driver_file, guest, in_sets, repaired, without_keys
from tests.machines.registry_text import RegistryValue
from tests.machines.spec import Architecture, Cabinet
from tests.machines.windows_files import driver_cache
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_10,
    WINDOWS_2000,
    WINDOWS_VISTA,
    WINDOWS_XP,
)
from tests.memory_windows import MemoryWindows

from bootgraft.changes import WriteFile
from bootgraft.checks.core import core_drivers
from bootgraft.checks.core.core_drivers import FILE, MISSING, NOT_BOOT_START
from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Finding, Remedy

X86, X64 = Architecture.X86, Architecture.X64
CONTROLLER = "vmware:ide"
RELEASES = {
    "nt4": (NT_4, X86),
    "2000": (WINDOWS_2000, X86),
    "xp": (WINDOWS_XP, X86),
    "2003": (SERVER_2003, X86),
    "vista": (WINDOWS_VISTA, X64),
    "7": (WINDOWS_7, X86),
    "8": (WINDOWS_8, X64),
    "10": (WINDOWS_10, X64),
}
WAY_5 = ("ACPI", "pci", "partmgr", "mountmgr", "ftdisk", "volsnap")
WAY_6 = ("ACPI", "pci", "partmgr", "mountmgr", "volmgr", "volsnap", "fvevol", "rdyboost")


def find(windows: MemoryWindows, target: str = CONTROLLER) -> tuple[Finding, ...]:
    return tuple(core_drivers.find(guest(windows, target)))


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.id, each.severity.value) for each in findings]


def start(number: int, *names: str) -> str:
    keys: dict[str, dict[str, RegistryValue]] = {rf"Services\{name}": {"Start": number} for name in names}
    return in_sets(keys)


@pytest.mark.parametrize("name", RELEASES)
def test_windows_as_shipped_lack_nothing(name: str) -> None:
    release, arch = RELEASES[name]
    assert find(core_windows(release=release, arch=arch)) == ()


@pytest.mark.parametrize("service", WAY_5)
@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_driver_of_the_way_that_xp_does_not_load_stops_it(service: str, number: int) -> None:
    windows = core_windows(start(number, service))
    findings = find(windows)
    assert summary(findings) == [(NOT_BOOT_START, "blocker"), (NOT_BOOT_START, "warning")]
    assert findings[0].stop_code == "0x7b"
    assert find(repaired(windows, findings)) == ()


@pytest.mark.parametrize("service", [*WAY_6, "EhStorClass", "volume", "iorate"])
def test_a_driver_of_the_way_that_windows_10_does_not_load_stops_it(service: str) -> None:
    """Disabled, or demoted by an override, which counts more."""
    for edits in (start(4, service), in_sets({rf"Services\{service}\StartOverride": {"0": 4}})):
        windows = core_windows(edits, release=WINDOWS_10, arch=X64)
        findings = find(windows)
        assert summary(findings) == [(NOT_BOOT_START, "blocker"), (NOT_BOOT_START, "warning")]
        assert find(repaired(windows, findings)) == ()


def test_an_override_that_demotes_counts_though_start_is_0() -> None:
    windows = core_windows(in_sets({r"Services\volmgr\StartOverride": {"0": 3}}), release=WINDOWS_10, arch=X64)
    findings = find(windows)
    assert summary(findings)[0] == (NOT_BOOT_START, "blocker")
    assert "StartOverride\\0=3" in findings[0].evidence[0]
    assert find(repaired(windows, findings)) == ()


def test_a_filter_of_windows_that_starts_late_leaves_open_whether_it_starts() -> None:
    findings = find(core_windows(start(3, "EhStorClass"), release=WINDOWS_10, arch=X64))
    assert summary(findings)[0] == (NOT_BOOT_START, "warning")
    assert findings[0].leaves_open


@pytest.mark.parametrize(
    ("name", "service", "remedy"),
    [
        ("2000", "partmgr", Remedy.OFFERED),
        ("xp", "partmgr", Remedy.CHANGES),
        ("2003", "partmgr", Remedy.OFFERED),  # XP and 7 differ in its group
        ("vista", "volmgr", Remedy.OFFERED),  # there is none below that knows it
        ("7", "volmgr", Remedy.CHANGES),
        ("8", "volmgr", Remedy.CHANGES),  # 7 and 8.1 agree
        ("8", "ACPI", Remedy.OFFERED),  # and differ in its group
        ("10", "volume", Remedy.CHANGES),
        ("xp", "Ntfs", Remedy.CHANGES),
    ],
)
def test_a_service_comes_back_by_default_only_where_its_values_are_known(
    name: str, service: str, remedy: Remedy
) -> None:
    release, arch = RELEASES[name]
    windows = core_windows(without_keys(rf"Services\{service}"), release=release, arch=arch)
    findings = find(windows)
    assert summary(findings) == [(MISSING, "blocker"), (MISSING, "warning")]
    assert {each.remedy for each in findings} == {remedy}
    assert find(repaired(windows, findings)) == ()


@pytest.mark.parametrize("service", ["partmgr", "volsnap", "Ntfs"])
def test_what_comes_back_is_what_a_real_windows_has(service: str) -> None:
    whole = core_windows()
    broken = core_windows(without_keys(rf"Services\{service}"))
    fixed = repaired(broken, find(broken))
    for windows in (whole, fixed):
        key = windows.hive.key(rf"ControlSet001\Services\{service}")
        assert key is not None
    path = rf"ControlSet001\Services\{service}"
    assert values(fixed, path) == {name: data for name, data in values(whole, path).items() if name != "tag"}


def values(windows: MemoryWindows, path: str) -> dict[str, tuple[int, bytes]]:
    key = windows.hive.key(path)
    assert key is not None
    return {each.name.casefold(): (each.type, each.data) for each in key.values()}


def test_a_service_without_file_and_key_stays_away() -> None:
    windows = core_windows(without_keys(r"Services\partmgr"), without=(r"system32\drivers\PartMgr.sys",))
    assert {each.remedy for each in find(windows)} == {Remedy.NONE}


@pytest.mark.parametrize("file", ["ntfs.sys", "pci.sys", "ftdisk.sys", "mountmgr.sys"])
def test_a_file_that_is_missing_comes_from_dllcache(file: str) -> None:
    broken = core_windows(without=(rf"system32\drivers\{file}",))
    findings = find(broken)
    assert summary(findings) == [(FILE, "blocker"), (FILE, "warning")]
    assert {each.remedy for each in findings} == {Remedy.NONE}
    windows = core_windows(
        without=(rf"system32\drivers\{file}",), files={rf"system32\dllcache\{file}": driver_file(WINDOWS_XP)}
    )
    findings = find(windows)
    assert {each.remedy for each in findings} == {Remedy.CHANGES}
    assert find(repaired(windows, findings)) == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"no driver" * 1000, driver_file(WINDOWS_10, X64)],
    ids=["empty", "garbage", "other architecture"],
)
def test_a_file_that_is_no_use_is_as_bad(content: bytes) -> None:
    windows = core_windows(files={r"system32\drivers\ntfs.sys": content})
    assert summary(find(windows)) == [(FILE, "blocker"), (FILE, "warning")]


def test_a_copy_of_another_build_is_not_taken() -> None:
    windows = core_windows(
        without=(r"system32\drivers\ntfs.sys",),
        files={r"system32\dllcache\ntfs.sys": driver_file(WINDOWS_2000)},
    )
    assert {each.remedy for each in find(windows)} == {Remedy.NONE}


def test_a_cabinet_of_windows_has_the_file(machine_cache: Path) -> None:
    from tests.machines.build import content

    cabinet = Cabinet((("ntfs.sys", driver_file()),))
    made = driver_cache("WINDOWS", X86, sp3=cabinet)
    files = {file.path.removeprefix("\\WINDOWS\\"): content(file, machine_cache) for file in made}
    findings = find(core_windows(without=(r"system32\drivers\ntfs.sys",), files=files))
    (change,) = findings[0].changes
    assert isinstance(change, WriteFile)
    assert "sp3.cab" in change.origin


def test_winsxs_has_the_file() -> None:
    component = "amd64_microsoft-windows-ntfs_31bf3856ad364e35_10.0.19041.1288_none_0123456789abcdef"
    windows = core_windows(
        release=WINDOWS_10,
        arch=X64,
        without=(r"system32\drivers\ntfs.sys",),
        files={rf"WinSxS\{component}\ntfs.sys": driver_file(WINDOWS_10, X64)},
    )
    findings = find(windows)
    assert {each.remedy for each in findings} == {Remedy.CHANGES}
    assert find(repaired(windows, findings)) == ()


def test_a_windows_without_acpi_needs_none() -> None:
    """Its HAL is another one, so nothing of ACPI is among its roots."""
    edits = start(4, "ACPI") + without_keys(r"Enum\Root\ACPI_HAL", r"Enum\ACPI_HAL")
    assert find(core_windows(edits)) == ()


def test_a_machine_without_pci_needs_no_driver_for_it() -> None:
    windows = core_windows(start(4, "pci"), release=WINDOWS_10, arch=X64)
    assert find(windows, "hyperv:gen2") == ()
    assert summary(find(windows, "vmware:ide"))[0] == (NOT_BOOT_START, "blocker")


def test_check_says_what_the_kernel_does_and_a_repair_holds() -> None:
    windows = core_windows(start(4, "pci", "partmgr"))
    found = diagnose(guest(windows, "vmware:ide"))
    assert (found.verdict, found.stop_code) == (Verdict.BLOCKED, "0x7b")
    assert diagnose(guest(repaired(windows, found.findings), "vmware:ide")).verdict is Verdict.BOOTS


@pytest.mark.parametrize(
    ("path", "is_placed"),
    [
        (r"system32\of a vendor\volsnap.sys", True),
        (r"system32\..\..\volsnap.sys", False),
        (r"system32\volsnap.sys:x", False),
    ],
)
def test_a_copy_is_put_where_a_file_of_windows_can_be(path: str, is_placed: bool) -> None:
    windows = core_windows(
        in_sets({r"Services\volsnap": {"ImagePath": path}}),
        files={r"system32\dllcache\volsnap.sys": driver_file(WINDOWS_XP)},
    )
    assert [each.remedy is Remedy.CHANGES for each in find(windows)] == [is_placed, is_placed]
