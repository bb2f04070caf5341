"""The three machines of each finding of ``hive_size``."""

from tests.checks.case import Case
from tests.checks.subjects import installation

from bootgraft.checks.machine import hive_size

CASES = {
    hive_size.ID: Case(
        hive_size.check(installation(version=(5, 0)), 11 << 20),
        hive_size.check(installation(version=(5, 0)), 9 << 20),
        hive_size.check(installation(), 20 << 20),
    ),
}
