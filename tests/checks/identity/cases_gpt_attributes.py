"""The three machines of each finding of ``gpt_attributes``."""

from tests.checks import identities
from tests.checks.identity.repairing import identity_case

from bootgraft.checks.identity import gpt_attributes
from bootgraft.checks.identity.identity_facts import HIDDEN

CASES = {
    gpt_attributes.ID: identity_case(gpt_attributes.check, identities.gpt(attributes=HIDDEN), gpt_attributes.ID),
}
