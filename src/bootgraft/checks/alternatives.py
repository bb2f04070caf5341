"""Where a driver is lacking: the other controllers of the same hypervisor that need none from outside."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.checks.diagnosis import Diagnosis, Verdict, findings_of
from bootgraft.checks.finding import Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.targets.controllers import CONTROLLERS, Controller


class Alternative(Struct, frozen=True):
    """A target that needs no driver from outside; ``as_it_is``: nothing has to be changed for it either."""

    target: str
    as_it_is: bool


def find_alternatives(diagnosis: Diagnosis, guest: Guest) -> tuple[Alternative, ...]:
    """The targets to choose instead, best first; none where the diagnosis of this guest does not lack a driver.

    Raises HiveError and FileSystemError for damage on the way.
    """
    lacks = diagnosis.verdict is Verdict.BLOCKED and any(each.remedy is Remedy.DRIVER for each in diagnosis.blockers)
    if diagnosis.facts is None or not lacks:
        return ()
    found = _others(guest, diagnosis.facts.controller)
    return tuple(sorted(found, key=lambda each: not each.as_it_is))


def _others(guest: Guest, controller: Controller) -> Iterator[Alternative]:
    windows = guest.installation
    if windows is None:
        return
    # The default control set decides.
    windows = replace(windows, control_sets=(windows.select.default,))
    guest = Guest(guest.machine, guest.chain, windows, guest.hive)
    for other in CONTROLLERS:
        if other.hypervisor != controller.hypervisor or other is controller:
            continue
        found = findings_of(guest.on(other), Stage.CONTROLLER)
        blockers = [each for each in found if each.severity is Severity.BLOCKER]
        open_ones = [each for each in found if each.leaves_open]
        if all(each.remedy is Remedy.CHANGES for each in (*blockers, *open_ones)):
            yield Alternative(other.target, as_it_is=not blockers and not open_ones)
