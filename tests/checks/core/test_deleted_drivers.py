"""Drivers of Windows' own that clean-ups of VMware Tools delete."""

from tests.checks.core.cases_deleted_drivers import FILE, asked, without
from tests.core_windows import core_windows, guest, in_sets
from tests.machines.registry_text import RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10, WINDOWS_VISTA

from bootgraft.checks.core import boot_drivers, deleted_drivers
from bootgraft.checks.finding import Remedy, Severity


def service(file: str, start: int = 3) -> dict[str, RegistryValue]:
    return {"Type": 1, "Start": start, "ErrorControl": 1, "ImagePath": rf"\SystemRoot\System32\drivers\{file}"}


FOUR = in_sets({
    r"Services\vmgid": service("vmgid.sys"), r"Services\gencounter": service("vmgencounter.sys"),
    r"Services\s3cap": service("vms3cap.sys"),
})  # fmt: skip


def test_one_that_the_loader_misses_is_a_warning_and_said_once() -> None:
    windows = without(FILE)
    (finding,) = deleted_drivers.find(guest(windows))
    assert (finding.severity, finding.remedy, finding.changes) == (Severity.WARNING, Remedy.OFFERED, ())
    assert tuple(boot_drivers.find(guest(windows))) == ()


def test_the_copy_is_looked_for_where_it_is_asked_for() -> None:
    (finding,) = asked(guest(without(FILE)))
    assert "wstorflt.inf_x86_neutral_x\\vmstorfl.sys fits and can take its place" in finding.evidence[-1]
    (finding,) = asked(guest(without(FILE, copy=False)))
    assert finding.remedy is Remedy.NONE
    assert "sfc /scannow" in finding.explanation


def test_those_that_no_loader_loads_are_told_with_whose_work_it_is() -> None:
    windows = core_windows(FOUR, release=WINDOWS_10, arch=Architecture.X64)
    (finding,) = deleted_drivers.find(guest(windows))
    assert finding.severity is Severity.INFO
    assert "vJailbreak" in finding.explanation
    assert len(finding.evidence) == 3


def test_disabled_ones_and_earlier_windows_do_not_count() -> None:
    disabled = in_sets({r"Services\s3cap": service("vms3cap.sys", 4)})
    assert tuple(deleted_drivers.find(guest(core_windows(disabled, release=WINDOWS_10, arch=Architecture.X64)))) == ()
    assert tuple(deleted_drivers.find(guest(core_windows(FOUR, release=WINDOWS_VISTA)))) == ()


def test_whose_a_boot_driver_without_a_file_is_stands_in_the_evidence() -> None:
    vmci = in_sets({r"Services\vmci": {"Type": 1, "Start": 0, "ErrorControl": 1}})
    (finding,) = boot_drivers.find(guest(core_windows(vmci)))
    assert "vmci belongs to VMware Tools" in finding.evidence
