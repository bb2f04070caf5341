"""What bootmgr meets: the BCD store, and the loader that UEFI firmware starts; and where these were left behind."""

from bootgraft.checks.guest import Guest
from bootgraft.machine import Firmware


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    chain = guest.chain
    return chain.store is not None or chain.firmware is Firmware.UEFI or (chain.default is None and bool(chain.others))
