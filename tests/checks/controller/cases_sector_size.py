"""The three machines of the finding of ``sector_size``."""

from tests.checks.case import Case
from tests.checks.controller.test_sector_size import found

from bootgraft.checks.controller import sector_size

CASES = {sector_size.ID: Case(found(4096, described=512), found(4096, described=4096), found())}
