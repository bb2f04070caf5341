"""What Windows NT 4 calls its disks."""

import pytest
from msgspec.structs import replace
from tests.checks.identities import NEW, OLD, story

from bootgraft.checks.finding import Severity
from bootgraft.checks.identity.disk_information import check
from bootgraft.checks.identity.identity_facts import IdentityFacts


def nt4(*signatures: int, version: tuple[int, int] = (4, 0)) -> IdentityFacts:
    facts = story(version=version)
    assert facts.windows is not None
    return replace(facts, windows=replace(facts.windows, disk_signatures=signatures))


def test_a_disk_that_is_gone_is_told_once() -> None:
    (found,) = check(nt4(OLD, NEW, NEW))
    assert (found.severity, found.changes) == (Severity.INFO, ())
    assert f"names {NEW:08x}; given are disk 0 {OLD:08x}" in found.evidence[0]


@pytest.mark.parametrize("facts", [nt4(), nt4(OLD), nt4(NEW, version=(5, 0)), replace(nt4(NEW), windows=None)])
def test_nothing_to_tell(facts: IdentityFacts) -> None:
    assert check(facts) == ()
