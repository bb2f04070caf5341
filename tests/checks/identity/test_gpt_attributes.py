"""Attributes of the partition of Windows in the GPT."""

import pytest
from msgspec.structs import replace
from tests.checks.identities import fixed, gpt, story

from bootgraft.checks.finding import Remedy, Severity
from bootgraft.checks.identity.gpt_attributes import check
from bootgraft.checks.identity.identity_facts import HIDDEN, NO_DRIVE_LETTER, READ_ONLY


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (READ_ONLY, "read-only (bit 60)"),
        (HIDDEN, "hidden (bit 62)"),
        (NO_DRIVE_LETTER, "no drive letter (bit 63)"),
        (READ_ONLY | NO_DRIVE_LETTER | 1, "read-only (bit 60), no drive letter (bit 63)"),
    ],
)
def test_each_bit_is_named(bits: int, said: str) -> None:
    facts = gpt(attributes=bits)
    (found,) = check(facts)
    assert found.title == f"the partition of Windows is marked {said} in the GPT"
    assert (found.severity, found.leaves_open, found.remedy) == (Severity.WARNING, True, Remedy.CHANGES)
    assert check(fixed(facts, (found,))) == ()


def test_bits_that_mean_something_else() -> None:
    assert check(gpt(attributes=1 | 1 << 2 | 1 << 61)) == ()


def test_a_table_that_cannot_be_written_is_told() -> None:
    (found,) = check(replace(gpt(attributes=HIDDEN), unhiding=()))
    assert (found.remedy, found.changes) == (Remedy.NONE, ())


def test_no_windows_and_no_gpt() -> None:
    assert check(replace(gpt(attributes=HIDDEN), windows=None)) == ()
    assert check(story()) == ()
