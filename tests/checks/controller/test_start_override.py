"""StartOverride: a value counts for the hardware configuration that it is called after."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from tests.checks.controller.control_sets import good_set, later_facts, service
from tests.windows.hives import hive_of

from bootgraft.checks.controller.facts import LinkFacts
from bootgraft.checks.controller.start_override import check
from bootgraft.checks.finding import Severity
from bootgraft.windows.services import StartOverride, read_service

KEY = "ControlSet001\\Services\\symmpi"


def overrides(values: Mapping[str, int], last: int | None) -> tuple[StartOverride, ...]:
    """As they are read from a hive whose HardwareConfig says this LastId."""
    text = '[\\ControlSet001\\Services\\symmpi]\n"Start"=dword:00000000\n\n'
    text += "[\\ControlSet001\\Services\\symmpi\\StartOverride]\n"
    text += "".join(f'"{name}"=dword:{start:08x}\n' for name, start in values.items())
    text += "" if last is None else f'\n[\\HardwareConfig]\n"LastId"=dword:{last:08x}\n'
    found = read_service(hive_of(text), 1, "symmpi")
    assert found is not None
    return found.start_overrides


@pytest.mark.parametrize(
    ("values", "last", "severity"),
    [
        ({"0": 3}, 0, Severity.BLOCKER),
        ({"0": 3}, None, Severity.BLOCKER),
        ({"0": 3, "1": 0}, 1, Severity.WARNING),
        ({"0": 3}, 1, Severity.WARNING),
        ({"0": 3, "1": 3}, 1, Severity.BLOCKER),
        ({"0": 0, "1": 0}, 1, None),
    ],
)
def test_values_of_other_configurations_only_warn(
    values: Mapping[str, int], last: int | None, severity: Severity | None
) -> None:
    def demoted(number: int) -> LinkFacts:
        return replace(good_set(number), service=replace(service(number), start_overrides=overrides(values, last)))

    found = check(later_facts(demoted))
    assert [each.severity for each in found][:1] == ([] if severity is None else [severity])
    for each in found:
        assert not each.leaves_open
        assert len(each.changes) == sum(start != 0 for start in values.values()), "all are lifted, to be sure"
