"""What bootmgr meets: the BCD store, and the loader that UEFI firmware starts."""

from bootgraft.checks.guest import Guest
from bootgraft.machine import Firmware


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    return guest.chain.store is not None or guest.chain.firmware is Firmware.UEFI
