"""The three machines of each finding of ``core_devices``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows, without_keys

from bootgraft.checks.core.core_devices import ID, find

CASES = {
    ID: CoreCase(find, lambda: core_windows(without_keys(r"Control\CriticalDeviceDatabase\*pnp0a03"))),
}
