"""The three machines of each finding of ``volume_state``."""

from tests.checks.case import Case

from bootgraft.checks.machine import volume_state
from bootgraft.filesystems.base import VolumeState

CASES = {
    volume_state.ID: Case(
        volume_state.check("disk 0 partition 2", (VolumeState.UNCLEAN,)),
        volume_state.check("disk 0 partition 2", ()),
        volume_state.check("disk 0 partition 2", ()),
    ),
}
