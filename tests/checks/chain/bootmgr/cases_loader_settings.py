"""The three machines of each finding of ``loader_settings``."""

from tests.checks.case import chain_case
from tests.checks.chain.bootmgr.settings import machine, status

from bootgraft.checks.chain.bootmgr.loader_settings import FAILED, SAFE_MODE, find

CASES = {
    SAFE_MODE: chain_case(find, machine({0x25000080: bytes(8)}), machine(), machine(bootstat=status(1, 1))),
    FAILED: chain_case(find, machine(bootstat=status(0, 0)), machine({0x16000009: b"\0"}, status(0, 0)), machine()),
}
