"""The driver's file: missing, useless, or built for another processor."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import DRIVER, DRIVER_PATH, facts, good_set

from bootgraft.checks.controller.driver_file import MISSING, UNUSABLE, WRONG_ARCHITECTURE, check
from bootgraft.checks.finding import Finding, Severity
from bootgraft.windows.driver_files import DriverFacts
from bootgraft.windows.pe import Architecture, PeFacts


def found_for(driver: DriverFacts) -> tuple[Finding, ...]:
    return check(facts(lambda n: replace(good_set(n), driver=driver)))


def test_a_file_that_is_missing() -> None:
    found = found_for(DriverFacts(DRIVER_PATH, present=False))
    assert [(each.id, each.severity) for each in found] == [(MISSING, Severity.BLOCKER), (MISSING, Severity.WARNING)]
    assert found[0].title == f"the driver file {DRIVER_PATH} is missing (ControlSet001)"
    assert found[0].evidence[0].startswith("disk 0 partition 2: ControlSet001\\Services\\symmpi")


def test_a_file_that_is_no_driver() -> None:
    found = found_for(DriverFacts(DRIVER_PATH, present=True, fault="it is encrypted (EFS)"))
    assert {each.id for each in found} == {UNUSABLE}
    assert found[0].evidence == (f"disk 0 partition 2: {DRIVER_PATH}: it is encrypted (EFS)",)


def test_a_file_for_another_processor() -> None:
    found = found_for(replace(DRIVER, pe=PeFacts(Architecture.X64, (), None)))
    assert {each.id for each in found} == {WRONG_ARCHITECTURE}
    assert found[0].title == f"the driver file {DRIVER_PATH} is for x64 (ControlSet001)"
    assert "built for x64; this Windows is x86" in found[0].evidence[0]


def test_where_nothing_names_a_file_there_is_nothing_to_say() -> None:
    assert check(facts(lambda n: replace(good_set(n), service=None, driver=None))) == ()
