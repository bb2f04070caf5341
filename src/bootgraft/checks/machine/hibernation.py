"""Does a Windows sleep on the disk, and will it do so again at its next shutdown?"""

from collections.abc import Iterator, Sequence

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Need, Remedy, Severity, Stage
from bootgraft.checks.machine.saved_session import PATH, SavedSession
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.windows.installation import Installation, control_set_name, hive_file

HIBERNATED = "hibernated-session"
FAST_START_UP = "fast-start-up"
OPTION = "--discard-hibernation"
_LEARN = "https://learn.microsoft.com"
DOCS = (
    FindingDoc(
        id=HIBERNATED,
        applies_to="every Windows from 2000 on",
        cause="The machine was cloned while it was hibernated, or after a shutdown with fast start-up (the default of "
        "Windows 8 and later): its memory is saved in hiberfil.sys. The loader resumes it on hardware that it does not "
        "know, and over whatever was written to the disk meanwhile.",
        evidence="The volume whose hiberfil.sys has a session, and the first letters of the file.",
        fix="Shut the source down fully and convert it again. Where that is impossible, `repair` and `reg` take "
        f"{OPTION}: the first page of hiberfil.sys is zeroed, bootmgr is told to attempt no resume, and Windows starts "
        "as after a power failure. Open documents and whatever else was not saved in that session are lost.",
        limits="Looked for on the volume of Windows, the active partition and the first volume of disk 0. A file "
        "that only names another volume (ntldr's) is told, not changed.",
        symptoms=(Symptom.RESUME_FAILS, Symptom.BLACK_SCREEN),
        references=(
            f"{_LEARN}/windows-hardware/drivers/kernel/distinguishing-fast-startup-from-wake-from-hibernation",
            f"{_LEARN}/previous-versions/windows/desktop/bcd/bcdbootmgrelementtypes",
        ),
    ),
    FindingDoc(
        id=FAST_START_UP,
        applies_to="Windows 8 and later, with a saved session",
        cause="Fast start-up is on (HiberbootEnabled): each shutdown of this Windows saves a session, and every "
        "further offline repair meets it again.",
        evidence=r"The value HiberbootEnabled under Control\Session Manager\Power of each control set.",
        fix=f"With {OPTION} it becomes 0 in every control set.",
        limits="Reported only where there is a session.",
        references=(
            f"{_LEARN}/troubleshoot/windows-client/setup-upgrade-and-drivers/updates-not-install-with-fast-startup",
        ),
    ),
)
_FIRST_WITH_FAST_START_UP = (6, 2)
_POWER = r"Control\Session Manager\Power"
_VALUE = "HiberbootEnabled"


def check(
    sessions: Sequence[SavedSession], installation: Installation | None, hive: Hive | None
) -> tuple[Finding, ...]:
    """One finding for each saved session, and one where the next shutdown would save another."""
    found = [_sleeping(session) for session in sessions]
    if sessions and installation is not None and hive is not None:
        found += _fast_start_up(installation, hive)
    return tuple(found)


def _sleeping(session: SavedSession) -> Finding:
    place = session.volume.name
    if session.obstacle is None:
        explanation = (
            "It would resume on hardware that it does not know, and overwrite every change. bootgraft writes nothing "
            "while it is hibernated: shut the source down fully and convert it again, or discard the session, with all "
            f"that was not saved in it: {OPTION}."
        )
    else:
        explanation = (
            f"The session cannot be discarded: {session.obstacle}. Start the source, shut it down fully and convert it "
            "again."
        )
    return Finding(
        HIBERNATED,
        Severity.WARNING,
        f"Windows is hibernated on {place}",
        explanation,
        (f"{place}: {PATH} begins with '{session.signature}': it holds a hibernated session",),
        Remedy.CONSENT if session.changes else Remedy.NONE,
        session.changes,
        leaves_open=True,
        consent=OPTION if session.changes else None,
    )


def _fast_start_up(installation: Installation, hive: Hive) -> Iterator[Finding]:
    changes = switched_off(installation, hive)
    if changes:
        yield Finding(
            FAST_START_UP,
            Severity.INFO,
            "fast start-up is on: this Windows saves a session at each shutdown",
            f"Every further offline repair would meet one. {OPTION} switches it off in every control set.",
            tuple(f"{change.hive}: {change.key}, {_VALUE} is not 0" for change in changes),
            Remedy.CONSENT,
            changes,
            consent=OPTION,
        )


def switched_off(installation: Installation, hive: Hive) -> tuple[SetValue, ...]:
    """The changes that switch fast start-up off in every control set; none where it is off, or not known there."""
    return tuple(_switched_off(installation, hive)) if installation.version >= _FIRST_WITH_FAST_START_UP else ()


def _switched_off(installation: Installation, hive: Hive) -> Iterator[SetValue]:
    for number in installation.control_sets:
        path = f"{control_set_name(number)}\\{_POWER}"
        key = hive.key(path)
        value = None if key is None else key.value(_VALUE)
        if value is not None and value.dword():
            before = RegistryData(value.type, value.data)
            zero = RegistryData(ValueType.REG_DWORD, dword_data(0))
            yield SetValue(hive_file(installation), path, _VALUE, zero, before)


CHECK = Check(
    Stage.MACHINE, 10, DOCS, lambda guest: check(guest.sessions, guest.installation, guest.hive), needs=Need.NOTHING
)
