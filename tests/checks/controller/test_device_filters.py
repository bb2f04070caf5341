"""Filter drivers of the boot disk's stack, on Windows that have all the others that Setup puts there."""

import pytest
from tests.core_windows import DISK, core_windows, driver_file, guest, in_sets, repaired, without_keys, without_values
from tests.machines.bindings import HDC, SCSI_ADAPTER, SYSTEM_DEVICE, VOLUME
from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, WINDOWS_7, WINDOWS_10, WINDOWS_2000, WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.changes import DeleteValue, SetValue
from bootgraft.checks.controller.device_filters import NO_PARTMGR, NOT_BOOT_START, UNUSABLE, find
from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Finding, Remedy, Severity

X86, X64 = Architecture.X86, Architecture.X64


def class_key(guid: str) -> str:
    return rf"Control\Class\{guid}"


def service(start: int, image: str = r"system32\drivers\own.sys") -> dict[str, RegistryValue]:
    return {"Type": 1, "Start": start, "ErrorControl": 1, "ImagePath": image}


def names_in(windows: MemoryWindows, key: str, side: str, number: int = 1) -> tuple[str, ...] | None:
    found = windows.hive.key(rf"ControlSet{number:03d}\{key}")
    value = None if found is None else found.value(side)
    return None if value is None else value.multi()


def found_on(windows: MemoryWindows, target: str = "vmware:ide") -> tuple[Finding, ...]:
    return tuple(find(guest(windows, target)))


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.id, each.severity.value) for each in findings]


@pytest.mark.parametrize(
    "release", [NT_4, WINDOWS_2000, WINDOWS_XP, WINDOWS_7, WINDOWS_10], ids=lambda each: each.version
)
def test_filters_as_windows_ships_them_are_no_fault(release: Release) -> None:
    arch = X64 if release is WINDOWS_10 else X86
    assert found_on(core_windows(release=release, arch=arch)) == ()


LEFT_BEHIND = {
    "no service": (in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}}), {}),
    "disabled": (
        in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}, r"Services\prl_strg": service(4)}),
        {r"system32\drivers\own.sys": driver_file()},
    ),
    "no file": (in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}, r"Services\prl_strg": service(0)}), {}),
    "no binary": (
        in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}, r"Services\prl_strg": service(0)}),
        {r"system32\drivers\own.sys": b"no driver" * 1000},
    ),
    "other architecture": (
        in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}, r"Services\prl_strg": service(0)}),
        {r"system32\drivers\own.sys": driver_file(WINDOWS_10, X64)},
    ),
}


@pytest.mark.parametrize("fault", LEFT_BEHIND)
def test_a_filter_that_cannot_be_loaded_stops_the_start_and_is_taken_out(fault: str) -> None:
    edits, files = LEFT_BEHIND[fault]
    windows = core_windows(edits, files=files)
    findings = found_on(windows)
    assert summary(findings) == [(UNUSABLE, "blocker"), (UNUSABLE, "warning")]
    assert findings[0].stop_code == "0x7b"
    assert all(isinstance(change, DeleteValue) for each in findings for change in each.changes)
    windows = repaired(windows, findings)
    assert [names_in(windows, DISK, "LowerFilters", number) for number in (1, 2)] == [None, None]
    assert found_on(windows) == ()


def test_the_other_names_stay_in_their_order() -> None:
    """As Acronis leaves it; the service of one of its filters is still good."""
    keys: dict[str, dict[str, RegistryValue]] = {
        DISK: {"UpperFilters": Multi(("snapman", "PartMgr", "fltsrv", "tdrpman"))},
        r"Services\fltsrv": service(0),
    }
    windows = core_windows(in_sets(keys), files={r"system32\drivers\own.sys": driver_file()})
    findings = found_on(windows)
    assert "snapman, tdrpman" in findings[0].title
    windows = repaired(windows, findings)
    assert names_in(windows, DISK, "UpperFilters") == ("PartMgr", "fltsrv")
    assert found_on(windows) == ()


@pytest.mark.parametrize(
    ("target", "guid", "severity"),
    [
        ("vmware:ide", HDC, "blocker"),
        ("vmware:lsilogic", HDC, "warning"),
        ("vmware:lsilogic", SCSI_ADAPTER, "blocker"),
        ("vmware:ide", SCSI_ADAPTER, "warning"),
        ("vmware:ide", SYSTEM_DEVICE, "blocker"),
        ("vmware:ide", VOLUME, "blocker"),
    ],
)
def test_only_classes_that_the_disk_is_behind_stop_the_start(target: str, guid: str, severity: str) -> None:
    """XENFILT filters System and hdc on a machine that came from Xen."""
    windows = core_windows(in_sets({class_key(guid): {"UpperFilters": Multi(("XENFILT",))}}), release=WINDOWS_7)
    findings = found_on(windows, target)
    assert summary(findings) == [(UNUSABLE, severity), (UNUSABLE, "warning")]
    assert found_on(repaired(windows, findings), target) == ()


