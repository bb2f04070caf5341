"""The three machines of each finding of ``kernel_hal``."""

from tests.checks.core_case import CoreCase
from tests.kernels import computer, with_files
from tests.machines.windows_hives import NT_4

from bootgraft.checks.core import kernel_hal

_SP2, _SP3 = (5, 1, 2600, 2180), (5, 1, 2600, 5512)
CASES = {
    kernel_hal.PROCESSORS: CoreCase(
        kernel_hal.find,
        lambda: with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"ntkrnlmp.exe": _SP3}),
    ),
    kernel_hal.COMPUTER: CoreCase(
        kernel_hal.find,
        lambda: with_files(
            edits=computer("acpipic_up"), hal="halaacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"halacpi.dll": _SP3}
        ),
    ),
    kernel_hal.BUILD: CoreCase(
        kernel_hal.find, lambda: with_files(hal=("halmacpi.dll", _SP2), kept={"halmacpi.dll": _SP3})
    ),
    kernel_hal.MAKER: CoreCase(
        kernel_hal.find, lambda: with_files(NT_4, hal="halsp.dll"), lambda: with_files(NT_4, hal="halmps.dll")
    ),
}
