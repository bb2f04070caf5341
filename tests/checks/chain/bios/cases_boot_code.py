"""The three machines of each finding of ``boot_code``."""

from tests.checks.chain.bios.sectors import boot_sector_bytes, sectors_case, with_sectors

from bootgraft.checks.chain.bios import boot_code


def _without_code() -> bytes:
    sector = bytearray(boot_sector_bytes())
    sector[0x54:0x1FE] = bytes(0x1FE - 0x54)
    sector[15 * 512 + 0x54 : 15 * 512 + 0x1FE] = bytes(0x1FE - 0x54)
    return bytes(sector)


def _of_bootmgr() -> bytes:
    return boot_sector_bytes().replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[: 15 * 512]


CASES = {
    boot_code.NO_BOOT_CODE: sectors_case(boot_code.find, boot_code.NO_BOOT_CODE, with_sectors(sector=_without_code())),
    boot_code.WRONG_LOADER: sectors_case(boot_code.find, boot_code.WRONG_LOADER, with_sectors(sector=_of_bootmgr())),
}
