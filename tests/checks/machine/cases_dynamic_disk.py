"""The three machines of each finding of ``dynamic_disk``."""

from tests.checks.machine.unsupported_volumes import unsupported_case

from bootgraft.boot.unsupported_volume import UnsupportedKind
from bootgraft.checks.machine import dynamic_disk

CASES = {
    dynamic_disk.VOLUME: unsupported_case(UnsupportedKind.DYNAMIC),
    dynamic_disk.FAULT_TOLERANT: unsupported_case(UnsupportedKind.FAULT_TOLERANT),
}
