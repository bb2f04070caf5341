"""The three machines of each finding of ``boot_chain``."""

from tests.checks.case import Case
from tests.checks.subjects import chain

from bootgraft.checks.chain import boot_chain

CASES = {
    boot_chain.BROKEN: Case(boot_chain.check(chain(holds=False)), boot_chain.check(chain()), boot_chain.check(chain())),
    boot_chain.NOT_FOLLOWED: Case(
        boot_chain.check(chain(holds=False, understood=False)), boot_chain.check(chain()), boot_chain.check(chain())
    ),
}
