"""Whether a volume may be written: it is clean, or the user consented to what is lost.

``--reset-journal`` goes on with an unclean volume, ``--discard-hibernation`` without a saved session. Nothing is
ever lost without them, and with them only what stands in the way of the changes that are really made.
"""

from collections.abc import Iterable, Iterator, Sequence

from bootgraft.boot.unsupported_volume import UnsupportedVolume, explain
from bootgraft.checks.machine import hibernation, volume_state
from bootgraft.checks.machine.saved_session import SavedSession
from bootgraft.errors import UnsafeVolumeError
from bootgraft.filesystems.base import FileSystemKind, VolumeState
from bootgraft.machine import Machine, Volume
from bootgraft.repair.consent import Consent

_OPTIONS = {
    VolumeState.HIBERNATED: hibernation.OPTION,
    VolumeState.UNCLEAN: volume_state.OPTION,
    VolumeState.LOG_VERSION_2: volume_state.OPTION,
}
_CHKDSK = "attach a copy of the disk to a working Windows, run chkdsk /f on this volume and detach it"


def refuse_unsupported_volume(cause: UnsupportedVolume | None) -> None:
    """Raise UnsafeVolumeError where the volume that matters is encrypted, or must not be written by itself."""
    if cause is not None:
        raise UnsafeVolumeError(
            f"this volume is {cause.what}: {cause.evidence}",
            where=cause.volume.name,
            advice=cause.advice,
            id="volume-unsupported",
        )


def refuse_unsafe(volume: Volume, sessions: Sequence[SavedSession], consent: Consent) -> None:
    """Raise UnsafeVolumeError where writing to the volume would lose something that the user did not consent to lose.

    All that is in the way is said at once, with the clean way and the options that go on without it.
    """
    for session in sessions:
        if session.obstacle is not None:
            raise _stuck(session)
    obstacles = volume.filesystem().obstacles
    if VolumeState.HIBERNATED in obstacles and not any(session.volume is volume for session in sessions):
        raise _another(volume)
    elsewhere = [session.volume for session in sessions if session.volume is not volume]
    if elsewhere and VolumeState.HIBERNATED not in obstacles:
        obstacles = (VolumeState.HIBERNATED, *obstacles)
    if all(_is_granted(state, consent) for state in obstacles):
        return
    states = " and ".join(volume_state.describe(state) for state in obstacles)
    place = f" on {elsewhere[0].name}" if elsewhere else ""
    raise UnsafeVolumeError(
        f"this volume is {states}{place}, and writing to it would destroy what is pending",
        where=volume.name,
        advice=_advice(obstacles),
        id="volume-hibernated" if VolumeState.HIBERNATED in obstacles else "volume-unclean",
    )


def _is_granted(state: VolumeState, consent: Consent) -> bool:
    return consent.discard_hibernation if state is VolumeState.HIBERNATED else consent.reset_journal


def _advice(obstacles: Sequence[VolumeState]) -> str:
    options = " ".join(dict.fromkeys(_OPTIONS[state] for state in obstacles))
    lost = ", and ".join(dict.fromkeys(volume_state.LOST[state] for state in obstacles))
    other = f"{_CHKDSK}, or " if obstacles == (VolumeState.UNCLEAN,) else ""
    after = "; Windows then runs chkdsk at its next start" if volume_state.OPTION in options else ""
    return (
        "Start the source machine once, shut it down fully (`shutdown /s /t 0`; no hibernation, no fast start-up) and "
        f"convert it again. Where that is impossible, {other}go on without it: "
        f"{options}. This discards {lost}{after}"
    )


def _stuck(session: SavedSession) -> UnsafeVolumeError:
    return UnsafeVolumeError(
        f"this Windows is hibernated; its session cannot be discarded: {session.obstacle}",
        where=session.volume.name,
        advice="Start the source machine, shut it down fully and convert it again; or attach a copy of the disk to a "
        "working Windows, delete hiberfil.sys on every volume of it and detach it",
        id="volume-hibernated",
    )


def _another(volume: Volume) -> UnsafeVolumeError:
    return UnsafeVolumeError(
        "another Windows on this volume is hibernated; bootgraft leaves its session alone",
        where=volume.name,
        advice="Start the source machine, shut it down fully and convert it again",
        id="volume-hibernated",
    )


def open_for_writing(
    machine: Machine, volumes: Iterable[Volume], sessions: Sequence[SavedSession], consent: Consent
) -> tuple[str, ...]:
    """Make sure that these volumes can be written; empty the journals that stand in the way, with the user's consent.

    Their hives are stale after that. Returns what was done, for people. Raises UnsafeVolumeError as
    :func:`refuse_unsafe` and :func:`refuse_unsupported_volume`, before anything is done to any of them.
    """
    todo = list(dict.fromkeys(volumes))
    for volume in todo:
        refuse_unsupported_volume(explain(machine, volume))
        refuse_unsafe(volume, sessions, consent)
    return tuple(note for volume in todo for note in _unlock(volume))


def _unlock(volume: Volume) -> Iterator[str]:
    filesystem = volume.filesystem()
    state = filesystem.state
    if state is VolumeState.CLEAN:
        return
    volume.reset_journal()
    lost = f"this discards {volume_state.LOST[state]}"
    if filesystem.kind is FileSystemKind.NTFS:
        yield (
            f"{volume.name}: its journal ($LogFile) is emptied ({volume_state.OPTION}); {lost}. The volume is marked: "
            "Windows runs chkdsk at its next start."
        )
    else:
        yield f"{volume.name}: its dirty flag stays set ({volume_state.OPTION}): Windows runs chkdsk at its next start."
