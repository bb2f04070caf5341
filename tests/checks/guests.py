"""Guests of which only so much is known as a test wants, and those that a machine makes."""

from bootgraft.boot.bios.bootcode import CodeSource, none_given
from bootgraft.boot.chain import BootChain, follow
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Stage
from bootgraft.checks.guest import DescribedVm, Guest
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
    described: DescribedVm | None = None,
) -> Guest:
    """A guest whose disks tell no names."""
    guest = Guest(Machine(()), chain, installation, hive, controller=controller, described=described)
    guest.identity = IdentityFacts((), (), None)
    return guest


def followed(machine: Machine, *, boot_code: CodeSource = none_given) -> Guest:
    """The guest that these disks are."""
    return Guest(machine, follow(machine), boot_code=boot_code)


def chain_findings(machine: Machine) -> tuple[Finding, ...]:
    """All that is said about the boot chain of these disks."""
    return findings_of(followed(machine), Stage.CHAIN)
