"""The three machines of each finding of ``system_partition``."""

from tests.checks.case import Case
from tests.checks.chain.bootmgr import left_behind
from tests.checks.chain.bootmgr.left_behind import bios, esp, guest, put, uefi, windows

from bootgraft.checks.chain.bootmgr import system_partition
from bootgraft.machine import Machine


def _case(only: str, broken: Machine, again: Machine, healthy: Machine) -> Case:
    """``again`` is the machine as it is once the changes were made, on the same volumes."""
    found = tuple(each for each in system_partition.find(guest(broken)) if each.id == only)
    put(found[0], broken)
    repaired = guest(again)
    assert repaired.chain.default is not None, repaired.chain.steps[-1]
    return Case(found, tuple(system_partition.find(repaired)), tuple(system_partition.find(guest(healthy))))


def _whole() -> Machine:
    """A machine that nothing was lost of: one that was repaired."""
    system, own = esp(), left_behind.system(windows())
    machine = uefi(system, own)
    (finding,) = system_partition.find(guest(machine))
    put(finding, machine)
    return uefi(system, own)


_own, _system, _store = left_behind.system(windows()), esp(), left_behind.system({"\\bootmgr": b"bootmgr"})
CASES = {
    system_partition.LEFT_BEHIND: _case(system_partition.LEFT_BEHIND, bios(_own, active=None), bios(_own), _whole()),
    system_partition.MANAGER_LOST: _case(
        system_partition.MANAGER_LOST,
        uefi(_system, left_behind.system(windows())),
        uefi(_system, left_behind.system(windows())),
        _whole(),
    ),
    system_partition.STORE_LOST: _case(
        system_partition.STORE_LOST,
        bios(_store, left_behind.system(windows())),
        bios(_store, left_behind.system(windows())),
        _whole(),
    ),
}
