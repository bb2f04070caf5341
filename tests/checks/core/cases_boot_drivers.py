"""The three machines of each finding of ``boot_drivers``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows, in_sets
from tests.machines.registry_text import RegistryValue

from bootgraft.checks.core.boot_drivers import ID, find

_GONE: dict[str, dict[str, RegistryValue]] = {r"Services\own": {"Type": 1, "Start": 0, "ErrorControl": 3}}


CASES = {
    ID: CoreCase(find, lambda: core_windows(in_sets(_GONE))),
}
