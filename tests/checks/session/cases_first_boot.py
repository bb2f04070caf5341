"""The three machines of each finding of ``first_boot``."""

from tests.checks.core_case import CoreCase
from tests.checks.session.first_boots import converted, failed

from bootgraft.checks.session.first_boot import PENDING, REPEATS, find

CASES = {
    REPEATS: CoreCase(find, lambda: converted(failed() * 3)),
    PENDING: CoreCase(find, lambda: converted(None), lambda: converted(None, scripts=())),
}
