"""Volumes that may not be written."""

import pytest

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.volume_state import ID, LOST, OPTION, check, describe
from bootgraft.filesystems.base import VolumeState


@pytest.mark.parametrize("state", [VolumeState.UNCLEAN, VolumeState.LOG_VERSION_2])
def test_a_journal_with_work_left_is_told_with_the_option_and_what_it_costs(state: VolumeState) -> None:
    (found,) = check("disk 0 partition 2", (state,))
    assert (found.id, found.severity, found.fixable, found.consent) == (ID, Severity.WARNING, False, OPTION)
    name = "not fully shut down" if state is VolumeState.LOG_VERSION_2 else state.value
    assert found.title == f"the volume disk 0 partition 2 is {name}"
    assert found.evidence[0].startswith("disk 0 partition 2: ")
    assert found.explanation.endswith(f"--reset-journal. This discards {LOST[state]}.")
    assert describe(state).startswith(f"{name} (")


def test_a_saved_session_has_a_finding_of_its_own() -> None:
    assert check("disk 0 partition 2", (VolumeState.HIBERNATED,)) == ()
    both = check("disk 0 partition 2", (VolumeState.HIBERNATED, VolumeState.LOG_VERSION_2))
    assert [finding.title for finding in both] == ["the volume disk 0 partition 2 is not fully shut down"]
