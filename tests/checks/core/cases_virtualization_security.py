"""The three machines of each finding of ``virtualization_security``."""

from tests.checks.case import Case
from tests.checks.core.protected import on, protected
from tests.core_windows import repaired

from bootgraft.checks.core.virtualization_security import ID, find

_BROKEN = tuple(find(on(protected())))

CASES = {
    ID: Case(_BROKEN, tuple(find(on(repaired(protected(), _BROKEN)))), tuple(find(on(protected({}))))),
}
