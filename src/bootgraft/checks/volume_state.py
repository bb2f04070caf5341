"""Is the boot volume in a state in which it may be written?"""

from bootgraft.checks.finding import Finding, FindingDoc, Severity
from bootgraft.filesystems.base import VolumeState

ID = "volume-not-clean"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="The machine was cloned while it ran or did not shut down cleanly ($LogFile has work pending), is "
    "hibernated, or shut down with fast start-up ($LogFile version 2.0).",
    evidence="The volume and its state.",
    fix="None: start the source once, shut it down cleanly and convert again. `repair` refuses with exit status 3.",
    limits="The volume is read as it lies: what only the log knows is not seen.",
    references=("https://learn.microsoft.com/windows-server/administration/windows-commands/chkdsk",),
)
_NAMES = {
    VolumeState.UNCLEAN: "unclean",
    VolumeState.HIBERNATED: "hibernated",
    VolumeState.LOG_VERSION_2: "not fully shut down",
}
_MEANING = {
    VolumeState.UNCLEAN: "its log or its dirty flag says that changes were never written to their places",
    VolumeState.HIBERNATED: "hiberfil.sys holds a suspended session that would overwrite every change on resume",
    VolumeState.LOG_VERSION_2: "its $LogFile is version 2.0, as Windows 8 and later leave it with fast start-up",
}


def describe(state: VolumeState) -> str:
    """Say what is wrong with a volume that may not be written: ``hibernated (hiberfil.sys holds …)``."""
    return f"{_NAMES[state]} ({_MEANING[state]})"


def check(place: str, state: VolumeState) -> tuple[Finding, ...]:
    """One finding where the volume at ``place`` may not be written."""
    if state is VolumeState.CLEAN:
        return ()
    return (
        Finding(
            ID,
            Severity.WARNING,
            f"the volume {place} is {_NAMES[state]}",
            "It can be read, but bootgraft will not write to it: that would destroy what is pending.",
            (f"{place}: {_MEANING[state]}",),
            leaves_open=state is VolumeState.HIBERNATED,  # it would wake up on hardware that it does not know
        ),
    )
