"""Old device instances: which of them keep the bound service away, and what repairs them."""

import pytest
from msgspec.structs import replace
from tests.checks.controller.control_sets import facts, good_set, instance
from tests.checks.subjects import HIVE

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.controller.enum_instance import ID, check, defeats, rebind
from bootgraft.checks.finding import Severity
from bootgraft.registry.values import text_data
from bootgraft.windows.bindings import EnumInstance

GOOD = instance(1)
FRESH = instance(1, class_guid=None, service_name=None, flags=None)
DISABLED = instance(1, flags=1)
DISABLED_WITH_MORE = instance(1, flags=0x61)
UNSERVICED = instance(1, service_name=None)
OTHER = instance(1, service_name="lsimpt")
OTHER_AND_DISABLED = instance(1, service_name="lsimpt", flags=1)
OTHER_CASE = instance(1, service_name="SYMMPI")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (GOOD, False), (FRESH, False), (OTHER_CASE, False), (DISABLED, True), (DISABLED_WITH_MORE, True),
        (UNSERVICED, True), (OTHER, True), (OTHER_AND_DISABLED, True),
    ],
)  # fmt: skip
def test_which_instances_defeat_the_binding(found: EnumInstance, expected: bool) -> None:
    assert defeats(found, "symmpi") is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (DISABLED, {"ConfigFlags": (0).to_bytes(4, "little")}),
        (DISABLED_WITH_MORE, {"ConfigFlags": (0x60).to_bytes(4, "little")}),
        (UNSERVICED, {"Service": text_data("symmpi")}),
        (OTHER, {"Service": text_data("symmpi")}),
        (OTHER_AND_DISABLED, {"ConfigFlags": (0).to_bytes(4, "little"), "Service": text_data("symmpi")}),
        (GOOD, {}),
    ],
)
def test_what_repairs_them_and_nothing_more(found: EnumInstance, expected: dict[str, bytes]) -> None:
    changes = rebind(HIVE, [found], "symmpi")
    assert {change.name: change.value.data for change in changes} == expected
    assert all(change.key == found.key_path for change in changes)


def test_what_was_there_is_the_precondition() -> None:
    (change,) = rebind(HIVE, [OTHER], "symmpi")
    assert change.before == RegistryData(1, text_data("lsimpt"))
    (change,) = rebind(HIVE, [UNSERVICED], "symmpi")
    assert change.before is None


@pytest.mark.parametrize("found", [DISABLED, DISABLED_WITH_MORE, UNSERVICED, OTHER, OTHER_AND_DISABLED])
def test_a_repaired_instance_no_longer_defeats_it(found: EnumInstance) -> None:
    for change in rebind(HIVE, [found], "symmpi"):
        assert isinstance(change, SetValue)
        if change.name == "Service":
            found = replace(found, service="symmpi")
        else:
            found = replace(found, config_flags=int.from_bytes(change.value.data, "little"))
    assert not defeats(found, "symmpi")


def test_a_finding_for_each_instance_in_each_set() -> None:
    both = (instance(1, flags=1), instance(1, service_name=None))
    found = check(facts(lambda n: replace(good_set(n), instances=both)))
    assert [(each.id, each.severity) for each in found] == [(ID, Severity.BLOCKER)] * 2 + [(ID, Severity.WARNING)] * 2
    assert "is disabled in ControlSet001" in found[0].title
    assert "is bound to no service in ControlSet001" in found[1].title
    assert "Service=(none), ConfigFlags=0" in found[1].evidence[0]


def test_without_a_service_there_is_nothing_to_defeat() -> None:
    assert check(facts(lambda n: replace(good_set(n), service_name=None, instances=(DISABLED,)))) == ()
