"""The three machines of each finding of ``encryption``."""

from tests.checks.machine.unsupported_volumes import unsupported_case

from bootgraft.boot.unsupported_volume import UnsupportedKind
from bootgraft.checks.machine import encryption

CASES = {
    encryption.BITLOCKER: unsupported_case(UnsupportedKind.BITLOCKER),
    encryption.PRODUCT: unsupported_case(UnsupportedKind.ENCRYPTED),
    encryption.RANDOM: unsupported_case(UnsupportedKind.RANDOM),
}
