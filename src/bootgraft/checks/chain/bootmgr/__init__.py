"""What bootmgr meets: the BCD store, and the loader that UEFI firmware starts; and where these were left behind."""

from bootgraft.checks.guest import Guest
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Firmware


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    chain = guest.chain
    if chain.store is not None or chain.firmware is Firmware.UEFI:
        return True
    locked = (each for each in guest.machine.volumes() if each.kind is FileSystemKind.BITLOCKER)
    return chain.default is None and (bool(chain.others) or any(locked))
