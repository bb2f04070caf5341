"""The three machines of each finding of ``last_known_good``."""

from tests.checks.case import Case
from tests.checks.subjects import installation

from bootgraft.checks.machine import last_known_good
from bootgraft.windows.installation import Select

CASES = {
    last_known_good.ID: Case(
        last_known_good.check(installation(select=Select(2, 1, 1, 2))),
        last_known_good.check(installation(select=Select(1, 1, 0, 2))),
        last_known_good.check(installation()),
    ),
}
