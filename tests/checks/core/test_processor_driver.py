"""Drivers of processors: of a physical machine, of another maker, and where nothing is said."""

import pytest
from tests.core_windows import core_windows, guest, in_sets, repaired, without_keys
from tests.machines.registry_text import RegistryValue
from tests.machines.windows_hives import NT_4, SERVER_2003, WINDOWS_7, WINDOWS_2000, WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.processor_driver import ID, find
from bootgraft.checks.finding import Remedy, Severity

INTEL, AMD = "GenuineIntel_-_x86_Family_6_Model_37", "AuthenticAMD_-_x86_Family_15_Model_4"
PHYSICAL, VMWARE = r"PCI\VEN_8086&DEV_2580\3&1", r"PCI\VEN_15AD&DEV_0405\3&1"


def windows(
    start: int = 1, *devices: str, cpu: str = INTEL, service: str = "intelppm", release: Release = WINDOWS_XP
) -> MemoryWindows:
    keys: dict[str, dict[str, RegistryValue]] = {rf"Enum\{each}": {"Service": "x"} for each in devices}
    keys[rf"Services\{service}"] = {"Start": start, "Type": 1}
    if cpu:
        keys[rf"Enum\ACPI\{cpu}\_0"] = {"Service": service}
    return core_windows(without_keys(r"Enum\PCI") + in_sets(keys), release=release)


def found(machine: MemoryWindows) -> list[tuple[str, Severity, Remedy]]:
    return [(each.id, each.severity, each.remedy) for each in find(guest(machine))]


WARNED = [(ID, Severity.WARNING, Remedy.OFFERED)]


@pytest.mark.parametrize("service", ["intelppm", "processr", "p3"])
@pytest.mark.parametrize("release", [WINDOWS_2000, WINDOWS_XP, SERVER_2003], ids=lambda each: each.version)
def test_that_of_a_physical_machine_is_a_warning(service: str, release: Release) -> None:
    assert found(windows(1, PHYSICAL, service=service, release=release)) == WARNED


def test_a_virtual_machine_gains_no_warning() -> None:
    assert found(windows(1, PHYSICAL, VMWARE)) == []
    assert found(windows(1)) == []  # nothing tells that it was a physical one


def test_one_for_another_processor_than_the_only_known_one_is_told_of_virtual_machines_too() -> None:
    assert found(windows(1, VMWARE, cpu=AMD)) == WARNED
    assert found(windows(1, VMWARE, cpu=AMD, service="amdk8")) == []
    assert found(windows(1, VMWARE, cpu=AMD, service="processr")) == []
    assert found(windows(1, VMWARE, cpu="")) == []


@pytest.mark.parametrize("start", [2, 3, 4])
def test_what_is_not_started_with_the_system_does_nothing(start: int) -> None:
    assert found(windows(start, PHYSICAL)) == []


@pytest.mark.parametrize("release", [NT_4, WINDOWS_7], ids=lambda each: each.version)
def test_other_releases_are_not_judged(release: Release) -> None:
    assert found(windows(1, PHYSICAL, release=release)) == []


def test_it_is_disabled_in_every_control_set() -> None:
    machine = windows(1, PHYSICAL)
    findings = tuple(find(guest(machine)))
    assert len(findings[0].changes) == 2
    assert found(repaired(machine, findings)) == []
