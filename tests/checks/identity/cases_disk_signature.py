"""The three machines of each finding of ``disk_signature``."""

from tests.checks import identities
from tests.checks.identity.repairing import identity_case, unfixable_case

from bootgraft.checks.identity import disk_signature

CASES = {
    disk_signature.ZERO: identity_case(disk_signature.check, identities.story(signature=0), disk_signature.ZERO),
    disk_signature.CHANGED: identity_case(
        disk_signature.check, identities.story(signature=identities.NEW), disk_signature.CHANGED
    ),
    disk_signature.COLLISION: unfixable_case(
        disk_signature.check, identities.story(further=(identities.mbr_disk(1, total=2),))
    ),
}
