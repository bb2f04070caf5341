"""For every finding a machine that has the fault, one on which it was repaired, and one that never had it.

Those of a check stand beside its test, in a module called ``cases_`` and the check's name: there is no list of them.
"""

from importlib import import_module
from pathlib import Path

from tests.checks.case import Case
from tests.checks.core_case import CoreCase

_HERE = Path(__file__).parent


def _found() -> dict[str, Case | CoreCase]:
    found: dict[str, Case | CoreCase] = {}
    for path in sorted(_HERE.rglob("cases_*.py")):
        name = ".".join(("tests.checks", *path.relative_to(_HERE).with_suffix("").parts))
        cases: dict[str, Case | CoreCase] = import_module(name).CASES
        assert not found.keys() & cases.keys(), f"{name} has a finding that another module has too"
        found |= cases
    return found


CASES = _found()
"""By finding id; ``test_diagnosis`` fails where one has no case."""
