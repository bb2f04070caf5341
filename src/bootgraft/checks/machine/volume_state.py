"""Is the boot volume in a state in which it may be written?"""

from collections.abc import Iterable

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.filesystems.base import VolumeState

ID = "volume-not-clean"
OPTION = "--reset-journal"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="The machine was cloned while it ran or did not shut down cleanly ($LogFile has work pending, or a FAT "
    "volume its dirty flag), or Windows 8 or later was not shut down fully ($LogFile version 2.0: it was "
    "running, hibernated, or shut down with fast start-up).",
    evidence="The volume and its state.",
    fix="None by itself: start the source once, shut it down fully and convert it again. Where that is impossible, "
    f"`repair` and `reg` take {OPTION}: the journal of each volume that is written to is emptied, and the volume is "
    "marked so that Windows runs chkdsk at its next start; a FAT volume keeps its dirty flag. What the journal had not "
    "completed is lost: files that were being created, renamed, moved or deleted. Without the option both end with "
    "exit status 3.",
    limits="The volume is read as it lies: what only the log knows is not seen. A saved session is told by "
    "hibernated-session.",
    symptoms=(Symptom.STOP_24, Symptom.STOP_ED),
    references=("https://learn.microsoft.com/windows-server/administration/windows-commands/chkdsk",),
)
_NAMES = {
    VolumeState.UNCLEAN: "unclean",
    VolumeState.HIBERNATED: "hibernated",
    VolumeState.LOG_VERSION_2: "not fully shut down",
}
_MEANING = {
    VolumeState.UNCLEAN: "its log or its dirty flag says that changes were never written to their places",
    VolumeState.HIBERNATED: "hiberfil.sys holds a hibernated session that would overwrite every change on resume",
    VolumeState.LOG_VERSION_2: "its $LogFile is version 2.0: Windows 8 or later was running, hibernated, or shut down "
    "with fast start-up",
}
LOST = {
    VolumeState.UNCLEAN: "changes that its log had not completed (files being created, renamed, moved or deleted)",
    VolumeState.HIBERNATED: "the saved session (open documents, whatever was not saved)",
    VolumeState.LOG_VERSION_2: "changes that its log had not completed, and the open state of the file system in the "
    "session that was not shut down",
}
"""What is lost for good where the user consents to go on."""


def describe(state: VolumeState) -> str:
    """Say what is wrong with a volume that may not be written: ``hibernated (hiberfil.sys holds …)``."""
    return f"{_NAMES[state]} ({_MEANING[state]})"


def check(place: str, states: Iterable[VolumeState]) -> tuple[Finding, ...]:
    """One finding for each state of the volume at ``place`` in which it may not be written, but for a saved session."""
    return tuple(
        Finding(
            ID,
            Severity.WARNING,
            f"the volume {place} is {_NAMES[state]}",
            "It can be read, but bootgraft will not write to it: that would destroy what is pending. Shut the source "
            f"down fully and convert it again, or go on without it: {OPTION}. This discards {LOST[state]}.",
            (f"{place}: {_MEANING[state]}",),
            consent=OPTION,
        )
        for state in states
        if state is not VolumeState.HIBERNATED
    )


def _find(guest: Guest) -> tuple[Finding, ...]:
    if guest.installation is None:
        return ()
    volume = guest.installation.volume
    return check(volume.name, volume.filesystem().obstacles)


CHECK = Check(Stage.MACHINE, 50, (DOC,), _find)
