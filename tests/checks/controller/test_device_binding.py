"""The binding of a driver to the controller: in the CriticalDeviceDatabase, in Enum alone, or nowhere."""

from msgspec.structs import replace
from tests.checks.controller.cases_device_binding import only_in_one_slot
from tests.checks.controller.control_sets import bare_set, binding, facts, good_set, instance

from bootgraft.checks.controller.device_binding import MISSING, ONLY_INSTANCE, check
from bootgraft.checks.finding import Remedy, Severity


def test_the_default_set_blocks_and_another_one_warns() -> None:
    found = check(facts(bare_set))
    assert [(each.id, each.severity) for each in found] == [(MISSING, Severity.BLOCKER), (MISSING, Severity.WARNING)]
    assert found[0].title == "no driver for PCI\\VEN_1000&DEV_0030 in ControlSet001"
    assert found[0].remedy is Remedy.DRIVER


def test_only_the_other_set_lacks_it() -> None:
    assert [each.severity for each in check(facts(good_set, bare_set))] == [Severity.WARNING]


def test_the_evidence_names_the_id_that_always_matches_and_counts_the_others() -> None:
    (evidence,) = check(facts(bare_set))[0].evidence
    assert evidence.startswith("\\WINDOWS\\system32\\config\\SYSTEM: ControlSet001\\Control\\CriticalDeviceDatabase")
    assert "pci#ven_1000&dev_0030, nor for any of the 10 other ids" in evidence


def test_a_key_with_a_class_and_no_service_is_no_binding() -> None:
    found = check(facts(lambda n: replace(bare_set(n), binding=binding(n, service=None))))
    assert [each.id for each in found] == [MISSING, MISSING]
    assert found[0].severity is Severity.BLOCKER
    assert "pci#ven_1000&dev_0030 has a ClassGUID but no Service" in found[0].evidence[0]


def test_bound_in_one_slot_only_warns_and_names_the_slot() -> None:
    found = check(facts(only_in_one_slot))
    assert [(each.id, each.severity) for each in found] == [(ONLY_INSTANCE, Severity.WARNING)] * 2
    assert "3&61aaa01&0&80 names the service symmpi" in found[0].evidence[1]
    assert "in the slot that it stood in before" in found[0].explanation


def test_a_dead_key_beside_a_populated_instance_is_bound_in_one_slot() -> None:
    found = check(facts(lambda n: replace(good_set(n), binding=binding(n, service=None), instances=(instance(n),))))
    assert [each.id for each in found] == [ONLY_INSTANCE] * 2
