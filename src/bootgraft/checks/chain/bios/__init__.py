"""What a BIOS meets on a disk with an MBR before any file."""

from bootgraft.checks.guest import Guest


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    return guest.first_sectors is not None
