"""What Select says of earlier starts."""

from tests.checks.subjects import installation

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.last_known_good import check
from bootgraft.windows.installation import Select


def test_a_failed_set_is_named() -> None:
    (found,) = check(installation(select=Select(current=2, default=2, failed=1, last_known_good=3)))
    assert found.severity is Severity.WARNING
    assert found.title == "Windows gave up on ControlSet001 at an earlier start"
    assert found.evidence == ("Select: Current=2, Default=2, Failed=1, LastKnownGood=3",)


def test_no_failed_set() -> None:
    assert check(installation()) == ()
