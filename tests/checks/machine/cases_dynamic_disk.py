"""The three machines of each finding of ``dynamic_disk``."""

from tests.checks.machine.unusable import unusable_case

from bootgraft.boot.unusable import UnusableKind
from bootgraft.checks.machine import dynamic_disk

CASES = {
    dynamic_disk.VOLUME: unusable_case(UnusableKind.DYNAMIC),
    dynamic_disk.FAULT_TOLERANT: unusable_case(UnusableKind.FAULT_TOLERANT),
}
