"""What ntldr and FreeLoader meet: boot.ini, freeldr.ini; and whether ntldr is there at all."""

from bootgraft.checks.guest import Guest


def applies(guest: Guest) -> bool:
    """Whether there is anything of that on the guest: else none of these checks is even imported."""
    chain = guest.chain
    lost = chain.default is None and chain.store is None and guest.first_sectors is not None
    return chain.menu is not None or lost
