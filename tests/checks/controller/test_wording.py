"""The sentences that several checks share: the default control set decides."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import facts, good_set

from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import Severity


def test_the_default_control_set_blocks() -> None:
    assert severity_in(good_set(1)) is Severity.BLOCKER
    assert "Microsoft Windows Server 2003 stops with 0x7B" in consequence(facts(), good_set(1))


def test_another_one_warns() -> None:
    assert severity_in(good_set(2)) is Severity.WARNING
    assert "Last Known Good" in consequence(facts(), good_set(2))


def test_it_is_not_the_number_that_counts() -> None:
    assert severity_in(replace(good_set(1), is_default=False)) is Severity.WARNING
    assert severity_in(replace(good_set(3), is_default=True)) is Severity.BLOCKER
