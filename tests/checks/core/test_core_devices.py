"""The devices above and below the controller that a driver must be bound to."""

import pytest
from tests.core_windows import core_windows, guest, in_sets, repaired, without_keys
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, SERVER_2003, WINDOWS_7, WINDOWS_10, WINDOWS_2000, WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core import core_devices
from bootgraft.checks.core.core_devices import ID
from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Finding, Remedy

DATABASE = r"Control\CriticalDeviceDatabase"


def find(windows: MemoryWindows, target: str = "vmware:ide") -> tuple[Finding, ...]:
    return tuple(core_devices.find(guest(windows, target)))


def broken(*ids: str, release: Release = WINDOWS_XP, more: str = "") -> MemoryWindows:
    return core_windows(without_keys(*(rf"{DATABASE}\{each}" for each in ids)) + more, release=release)


@pytest.mark.parametrize(
    "release", [NT_4, WINDOWS_2000, WINDOWS_XP, SERVER_2003, WINDOWS_7, WINDOWS_10], ids=lambda each: each.version
)
def test_windows_as_shipped_have_them_bound(release: Release) -> None:
    arch = Architecture.X64 if release is WINDOWS_10 else Architecture.X86
    assert find(core_windows(release=release, arch=arch)) == ()


@pytest.mark.parametrize("release", [WINDOWS_XP, WINDOWS_7], ids=lambda each: each.version)
def test_a_root_bus_that_nothing_binds_stops_the_start(release: Release) -> None:
    ids = ("*pnp0a03", "*pnp0a08") if release is WINDOWS_7 else ("*pnp0a03",)
    windows = broken(*ids, release=release)
    findings = find(windows)
    assert [(each.id, each.severity.value) for each in findings] == [(ID, "blocker"), (ID, "warning")]
    windows = repaired(windows, findings)
    assert find(windows) == ()
    key = windows.hive.key(rf"ControlSet001\{DATABASE}\*pnp0a03")
    assert key is not None
    service, class_guid = key.value("Service"), key.value("ClassGUID")
    assert service is not None
    assert class_guid is not None
    assert (service.text(), class_guid.text()) == ("pci", "{4D36E97D-E325-11CE-BFC1-08002BE10318}")


def test_a_key_without_service_binds_to_nothing() -> None:
    windows = core_windows(in_sets({rf"{DATABASE}\*pnp0a03": {"Service": ""}}))
    findings = find(windows)
    assert findings[0].id == ID
    assert find(repaired(windows, findings)) == ()


def test_pci_express_is_compatible_with_pci() -> None:
    assert find(broken("*pnp0a08", release=WINDOWS_7)) == ()


def test_the_acpi_root_is_the_same_device_on_every_machine() -> None:
    assert find(broken("*pnp0c08")) == ()
    windows = broken("*pnp0c08", more=without_keys(r"Enum\ACPI_HAL\PNP0C08"))
    findings = find(windows)
    assert [(each.id, each.severity.value) for each in findings] == [(ID, "blocker"), (ID, "warning")]
    assert find(repaired(windows, findings)) == ()


def test_volumes_and_their_manager_need_one_of_both_from_vista_on() -> None:
    both = (r"root#volmgr", r"storage#volume")
    windows = broken(*both, release=WINDOWS_7, more=without_keys(r"Enum\Root\volmgr"))
    findings = find(windows)
    assert len(findings) == 4
    assert find(repaired(windows, findings)) == ()
    assert find(broken(r"root#volmgr", release=WINDOWS_7)) == ()


def test_the_database_of_windows_10_is_not_repaired() -> None:
    edits = "".join(f"[-\\DriverDatabase\\DeviceIds\\{each}]\n\n" for each in ("*PNP0A03", "*PNP0A08"))
    windows = core_windows(edits, release=WINDOWS_10, arch=Architecture.X64)
    assert [(each.id, each.remedy) for each in find(windows)] == [(ID, Remedy.NONE)] * 2
    assert find(windows, "hyperv:gen2") == ()


def test_the_verdict_is_what_the_kernel_says() -> None:
    found = diagnose(guest(broken("*pnp0a03")))
    assert (found.verdict, found.stop_code) == (Verdict.BLOCKED, "0x7b")
