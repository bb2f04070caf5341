"""The three machines of each finding of ``device_filters``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import DISK, core_windows, driver_file, in_sets, without_values
from tests.machines.registry_text import Multi, RegistryValue

from bootgraft.checks.controller.device_filters import NO_PARTMGR, NOT_BOOT_START, UNUSABLE, find

_LATE: dict[str, dict[str, RegistryValue]] = {
    DISK: {"LowerFilters": Multi(("own",))},
    r"Services\own": {"Type": 1, "Start": 3, "ErrorControl": 1},
}


CASES = {
    UNUSABLE: CoreCase(find, lambda: core_windows(in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}}))),
    NOT_BOOT_START: CoreCase(
        find, lambda: core_windows(in_sets(_LATE), files={r"system32\drivers\own.sys": driver_file()})
    ),
    NO_PARTMGR: CoreCase(find, lambda: core_windows(without_values(DISK, "UpperFilters"))),
}
