"""Volumes that are none that bootgraft can read."""

from tests.checks.case import Case
from tests.checks.subjects import volume

from bootgraft.boot.unusable import Unusable, UnusableKind
from bootgraft.checks.machine import dynamic_disk, encryption, foreign_volume


def unusable_case(kind: UnusableKind) -> Case:
    """What all the checks of such volumes say of this kind: one finding, of one of them."""
    checks = (encryption.check, foreign_volume.check, dynamic_disk.check)
    cause = Unusable(kind, volume(), "unusable", "its boot sector says so", "Convert it again")
    return Case(tuple(each for check in checks for each in check(cause)), (), dynamic_disk.check(None))
