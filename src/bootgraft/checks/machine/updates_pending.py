"""Was the machine copied in the middle of an update?"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Installation, hive_file
from bootgraft.windows.leftovers.servicing import LIST, SESSIONS, Servicing, read_servicing
from bootgraft.windows.versions import VISTA

ID = "updates-pending"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows Vista and later",
    cause="Updates were installed, and the restart that finishes them has not happened: the next start, the first on "
    "the new machine, replaces system files and drivers before anything else runs. Where that fails, Windows reverts "
    "the updates, or stops (Microsoft names it among the causes of 0x7B).",
    evidence=r"poqexec.exe in the session manager's BootExecute or SetupExecute, WinSxS\pending.xml, the value "
    r"Exclusive of Component Based Servicing\SessionsPending.",
    fix="None: only the servicing stack can revert what it began. Where the source still runs, restart it there and "
    "copy it again. Else, if the start fails: `dism /Image:C:\\ /Cleanup-Image /RevertPendingActions` from a recovery "
    "environment of the same Windows.",
    limits="A warning where poqexec is to run, info where only the list or the session is left: both outlive a "
    "finished update at times.",
    symptoms=(Symptom.STOP_7B, Symptom.RESTART_LOOP),
    references=(
        "https://learn.microsoft.com/troubleshoot/windows-client/performance/stop-error-7b-or-inaccessible-boot-device-troubleshooting",
    ),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where anything is left to be finished."""
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None or installation.version < VISTA:
        return
    found = read_servicing(installation, hive)
    if found.runs or found.has_list or found.exclusive:
        yield _finding(installation, found)


def _finding(installation: Installation, found: Servicing) -> Finding:
    runs = bool(found.runs)
    return Finding(
        ID,
        Severity.WARNING if runs else Severity.INFO,
        "the next start finishes updates that were begun on the old machine"
        if runs
        else "there are traces of updates that were not finished",
        "It replaces files of Windows before anything else runs. Where the source still runs, restart it and copy it "
        "again. If the start fails: dism /Image:C:\\ /Cleanup-Image /RevertPendingActions in a recovery environment."
        if runs
        else "Nothing is to run at the next start because of them: Windows finishes or drops them once it has started.",
        tuple(_evidence(installation, found)),
    )


def _evidence(installation: Installation, found: Servicing) -> Iterator[str]:
    place, path = installation.volume.name, f"{installation.directory}\\{LIST}"
    for each in found.runs:
        yield f"{hive_file(installation).path}: {found.manager}: {each}"
    if found.has_list:
        yield f"{place}: {path}: the list of what is to be done"
    elif found.runs:
        yield f"{place}: there is no {path}, the list of what is to be done"
    if found.exclusive:
        software = hive_path(installation.directory, "SOFTWARE")
        yield f"{software}: {SESSIONS}: Exclusive={found.exclusive}: a session of the servicing stack is open"


CHECK = Check(Stage.MACHINE, 62, (DOC,), find)
