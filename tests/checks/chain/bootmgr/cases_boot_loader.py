"""The three machines of each finding of ``boot_loader``."""

from tests.checks.case import Case, chain_case
from tests.checks.chain.bootmgr.stores import with_devices
from tests.fakes import SIGNATURE
from tests.machines import bcd

from bootgraft.checks.chain.bootmgr import boot_loader
from bootgraft.checks.guest import Guest

_MOVED = bcd.mbr_device(SIGNATURE, 63 * 512)
"""Where a partition of the disk was before it was aligned anew."""


def _devices(only: str, broken: Guest) -> Case:
    return chain_case(boot_loader.find, broken, with_devices(), with_devices(), only=only)


CASES = {
    boot_loader.DEVICE: _devices(boot_loader.DEVICE, with_devices(windows=_MOVED)),
    boot_loader.MANAGER_DEVICE: _devices(boot_loader.MANAGER_DEVICE, with_devices(system=_MOVED)),
    boot_loader.RESUME_DEVICE: _devices(boot_loader.RESUME_DEVICE, with_devices(windows=_MOVED)),
    boot_loader.RECOVERY_DEVICE: _devices(boot_loader.RECOVERY_DEVICE, with_devices(recovery=_MOVED)),
    boot_loader.OTHER_DEVICE: _devices(boot_loader.OTHER_DEVICE, with_devices(system=_MOVED)),
}
