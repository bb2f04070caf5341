"""The three machines of each finding of ``target``."""

from tests.checks.case import Case
from tests.checks.subjects import LSI_LOGIC, gpt_installation, installation

from bootgraft.checks.controller import target
from bootgraft.checks.controller.facts import reasons_not_judged
from bootgraft.checks.finding import Finding
from bootgraft.targets.controllers import find_controller


def _judged(version: tuple[int, int], *, has_database: bool) -> tuple[Finding, ...]:
    machine = installation(version=version)
    reasons = reasons_not_judged(machine, has_database=has_database)
    return (target.not_judged(machine, LSI_LOGIC, reasons),) if reasons else ()


CASES = {
    target.NOT_JUDGED: Case(
        _judged((6, 2), has_database=False), _judged((6, 2), has_database=True), _judged((5, 2), has_database=False)
    ),
    target.FIRMWARE: Case(
        target.check(installation(version=(6, 2)), find_controller("hyperv:gen2")),
        target.check(gpt_installation(version=(6, 2)), find_controller("hyperv:gen2")),
        target.check(installation(version=(6, 2)), LSI_LOGIC),
    ),
    target.NO_TARGET: Case((target.no_target(),), (), ()),
}
