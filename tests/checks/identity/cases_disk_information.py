"""The three machines of each finding of ``disk_information``."""

from msgspec.structs import replace
from tests.checks import identities
from tests.checks.identity.repairing import unfixable_case

from bootgraft.checks.identity import disk_information
from bootgraft.checks.identity.identity_facts import IdentityFacts


def _nt4(*signatures: int) -> IdentityFacts:
    found = identities.story(version=(4, 0))
    assert found.windows is not None
    return replace(found, windows=replace(found.windows, disk_signatures=signatures))


CASES = {
    disk_information.ID: unfixable_case(disk_information.check, _nt4(identities.NEW)),
}
