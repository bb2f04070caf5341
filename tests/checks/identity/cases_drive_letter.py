"""The three machines of each finding of ``drive_letter``."""

from tests.checks import identities
from tests.checks.identity.repairing import identity_case

from bootgraft.checks.identity import drive_letter

CASES = {
    drive_letter.SYSTEM: identity_case(
        drive_letter.check, identities.story(signature=identities.NEW), drive_letter.SYSTEM
    ),
    drive_letter.DATA: identity_case(
        drive_letter.check,
        identities.story(starts=identities.MEGABYTES, hidden=(2048, *identities.TRACKS[1:])),
        drive_letter.DATA,
    ),
}
