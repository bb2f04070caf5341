"""The three machines of a finding, and how most of them are made: broken, fixed, never broken."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bootgraft.changes import WriteFile
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import Guest


class Case(Struct, frozen=True):
    """What the check of one finding says of three machines: only of the first it has something to say."""

    broken: tuple[Finding, ...]
    repaired: tuple[Finding, ...]
    healthy: tuple[Finding, ...]


Find = Callable[[Guest], Iterable[Finding]]


def chain_case(find: Find, broken: Guest, repaired: Guest, healthy: Guest, *, only: str | None = None) -> Case:
    """What one check of the boot chain says of three machines; of the first, of one of its findings."""
    found = tuple(each for each in find(broken) if only in (None, each.id))
    return Case(found, tuple(find(repaired)), tuple(find(healthy)))


def written_case(find: Find, broken: Guest, again: Callable[[bytes], Guest], healthy: Guest) -> Case:
    """One that a new text of the menu repairs: the machine with the text that the finding's change writes."""
    (finding,) = find(broken)
    (change,) = finding.changes
    assert isinstance(change, WriteFile)
    repaired = again(change.data)
    assert repaired.chain.default is not None
    return Case((finding,), tuple(find(repaired)), tuple(find(healthy)))
