"""A machine that was copied in the middle of an update."""

import pytest
from tests.checks.machine.cases_updates_pending import PENDING, updating
from tests.core_windows import core_windows, guest, in_sets
from tests.machines.registry_text import Multi
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_XP
from tests.memory_windows import MemoryWindows
from tests.software_edits import with_software

from bootgraft.checks.finding import Finding, Severity
from bootgraft.checks.machine import updates_pending
from bootgraft.windows.leftovers.servicing import SESSIONS


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(updates_pending.find(guest(windows)))


@pytest.mark.parametrize("value", ["BootExecute", "SetupExecute"])
def test_what_is_to_run_at_the_next_start_is_a_warning(value: str) -> None:
    (finding,) = find(updating(value))
    assert finding.severity is Severity.WARNING
    assert f"{value}=\\SystemRoot\\System32\\poqexec.exe" in finding.evidence[0]
    assert finding.evidence[1].endswith("\\Windows\\WinSxS\\pending.xml: the list of what is to be done")


def test_a_list_that_is_missing_is_told() -> None:
    (finding,) = find(updating(files={}))
    assert "there is no \\Windows\\WinSxS\\pending.xml" in finding.evidence[1]


def test_traces_alone_are_told() -> None:
    (finding,) = find(core_windows(release=WINDOWS_7, files=PENDING))
    assert finding.severity is Severity.INFO
    (finding,) = find(with_software(core_windows(release=WINDOWS_7), WINDOWS_7, {SESSIONS: {"Exclusive": 4}}))
    assert (finding.severity, len(finding.evidence)) == (Severity.INFO, 1)
    assert "Exclusive=4" in finding.evidence[0]


def test_a_session_that_is_closed_is_none() -> None:
    assert find(with_software(core_windows(release=WINDOWS_7), WINDOWS_7, {SESSIONS: {"Exclusive": 0}})) == ()


def test_earlier_windows_have_another_way() -> None:
    assert find(core_windows(release=WINDOWS_XP, files=PENDING)) == ()


def test_autochk_alone_is_as_it_should_be() -> None:
    edits = in_sets({r"Control\Session Manager": {"BootExecute": Multi(("autocheck autochk /r \\??\\C:",))}})
    assert find(core_windows(edits, release=WINDOWS_7)) == ()
