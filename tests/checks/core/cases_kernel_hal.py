"""The three machines of each finding of ``kernel_hal``: none of them is repaired but by hand."""

from tests.checks.core_case import CoreCase
from tests.kernels import with_files
from tests.machines.windows_hives import NT_4

from bootgraft.checks.core import kernel_hal

_RIGHT = {"hal": "halmacpi.dll", "ntoskrnl": "ntkrnlmp.exe"}
CASES = {
    kernel_hal.PROCESSORS: CoreCase(
        kernel_hal.find,
        lambda: with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe"),
        lambda: with_files(**_RIGHT),  # type: ignore[arg-type]
    ),
    kernel_hal.COMPUTER: CoreCase(
        kernel_hal.find,
        lambda: with_files(hal="halacpi.dll", ntoskrnl="ntoskrnl.exe"),
        lambda: with_files(**_RIGHT),  # type: ignore[arg-type]
    ),
    kernel_hal.BUILD: CoreCase(
        kernel_hal.find,
        lambda: with_files(hal=("halmacpi.dll", (5, 1, 2600, 2180))),
        lambda: with_files(**_RIGHT),  # type: ignore[arg-type]
    ),
    kernel_hal.MAKER: CoreCase(
        kernel_hal.find, lambda: with_files(NT_4, hal="halsp.dll"), lambda: with_files(NT_4, hal="halmps.dll")
    ),
}
