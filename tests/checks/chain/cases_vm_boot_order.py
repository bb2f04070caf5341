"""The three machines of the finding of ``vm_boot_order``."""

from tests.checks.case import Case
from tests.checks.chain.test_vm_boot_order import found

from bootgraft.checks.chain import vm_boot_order

CASES = {vm_boot_order.ID: Case(found(tried=()), found(tried=("scsi0",)), found(tried=(), described=False))}
