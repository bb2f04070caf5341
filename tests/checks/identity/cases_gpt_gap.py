"""The three machines of the finding of ``gpt_gap``."""

from tests.checks.case import Case
from tests.checks.identity.test_gpt_gap import found

from bootgraft.checks.identity import gpt_gap

CASES = {gpt_gap.ID: Case(found(None, 1, 3), found(None, 1, 2), found(None, 2, 1, 3))}
