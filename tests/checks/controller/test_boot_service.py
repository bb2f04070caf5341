"""The bound service: there or not, started by the loader or not."""

import pytest
from msgspec.structs import replace
from tests.checks.controller.cases_boot_service import by_system_root
from tests.checks.controller.control_sets import DRIVER, facts, good_set, instance, service
from tests.checks.subjects import HIVE

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.controller.boot_service import MISSING, NOT_BOOT_START, NOT_RELATIVE, check
from bootgraft.checks.controller.facts import LinkFacts
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.registry.values import text_data

RELATIVE = "system32\\DRIVERS\\symmpi.sys"


def test_a_service_that_is_missing() -> None:
    found = check(facts(lambda n: replace(good_set(n), service=None)))
    assert [(each.id, each.severity) for each in found] == [(MISSING, Severity.BLOCKER), (MISSING, Severity.WARNING)]
    assert found[0].title == "the service symmpi is missing in ControlSet001"
    assert "CriticalDeviceDatabase\\pci#ven_1000&dev_0030 binds" in found[0].evidence[0]
    assert found[0].evidence[0].endswith("there is no key ControlSet001\\Services\\symmpi")


def test_a_service_that_only_an_instance_names() -> None:
    found = check(facts(lambda n: replace(good_set(n), service=None, binding=None, instances=(instance(n),))))
    assert "an Enum instance binds" in found[0].evidence[0]


@pytest.mark.parametrize("start", [1, 2, 3, 4, None, 0xFFFFFFFF])
def test_only_start_0_is_read_by_the_loader(start: int | None) -> None:
    found = check(facts(lambda n: replace(good_set(n), service=service(n, start=start))))
    assert [each.id for each in found] == [NOT_BOOT_START] * 2
    assert found[0].remedy is Remedy.CHANGES
    assert f"Start={start}, Type=1" in found[0].evidence[0]


@pytest.mark.parametrize(
    ("start", "type_", "changed"), [(4, 1, ["Start"]), (0, 2, ["Type"]), (4, 2, ["Start", "Type"]), (0, 1, [])]
)
def test_the_changes_are_those_that_are_needed(start: int, type_: int, changed: list[str]) -> None:
    def make(number: int) -> LinkFacts:
        return replace(good_set(number), service=service(number, start=start, type_=type_))

    changes = [change for finding in check(facts(make, good_set)) for change in finding.changes]
    assert all(isinstance(change, SetValue) for change in changes)
    assert [change.name for change in changes if isinstance(change, SetValue)] == changed
    for change in changes:
        assert isinstance(change, SetValue)
        assert change.key == "ControlSet001\\Services\\symmpi"
        assert change.value == RegistryData(4, (0 if change.name == "Start" else 1).to_bytes(4, "little"))


def test_without_a_binding_there_is_no_service_to_judge() -> None:
    assert check(facts(lambda n: replace(good_set(n), service_name=None, service=None))) == ()


def test_a_path_that_only_the_kernel_understands_becomes_relative() -> None:
    default, _ = check(facts(by_system_root))
    assert (default.id, default.severity, default.leaves_open) == (NOT_RELATIVE, Severity.WARNING, True)
    assert default.evidence[0].endswith("Services\\symmpi: ImagePath=\\SystemRoot\\system32\\DRIVERS\\symmpi.sys")
    old, new = (text_data(each) for each in (f"\\SystemRoot\\{RELATIVE}", RELATIVE))
    path = "ControlSet001\\Services\\symmpi"
    assert default.changes == (SetValue(HIVE, path, "ImagePath", RegistryData(2, new), RegistryData(2, old)),)


def test_a_path_outside_windows_is_only_told() -> None:
    def elsewhere(number: int) -> LinkFacts:
        made = good_set(number)
        driver = replace(DRIVER, path="\\drivers\\symmpi.sys")
        return replace(made, driver=driver, service=replace(service(number), image_path="C:\\drivers\\symmpi.sys"))

    for found in check(facts(elsewhere)):
        assert (found.id, found.remedy, found.changes) == (NOT_RELATIVE, Remedy.NONE, ())
