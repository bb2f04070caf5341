"""The three machines of each finding of ``core_drivers``."""

from tests.checks.core_case import CoreCase, with_a_copy_of
from tests.core_windows import core_windows, in_sets, without_keys

from bootgraft.checks.core.core_drivers import FILE, MISSING, NOT_BOOT_START, find

CASES = {
    MISSING: CoreCase(find, lambda: core_windows(without_keys(r"Services\PartMgr"))),
    NOT_BOOT_START: CoreCase(find, lambda: core_windows(in_sets({r"Services\PCI": {"Start": 4}}))),
    FILE: CoreCase(find, with_a_copy_of(r"system32\drivers\ntfs.sys")),
}
