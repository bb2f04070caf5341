"""Machines whose identities of disks and volumes are wrong, and what is left of that after they were fixed."""

from collections.abc import Callable

from tests.checks import identities
from tests.checks.case import Case

from bootgraft.checks.finding import Finding
from bootgraft.checks.identity import disk_information, disk_signature, drive_letter, gpt_attributes
from bootgraft.checks.identity.identity_facts import IdentityFacts


def identity_case(check: Callable[[IdentityFacts], tuple[Finding, ...]], broken: IdentityFacts, wanted: str) -> Case:
    """One finding of a check, the machine after all that is wrong with its names was repaired, and the story's own."""
    every = tuple(
        finding
        for each in (disk_signature.check, gpt_attributes.check, drive_letter.check, disk_information.check)
        for finding in each(broken)
    )
    after = identities.fixed(broken, every)
    healthy = identities.story() if broken.unhiding == () else identities.gpt()
    return Case(tuple(each for each in check(broken) if each.id == wanted), check(after), check(healthy))


def unfixable_case(check: Callable[[IdentityFacts], tuple[Finding, ...]], broken: IdentityFacts) -> Case:
    """One that is only told: it is repaired by hand."""
    return Case(check(broken), check(identities.story()), check(identities.story()))
