"""Where a driver is lacking: the other controllers of the same hypervisor that need none from outside."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bootgraft.checks.controller import target
from bootgraft.checks.controller.facts import DriverReader, gather
from bootgraft.checks.diagnosis import STORAGE_CHECKS, Diagnosis, Verdict
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import CONTROLLERS, Controller
from bootgraft.windows.installation import Installation


@dataclass(frozen=True, slots=True)
class Alternative:
    """A target that needs no driver from outside; ``as_it_is``: nothing has to be changed for it either."""

    target: str
    as_it_is: bool


def find_alternatives(diagnosis: Diagnosis, hive: Hive | None) -> tuple[Alternative, ...]:
    """The targets to choose instead, best first; none where the diagnosis does not lack a driver.

    ``hive`` is the SYSTEM of its Windows. Raises HiveError and FileSystemError for damage on the way.
    """
    installation, controller = diagnosis.installation, diagnosis.controller
    lacks = diagnosis.verdict is Verdict.BLOCKED and any(each.remedy is Remedy.DRIVER for each in diagnosis.blockers)
    if installation is None or hive is None or controller is None or diagnosis.facts is None or not lacks:
        return ()
    found = _others(installation, hive, controller)
    return tuple(sorted(found, key=lambda each: not each.as_it_is))


def _others(installation: Installation, hive: Hive, controller: Controller) -> Iterator[Alternative]:
    # The default control set decides; driver files are read once for all controllers.
    installation = replace(installation, control_sets=(installation.select.default,))
    reader = DriverReader(installation)
    for other in CONTROLLERS:
        if other.hypervisor != controller.hypervisor or other is controller:
            continue
        findings = list(_findings(installation, hive, other, reader))
        blockers = [each for each in findings if each.severity is Severity.BLOCKER]
        open_ones = [each for each in findings if each.leaves_open]
        if all(each.remedy is Remedy.CHANGES for each in (*blockers, *open_ones)):
            yield Alternative(other.target, as_it_is=not blockers and not open_ones)


def _findings(
    installation: Installation, hive: Hive, controller: Controller, reader: DriverReader
) -> Iterator[Finding]:
    yield from target.check(installation, controller)
    facts = gather(installation, hive, controller, reader=reader)
    for check in STORAGE_CHECKS:
        yield from check(facts)
