"""Boot drivers of whatever software without a file that the loader could use."""

import pytest
from tests.core_windows import DISK, core_windows, driver_file, guest, in_sets, repaired
from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, WINDOWS_7, WINDOWS_10, WINDOWS_XP
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core import boot_drivers
from bootgraft.checks.core.boot_drivers import ID
from bootgraft.checks.finding import Finding, Remedy

VMCI = r"Services\vmci"
PATH = r"system32\drivers\vmci.sys"


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(boot_drivers.find(guest(windows)))


def service(error_control: int, start: int = 0) -> dict[str, RegistryValue]:
    return {"Type": 1, "Start": start, "ErrorControl": error_control, "ImagePath": PATH}


@pytest.mark.parametrize("release", [NT_4, WINDOWS_XP, WINDOWS_7], ids=lambda each: each.version)
@pytest.mark.parametrize(("error_control", "expected"), [(0, []), (1, ["warning"]), (2, ["blocker"]), (3, ["blocker"])])
def test_its_error_control_says_what_follows(release: object, error_control: int, expected: list[str]) -> None:
    windows = core_windows(in_sets({VMCI: service(error_control)}), release=release)  # type: ignore[arg-type]
    found = find(windows)
    assert [(each.id, each.severity.value) for each in found] == [(ID, severity) for severity in expected]


@pytest.mark.parametrize("keys", [{VMCI: service(3, 1)}, {VMCI: service(3, 4)}])
def test_what_the_loader_does_not_load_does_not_count(keys: dict[str, dict[str, RegistryValue]]) -> None:
    assert find(core_windows(in_sets(keys))) == ()


def test_a_demoted_driver_does_not_count() -> None:
    keys: dict[str, dict[str, RegistryValue]] = {VMCI: service(3), rf"{VMCI}\StartOverride": {"0": 3}}
    assert find(core_windows(in_sets(keys), release=WINDOWS_10, arch=Architecture.X64)) == ()


@pytest.mark.parametrize("content", [b"no driver" * 900, driver_file(WINDOWS_10, Architecture.X64)])
def test_a_file_that_is_no_use_is_as_bad_as_none(content: bytes) -> None:
    (finding,) = find(core_windows(in_sets({VMCI: service(3)}), files={PATH: content}))
    assert (finding.severity, finding.remedy) == ("blocker", Remedy.OFFERED)


def test_to_disable_it_is_offered() -> None:
    windows = core_windows(in_sets({VMCI: service(3)}))
    findings = find(windows)
    assert [each.remedy for each in findings] == [Remedy.OFFERED]
    assert find(repaired(windows, findings)) == ()


def test_a_filter_is_not_disabled_while_it_is_listed() -> None:
    windows = core_windows(in_sets({VMCI: service(3), DISK: {"UpperFilters": Multi(("PartMgr", "vmci"))}}))
    assert [each.remedy for each in find(windows)] == [Remedy.NONE]


def test_a_driver_of_windows_comes_from_a_cache() -> None:
    windows = core_windows(
        release=WINDOWS_7, without=(r"system32\drivers\msisadrv.sys",),
        files={r"System32\DriverStore\FileRepository\machine.inf_x86_neutral_x\msisadrv.sys": driver_file(WINDOWS_7)},
    )  # fmt: skip
    findings = find(windows)
    assert [each.remedy for each in findings] == [Remedy.CHANGES]
    assert find(repaired(windows, findings)) == ()
