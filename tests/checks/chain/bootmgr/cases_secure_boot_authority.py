"""The three machines of each finding of ``secure_boot_authority``: what the firmware knows is not on the disk."""

from tests.boot.bootmgr.test_chain import FALLBACK, MANAGER
from tests.checks.case import Case
from tests.checks.chain.bootmgr.cases_uefi_fallback import with_fallback

from bootgraft.checks.chain.bootmgr.secure_boot_authority import ID, SignedLoader, find, judged

NEW, OLD = "Windows UEFI CA 2023", "Microsoft Windows Production PCA 2011"

CASES = {
    ID: Case(
        (judged("disk 0 partition 1", (SignedLoader(FALLBACK, (NEW,)),)),),
        tuple(find(with_fallback(MANAGER))),  # Secure Boot turned off
        tuple(find(with_fallback(MANAGER))),
    ),
}
