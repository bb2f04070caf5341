"""The three machines of each finding of ``loader_kind``."""

from tests.checks.case import chain_case
from tests.checks.chain.bootmgr.stores import of_the_other_firmware, with_devices

from bootgraft.checks.chain.bootmgr import loader_kind

CASES = {
    only: chain_case(loader_kind.find, of_the_other_firmware(), with_devices(), with_devices(), only=only)
    for only in (loader_kind.DEFAULT, loader_kind.OTHER)
}
