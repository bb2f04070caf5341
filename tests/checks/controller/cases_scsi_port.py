"""The three machines of the finding of ``scsi_port``."""

from tests.checks.case import Case
from tests.core_windows import core_windows, guest, repaired
from tests.kernels import binary
from tests.machines.windows_hives import WINDOWS_2000
from tests.memory_windows import MemoryWindows

from bootgraft.checks.controller.scsi_port import ID, find
from bootgraft.checks.finding import Finding


def _found(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(find(guest(windows, "vmware:buslogic")))


_DRIVER = r"system32\drivers\scsiport.sys"
_FILES = {
    _DRIVER: binary("scsiport.sys", (5, 0, 2195, 7017)),
    r"$NtUpdateRollupPackUninstall$\scsiport.sys": binary("scsiport.sys", (5, 0, 2195, 6655)),
}
_ROLLUP = core_windows(release=WINDOWS_2000, without=(_DRIVER,), files=_FILES)
_BROKEN = _found(_ROLLUP)
CASES = {ID: Case(_BROKEN, _found(repaired(_ROLLUP, _BROKEN)), _found(core_windows(release=WINDOWS_2000)))}
