"""The three machines of the finding of ``processor_driver``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows, in_sets, without_keys
from tests.machines.registry_text import RegistryValue

from bootgraft.checks.core.processor_driver import ID, find

_OF_A_SERVER: dict[str, dict[str, RegistryValue]] = {
    r"Services\intelppm": {"Start": 1, "Type": 1},
    r"Enum\PCI\VEN_8086&DEV_2580\3&1": {"Service": "pci"},
}
CASES = {ID: CoreCase(find, lambda: core_windows(without_keys(r"Enum\PCI") + in_sets(_OF_A_SERVER)))}
