"""What a finding says about itself."""

import pytest

from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, Remedy, Severity


@pytest.mark.parametrize(
    ("remedy", "fixable"),
    [
        (Remedy.NONE, False),
        (Remedy.CHANGES, True),
        (Remedy.DRIVER, True),
        (Remedy.BOOT_CODE, True),
        (Remedy.CONSENT, True),
    ],
)
def test_what_can_be_repaired(remedy: Remedy, fixable: bool) -> None:
    assert Finding("id", Severity.BLOCKER, "title", "explanation", (), remedy).fixable is fixable


def test_nothing_is_promised_that_was_not_said() -> None:
    finding = Finding("id", Severity.INFO, "title", "explanation", ())
    assert (finding.fixable, finding.changes, finding.stop_code) == (False, (), None)


def test_severities_are_listed_from_worst_to_least() -> None:
    assert list(Severity) == [Severity.BLOCKER, Severity.WARNING, Severity.INFO]


def test_the_stop_code_is_written_as_the_contract_has_it() -> None:
    assert INACCESSIBLE_BOOT_DEVICE == "0x7b"
