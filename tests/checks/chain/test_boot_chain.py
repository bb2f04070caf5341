"""What a chain that does not arrive is called."""

from tests.checks.subjects import chain

from bootgraft.boot.chain import BootChain
from bootgraft.checks.chain.boot_chain import BROKEN, NOT_FOLLOWED, check
from bootgraft.checks.finding import Severity


def test_a_broken_chain_blocks_and_names_the_step() -> None:
    (found,) = check(chain(holds=False))
    assert (found.id, found.severity, found.stop_code) == (BROKEN, Severity.BLOCKER, None)
    assert found.title == "the boot chain breaks: there is no ntldr on the active partition"
    assert found.evidence == ("disk 0 partition 1: \\ntldr: empty",)


def test_a_chain_on_unknown_ground_blocks_nothing() -> None:
    (found,) = check(chain(holds=False, understood=False))
    assert (found.id, found.severity) == (NOT_FOLLOWED, Severity.INFO)


def test_a_chain_without_a_single_step_says_nothing() -> None:
    assert check(BootChain((), None, ())) == ()
