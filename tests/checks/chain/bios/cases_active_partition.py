"""The three machines of each finding of ``active_partition``."""

from tests.checks.chain.bios.sectors import sectors_case, with_sectors

from bootgraft.checks.chain.bios import active_partition

CASES = {
    active_partition.ID: sectors_case(active_partition.find, active_partition.ID, with_sectors(active=(False, False))),
}
