"""The three machines of each finding of ``compressed_loader``."""

from tests.checks.chain.bios.sectors import sectors_case, with_compressed

from bootgraft.checks.chain.bios import compressed_loader

CASES = {
    compressed_loader.LOADER: sectors_case(
        compressed_loader.find, compressed_loader.LOADER, with_compressed("\\ntldr")
    ),
    compressed_loader.NTDETECT: sectors_case(
        compressed_loader.find, compressed_loader.NTDETECT, with_compressed("\\NTDETECT.COM")
    ),
}
