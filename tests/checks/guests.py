"""Guests of which only so much is known as a test wants."""

from bootgraft.boot.chain import BootChain
from bootgraft.checks.guest import DescribedFirmware, Guest
from bootgraft.checks.identity.identity_facts import IdentityFacts
from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.installation import Installation


def guest_of(
    chain: BootChain,
    installation: Installation | None = None,
    hive: Hive | None = None,
    controller: Controller | None = None,
    *,
    described: DescribedFirmware | None = None,
) -> Guest:
    """A guest whose disks tell no names."""
    guest = Guest(Machine(()), chain, installation, hive, controller=controller, described=described)
    guest.identity = IdentityFacts((), (), None)
    return guest
