"""Virtualisation-based security of Windows 11 and Server 2025 on KVM."""

import pytest
from msgspec.structs import replace
from tests.checks.core.protected import INTEGRITY, SCENARIO, on, protected
from tests.core_windows import repaired
from tests.machines.registry_text import RegistryValue
from tests.machines.windows_hives import WINDOWS_10, WINDOWS_11
from tests.software_edits import with_software

from bootgraft.changes import SetValue
from bootgraft.checks.core.virtualization_security import find
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.targets.descriptions.hardware import Processor

POLICY = r"Policies\Microsoft\Windows\DeviceGuard"


@pytest.mark.parametrize(
    "keys",
    [
        INTEGRITY,
        {r"Control\DeviceGuard": {"EnableVirtualizationBasedSecurity": 1}},
        {r"Control\Lsa": {"LsaCfgFlags": 2}},
        {r"Control\DeviceGuard\Scenarios\CredentialGuard": {"Enabled": 1}},
    ],
)
def test_each_value_that_turns_it_on_is_named_and_turned_off(keys: dict[str, dict[str, RegistryValue]]) -> None:
    windows = protected(keys)
    (finding,) = find(on(windows))
    assert (finding.severity, finding.remedy, finding.leaves_open) == (Severity.WARNING, Remedy.OFFERED, False)
    assert len(finding.evidence) == 1
    assert len(finding.changes) == 2  # in both control sets
    assert tuple(find(on(repaired(windows, (finding,))))) == ()


def test_a_policy_counts_and_is_turned_off_too() -> None:
    policy: dict[str, dict[str, RegistryValue]] = {POLICY: {"HypervisorEnforcedCodeIntegrity": 2}}
    windows = with_software(protected({}), WINDOWS_11, policy)
    (finding,) = find(on(windows))
    assert f"{POLICY}: HypervisorEnforcedCodeIntegrity=2" in finding.evidence[0]
    assert len(finding.changes) == 1
    assert tuple(find(on(repaired(windows, (finding,))))) == ()


@pytest.mark.parametrize(
    "keys",
    [
        {r"Control\Lsa": {"LsaCfgFlags": 1}},
        {SCENARIO: {"Enabled": 1, "Locked": 1}},
        {r"Control\DeviceGuard": {"EnableVirtualizationBasedSecurity": 1, "Locked": 1}},
    ],
)
def test_with_a_uefi_lock_it_cannot_be_turned_off_offline(keys: dict[str, dict[str, RegistryValue]]) -> None:
    (finding,) = find(on(protected(keys)))
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert "cannot be turned off offline" in finding.explanation
    assert "with UEFI lock" in finding.evidence[0]


def test_the_loader_is_told_too_where_it_was_told_before() -> None:
    (finding,) = find(on(protected(), launch=1))
    change = finding.changes[-1]
    assert isinstance(change, SetValue)
    assert (change.key[-8:], change.value.data, change.before is not None) == ("250000f0", bytes(8), True)
    assert tuple(find(on(protected(), launch=0))) == ()


@pytest.mark.parametrize("target", ["vmware:pvscsi", "hyperv:gen2", "xen:pv"])
def test_other_hypervisors_are_not_judged(target: str) -> None:
    assert tuple(find(on(protected(), target))) == ()


def test_a_machine_with_nested_virtualisation_may_have_it() -> None:
    assert tuple(find(on(protected(), features=("vmx",)))) == ()
    assert len(tuple(find(on(protected(), features=("aes",))))) == 1


@pytest.mark.parametrize(
    ("processor", "severity"),
    [
        (Processor("", "cpu: host", 3, ""), Severity.INFO),
        (Processor("", "<cpu>", 3, "", removed=("vmx",)), Severity.WARNING),
        (Processor("EPYC", "<cpu>", 3, ""), Severity.WARNING),
    ],
)
def test_the_host_s_own_processor_mostly_has_it(processor: Processor, severity: Severity) -> None:
    (finding,) = find(on(protected(), processor=processor))
    assert finding.severity is severity


def test_earlier_windows_do_without() -> None:
    assert tuple(find(on(protected(release=WINDOWS_10)))) == ()
    server = replace(WINDOWS_11, build="20348")
    assert tuple(find(on(protected(release=server)))) == ()
