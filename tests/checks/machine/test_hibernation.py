"""A Windows that is hibernated, and one that will be again."""

from msgspec import structs
from tests.checks.machine.cases_hibernation import session
from tests.checks.subjects import HIVE, installation
from tests.windows.hives import hive_of

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.checks.machine.hibernation import FAST_START_UP, HIBERNATED, OPTION, check, switched_off

_TEXT = r"""[\ControlSet001\Control\Session Manager\Power]
"HiberbootEnabled"=dword:00000001

[\ControlSet002\Control\Session Manager\Power]
"HiberbootEnabled"=dword:00000000
"""


def test_a_session_leaves_open_whether_it_starts_and_is_dropped_only_with_consent() -> None:
    (found,) = check((session(),), None, None)
    assert (found.id, found.severity, found.remedy) == (HIBERNATED, Severity.WARNING, Remedy.CONSENT)
    assert found.leaves_open
    assert found.consent == OPTION
    assert OPTION in found.explanation
    assert found.changes == session().changes
    assert "HIBR" in found.evidence[0]


def test_a_session_that_cannot_be_dropped_offers_no_option() -> None:
    stuck = structs.replace(session(), changes=(), obstacle="its hiberfil.sys is compressed or sparse")
    (found,) = check((stuck,), None, None)
    assert (found.remedy, found.consent, found.fixable) == (Remedy.NONE, None, False)
    assert "compressed" in found.explanation
    assert OPTION not in found.explanation


def test_fast_start_up_is_switched_off_in_each_set_that_has_it_on() -> None:
    hive = hive_of(_TEXT)
    eight = installation(version=(6, 2))
    found = check((session(),), eight, hive)
    assert [finding.id for finding in found] == [HIBERNATED, FAST_START_UP]
    (change,) = switched_off(eight, hive)
    assert isinstance(change, SetValue)
    assert (change.hive.path, change.key) == (HIVE.path, r"ControlSet001\Control\Session Manager\Power")
    assert (change.before, change.value) == (RegistryData(4, b"\1\0\0\0"), RegistryData(4, bytes(4)))


def test_windows_7_and_older_know_no_fast_start_up() -> None:
    assert switched_off(installation(version=(6, 1)), hive_of(_TEXT)) == ()
    assert [finding.id for finding in check((session(),), installation(), hive_of(_TEXT))] == [HIBERNATED]
