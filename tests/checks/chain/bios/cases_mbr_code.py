"""The three machines of each finding of ``mbr_code``."""

from tests.checks.chain.bios.sectors import sectors_case, with_sectors

from bootgraft.checks.chain.bios import mbr_code

CASES = {
    mbr_code.ID: sectors_case(mbr_code.find, mbr_code.ID, with_sectors(code=b"")),
}
