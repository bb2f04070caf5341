"""The three machines of each finding of ``driver_signature``."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.controller.control_sets import DRIVER, facts, good_set, later_facts
from tests.checks.subjects import LSI_LOGIC

from bootgraft.checks.controller import driver_signature
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.installation import Architecture
from bootgraft.windows.pe import PeFacts

X64_DRIVER = replace(DRIVER, pe=PeFacts(Architecture.X64, ("SCSIPORT.SYS",), (1, 9, 0, 0)))


def unsigned_set(number: int) -> LinkFacts:
    """A driver that nobody signed, for a controller that this Windows ships another for."""
    return replace(good_set(number), driver=replace(X64_DRIVER, signed=False))


def x64_facts(make: Callable[[int], LinkFacts]) -> ControllerFacts:
    """A 64-bit Windows 7."""
    found = replace(facts(make), version=(6, 1), architecture=Architecture.X64)
    link = driver_chain(LSI_LOGIC, (6, 1)).links[0]
    return replace(found, links=tuple(replace(each, link=link) for each in found.links))


CASES = {
    driver_signature.ID: Case(
        driver_signature.check(x64_facts(lambda n: unsigned_set(n))),
        driver_signature.check(x64_facts(lambda n: replace(unsigned_set(n), driver=X64_DRIVER))),
        driver_signature.check(later_facts(unsigned_set)),  # a 32-bit Windows
    ),
}
