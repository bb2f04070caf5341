"""Volumes that may not be written."""

import pytest

from bootgraft.checks.finding import Severity
from bootgraft.checks.volume_state import ID, check, describe
from bootgraft.filesystems.base import VolumeState


@pytest.mark.parametrize("state", [state for state in VolumeState if state is not VolumeState.CLEAN])
def test_every_state_but_clean_is_told(state: VolumeState) -> None:
    (found,) = check("disk 0 partition 2", state)
    assert (found.id, found.severity, found.fixable) == (ID, Severity.WARNING, False)
    name = "not fully shut down" if state is VolumeState.LOG_VERSION_2 else state.value
    assert found.title == f"the volume disk 0 partition 2 is {name}"
    assert found.evidence[0].startswith("disk 0 partition 2: ")
    assert describe(state).startswith(f"{name} (")
