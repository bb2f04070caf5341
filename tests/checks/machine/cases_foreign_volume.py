"""The three machines of each finding of ``foreign_volume``."""

from tests.checks.machine.unsupported_volumes import unsupported_case

from bootgraft.boot.unsupported_volume import UnsupportedKind
from bootgraft.checks.machine import foreign_volume

CASES = {
    foreign_volume.REFS: unsupported_case(UnsupportedKind.REFS),
    foreign_volume.STORAGE_SPACES: unsupported_case(UnsupportedKind.STORAGE_SPACES),
}
