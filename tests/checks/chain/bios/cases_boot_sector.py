"""The three machines of each finding of ``boot_sector``."""

from tests.checks.chain.bios.sectors import boot_sector_bytes, sectors_case, with_sectors

from bootgraft.checks.chain.bios import boot_sector

CASES = {
    boot_sector.COPY: sectors_case(
        boot_sector.find, boot_sector.COPY, with_sectors(sector=boot_sector_bytes()[: 15 * 512])
    ),
    boot_sector.HIDDEN_SECTORS: sectors_case(boot_sector.find, boot_sector.HIDDEN_SECTORS, with_sectors(hidden=63)),
    boot_sector.GEOMETRY: sectors_case(boot_sector.find, boot_sector.GEOMETRY, with_sectors(heads=240)),
}
