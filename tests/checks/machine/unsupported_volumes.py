"""Volumes that are none that bootgraft can read."""

from tests.checks.case import Case
from tests.checks.subjects import volume

from bootgraft.boot.unsupported_volume import UnsupportedKind, UnsupportedVolume
from bootgraft.checks.machine import dynamic_disk, encryption, foreign_volume


def unsupported_case(kind: UnsupportedKind) -> Case:
    """What all the checks of such volumes say of this kind: one finding, of one of them."""
    checks = (encryption.check, foreign_volume.check, dynamic_disk.check)
    cause = UnsupportedVolume(kind, volume(), "unsupported", "its boot sector says so", "Convert it again")
    return Case(tuple(each for check in checks for each in check(cause)), (), dynamic_disk.check(None))
