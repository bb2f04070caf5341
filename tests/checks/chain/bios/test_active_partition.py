"""Which partition is active, and what the code in the MBR makes of that."""

import pytest
from tests.checks.chain.bios.sectors import with_sectors

from bootgraft.checks.chain.bios.active_partition import find


@pytest.mark.parametrize(
    ("active", "said"),
    [
        ((False, False), "The code in the MBR stops before it reads any boot sector."),
        ((True, True), "The code in the MBR stops before it reads any boot sector."),
        ((False, True), "The code in the MBR starts the boot sector of disk 0 partition 2, where no loader is."),
    ],
)
def test_what_a_start_makes_of_the_flags(active: tuple[bool, bool], said: str) -> None:
    assert [each.explanation for each in find(with_sectors(active=active))] == [said]