@pytest.mark.parametrize("key", [r"Enum\ACPI\PNP0A03\0", r"Enum\ACPI\PNP0A03\0\Device Parameters"])
def test_a_filter_of_the_root_bus_alone_counts_too(key: str) -> None:
    windows = core_windows(in_sets({key: {"LowerFilters": Multi(("xenpci",))}}))
    findings = found_on(windows)
    assert summary(findings) == [(UNUSABLE, "blocker"), (UNUSABLE, "warning")]
    windows = repaired(windows, findings)
    assert (names_in(windows, key, "LowerFilters"), found_on(windows)) == (None, ())


@pytest.mark.parametrize(
    "device",
    [
        r"PCI\VEN_8086&DEV_7191&SUBSYS_00000000&REV_01\3&61AAA01&0&08",
        r"PCI\VEN_101E&DEV_1960&SUBSYS_04711028&REV_20\3&29E81982&0&40",
        r"SCSI\Disk&Ven_MegaRAID&Prod_LD_0_RAID5&Rev_1L37\4&1F7FB1A0&0&000",
    ],
)
def test_devices_of_the_old_machine_do_not_count(device: str) -> None:
    assert found_on(core_windows(in_sets({rf"Enum\{device}": {"UpperFilters": Multi(("AGP440",))}}))) == ()


def test_a_bridge_that_may_stand_elsewhere_is_no_more_than_a_warning() -> None:
    key = r"Enum\PCI\VEN_15AD&DEV_0790&SUBSYS_079015AD&REV_02\3&18D45AA6&0&88"
    windows = core_windows(in_sets({key: {"UpperFilters": Multi(("old",))}}))
    findings = found_on(windows)
    assert summary(findings) == [(UNUSABLE, "warning"), (UNUSABLE, "warning")]
    assert found_on(repaired(windows, findings)) == ()


@pytest.mark.parametrize("start", [1, 2, 3])
def test_a_filter_that_starts_late_is_only_offered_to_start_at_boot(start: int) -> None:
    keys: dict[str, dict[str, RegistryValue]] = {
        DISK: {"LowerFilters": Multi(("own",))},
        r"Services\own": service(start),
    }
    windows = core_windows(in_sets(keys), files={r"system32\drivers\own.sys": driver_file()})
    findings = found_on(windows)
    assert summary(findings) == [(NOT_BOOT_START, "warning"), (NOT_BOOT_START, "warning")]
    assert findings[0].leaves_open
    assert {each.remedy for each in findings} == {Remedy.OFFERED}
    assert found_on(repaired(windows, findings)) == ()


@pytest.mark.parametrize("name", ["partmgr", "volsnap", "kbdclass"])
def test_names_that_windows_ships_are_never_taken_out(name: str) -> None:
    windows = core_windows(
        in_sets({class_key(VOLUME): {"UpperFilters": Multi((name,))}}) + without_keys(f"Services\\{name}")
    )
    assert found_on(windows) == ()


@pytest.mark.parametrize(
    ("release", "arch", "listed", "wanted"),
    [
        (WINDOWS_XP, X86, None, ("PartMgr",)),
        (WINDOWS_XP, X86, ("own",), ("PartMgr", "own")),
        (WINDOWS_7, X86, ("snapman",), ("PartMgr",)),
        (WINDOWS_10, X64, None, ("partmgr",)),
    ],
)
def test_partmgr_is_put_back(
    release: Release, arch: Architecture, listed: tuple[str, ...] | None, wanted: tuple[str, ...]
) -> None:
    keys = {DISK: {"UpperFilters": Multi(listed)}} if listed else {}
    edits = in_sets({**keys, r"Services\own": service(0)}) if keys else without_values(DISK, "UpperFilters")
    windows = core_windows(edits, release=release, arch=arch, files={r"system32\drivers\own.sys": driver_file()})
    findings = found_on(windows)
    assert NO_PARTMGR in {each.id for each in findings if each.severity is Severity.BLOCKER}
    windows = repaired(windows, findings)
    assert [names_in(windows, DISK, "UpperFilters", number) for number in (1, 2)] == [wanted, wanted]
    assert found_on(windows) == ()


def test_partmgr_comes_back_with_its_class() -> None:
    windows = core_windows(without_keys(DISK))
    windows = repaired(windows, found_on(windows))
    assert names_in(windows, DISK, "UpperFilters") == ("PartMgr",)


def test_a_single_string_is_a_list_of_one() -> None:
    """RtlQueryRegistryValues gives both alike."""
    windows = core_windows(in_sets({DISK: {"LowerFilters": "snapman"}}))
    (change,) = found_on(windows)[0].changes
    assert isinstance(change, DeleteValue)


def test_a_list_of_thousands_is_told_in_short() -> None:
    names = tuple(f"filter{number}" for number in range(3000))
    windows = core_windows(in_sets({DISK: {"UpperFilters": Multi(("PartMgr", *names))}}))
    finding = found_on(windows)[0]
    assert len(finding.title) < 250
    assert len(finding.evidence) < 10
    (change,) = finding.changes
    assert isinstance(change, SetValue)


def test_the_verdict_is_what_the_kernel_says() -> None:
    windows = core_windows(in_sets({class_key(HDC): {"LowerFilters": Multi(("XENFILT",))}}))
    found = diagnose(guest(windows))
    assert (found.verdict, found.stop_code) == (Verdict.BLOCKED, "0x7b")
    assert [each.id for each in found.blockers] == [UNUSABLE]
    assert diagnose(guest(repaired(windows, found.findings))).verdict is Verdict.BOOTS
