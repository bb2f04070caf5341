"""The three machines of each finding of ``start_override``."""

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.controller.control_sets import good_set, later_facts, service

from bootgraft.checks.controller import start_override
from bootgraft.checks.controller.facts import LinkFacts
from bootgraft.windows.services import StartOverride


def overridden_set(number: int, start: int | None = 3) -> LinkFacts:
    """A service that Windows 8 or later took out of the boot."""
    override = StartOverride(f"ControlSet{number:03d}\\Services\\symmpi\\StartOverride", "0", start)
    return replace(good_set(number), service=replace(service(number), start_overrides=(override,)))


CASES = {
    start_override.ID: Case(
        start_override.check(later_facts(overridden_set)),
        start_override.check(later_facts(lambda n: overridden_set(n, 0))),
        start_override.check(later_facts()),
    ),
}
