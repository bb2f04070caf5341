"""What tools that inject drivers by hand get wrong: the class of a binding, the BusType, where a Windows looks."""

from collections.abc import Callable

import pytest
from tests.checks.controller.injected import NO_VERSION, UNUSED, WRONG_CLASS, bound_7, bound_10, found
from tests.core_windows import guest, repaired
from tests.memory_windows import MemoryWindows

from bootgraft.checks.controller import injected_driver
from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.windows.driver_database import PackageVersion, find_database_binding


@pytest.mark.parametrize(("make", "count"), [(bound_7, 2), (bound_10, 2)])
def test_a_controller_in_the_class_of_disks_is_put_right(make: Callable[..., MemoryWindows], count: int) -> None:
    windows = make(class_guid=WRONG_CLASS)
    findings = tuple(found(windows))
    assert [(each.id, each.severity, each.remedy) for each in findings] == [
        (injected_driver.CLASS, Severity.WARNING, Remedy.CHANGES)
    ] * count
    assert [each.leaves_open for each in findings] == [True, False]  # of the control set that starts
    assert tuple(found(repaired(windows, findings))) == ()


def test_nothing_else_of_the_package_changes() -> None:
    windows = bound_10(class_guid=WRONG_CLASS)
    fixed = repaired(windows, tuple(found(windows)))
    before, after = (find_database_binding(each.hive, (r"PCI\VEN_1AF4&DEV_1004",)) for each in (windows, fixed))
    assert before.binding is not None
    assert after.binding is not None
    assert before.binding.version is not None
    assert after.binding.version is not None
    assert after.binding.version.class_guid == "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
    assert after.binding.version.encode()[24:] == before.binding.version.encode()[24:]


@pytest.mark.parametrize("make", [bound_7, bound_10])
def test_a_bus_type_that_the_inf_has_not_is_put_right(make: Callable[..., MemoryWindows]) -> None:
    windows = make(bus_type=1)
    findings = tuple(found(windows))
    assert [(each.id, each.leaves_open) for each in findings] == [(injected_driver.BUS_TYPE, False)] * 2
    assert "BusType=0x01 (SCSI); the driver's INF has 0x0A (SAS)" in findings[0].evidence[0]
    assert tuple(found(repaired(windows, findings))) == ()


def test_without_a_bus_type_windows_starts() -> None:
    assert tuple(found(bound_7(bus_type=None))) == ()


def test_a_bus_type_of_any_number_is_shown() -> None:
    assert "BusType=0xFFFFFFFF;" in next(found(bound_7(bus_type=0xFFFFFFFF))).evidence[0]


def test_what_this_windows_never_reads_is_told() -> None:
    findings = tuple(found(bound_10(edits=UNUSED)))
    assert [(each.id, each.severity) for each in findings] == [(injected_driver.UNUSED, Severity.INFO)] * 2
    assert findings[0].evidence[0].endswith("pci#ven_1af4&dev_1001&subsys_00081af4")


def test_the_wrong_class_leaves_the_verdict_open() -> None:
    found_ = diagnose(guest(bound_10(class_guid=WRONG_CLASS), "kvm:virtio-scsi"))
    assert injected_driver.CLASS in {each.id for each in found_.findings}
    assert found_.verdict is not Verdict.BOOTS


def test_a_package_without_a_version_gets_one_and_leaves_the_verdict_open_until_then() -> None:
    windows = bound_10(edits=NO_VERSION)
    (finding,) = found(windows)
    assert (finding.id, finding.leaves_open, finding.remedy) == (injected_driver.NO_VERSION, True, Remedy.CHANGES)
    fixed = repaired(windows, (finding,))
    assert tuple(found(fixed)) == ()
    binding = find_database_binding(fixed.hive, (r"PCI\VEN_1AF4&DEV_1004",)).binding
    assert binding is not None
    assert binding.version == PackageVersion(
        is_inbox=False,
        architecture=9,
        class_guid="{4D36E97B-E325-11CE-BFC1-08002BE10318}",
        date=0,
        version=(0, 0, 0, 0),
    )
