"""The three machines of each finding of ``encryption``."""

from tests.checks.machine.unusable import unusable_case

from bootgraft.boot.unusable import UnusableKind
from bootgraft.checks.machine import encryption

CASES = {
    encryption.BITLOCKER: unusable_case(UnusableKind.BITLOCKER),
    encryption.PRODUCT: unusable_case(UnusableKind.ENCRYPTED),
    encryption.RANDOM: unusable_case(UnusableKind.RANDOM),
}
