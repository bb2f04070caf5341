"""The three machines of each finding of ``machine_hives``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows

from bootgraft.checks.session.machine_hives import ID, find

CASES = {
    ID: CoreCase(find, lambda: core_windows(without=(r"system32\config\SAM",)), put_back=core_windows),
}
