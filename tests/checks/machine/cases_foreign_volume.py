"""The three machines of each finding of ``foreign_volume``."""

from tests.checks.machine.unusable import unusable_case

from bootgraft.boot.unusable import UnusableKind
from bootgraft.checks.machine import foreign_volume

CASES = {
    foreign_volume.REFS: unusable_case(UnusableKind.REFS),
    foreign_volume.STORAGE_SPACES: unusable_case(UnusableKind.STORAGE_SPACES),
}
