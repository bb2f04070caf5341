"""What ntldr and FreeLoader meet: boot.ini, freeldr.ini."""

from bootgraft.checks.guest import Guest


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    return guest.chain.menu is not None
