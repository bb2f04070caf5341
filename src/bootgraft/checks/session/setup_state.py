"""Gate 5: does Windows go on to the log-on, or to Setup?"""

from collections.abc import Iterator

from bootgraft.changes import SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import set_number
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Hive
from bootgraft.text import excerpt
from bootgraft.windows.installation import Installation, hive_file
from bootgraft.windows.leftovers.setup_state import COMPLETION, KEY, SetupState, read_setup_state

INTERRUPTED = "setup-interrupted"
UNFINISHED = "setup-unfinished"
PREPARED = "sysprep-image"
_STATES = "https://learn.microsoft.com/windows-hardware/manufacture/desktop/windows-setup-states"
_SYSPREP = (
    "https://learn.microsoft.com/windows-hardware/manufacture/desktop/sysprep--generalize--a-windows-installation"
)
DOCS = (
    FindingDoc(
        id=INTERRUPTED,
        applies_to="Windows Vista and later",
        cause="The machine was copied while Setup, an upgrade or the first start of an image ran. Setup marks its part "
        "as begun (ChildCompletion, setup.exe is 1) and finds the mark at the next start: 'The computer restarted "
        "unexpectedly or encountered an unexpected error. Windows installation cannot proceed', again and again.",
        evidence=r"SYSTEM\Setup and Setup\Status\ChildCompletion.",
        fix=f"`--fix {INTERRUPTED}` sets the mark to 3 (done): Setup then goes on with what follows. Better: let it "
        "come to its end on the source, and copy that.",
        limits="Whether Setup had done all that it now takes for done cannot be determined offline, so the verdict is "
        "unknown.",
        symptoms=(Symptom.SETUP, Symptom.RESTART_LOOP),
        references=(_STATES,),
    ),
    FindingDoc(
        id=UNFINISHED,
        applies_to="every Windows",
        cause="SetupType is not 0, or SystemSetupInProgress is set: in place of the log-on the next start runs "
        "CmdLine. An upgrade or a deployment had not finished when the machine was copied, or a tool that resets "
        "passwords or runs a script once left its command there.",
        evidence=r"SetupType, SystemSetupInProgress and CmdLine of SYSTEM\Setup.",
        fix=f"`--fix {UNFINISHED}` sets SetupType to 0 where it is a command alone (SystemSetupInProgress is 0). "
        "Setup itself is not called off: finish it on the source, and copy that.",
        limits="Windows starts as far as that command. Only SYSTEM is read: what an answer file starts is not looked "
        "at.",
        symptoms=(Symptom.SETUP,),
        references=(_STATES,),
    ),
    FindingDoc(
        id=PREPARED,
        applies_to="every Windows from 2000 on",
        cause="Sysprep prepared the disk as an image for other machines: at its first start Windows finds all hardware "
        "anew and asks for a name and a user (mini-setup, OOBE).",
        evidence=r"SYSTEM\Setup, and the ImageState that Sysprep left.",
        fix="None is needed: this is what such an image is for.",
        limits="The drivers of the new controller must be there all the same: that start is a start like any other.",
        symptoms=(Symptom.SETUP,),
        references=(_SYSPREP, _STATES),
    ),
)
_BEGUN, _DONE = 1, 3


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the next start is one of Setup."""
    installation, hive = guest.installation, guest.hive
    state = None if installation is None or hive is None else read_setup_state(installation, hive)
    if installation is None or hive is None or state is None:
        return
    if state.child == _BEGUN:
        yield _interrupted(installation, hive, state)
    elif state.is_generalized:
        yield _prepared(installation, state)
    else:
        yield _unfinished(installation, hive, state)


def _interrupted(installation: Installation, hive: Hive, state: SetupState) -> Finding:
    change = _set(installation, hive, COMPLETION, "setup.exe", _DONE)
    return Finding(
        INTERRUPTED,
        Severity.WARNING,
        "Setup was interrupted, and will say that it cannot proceed",
        "The machine was copied while Setup, an upgrade or a first start ran: 'The computer restarted unexpectedly … "
        f"Windows installation cannot proceed'. Let it finish on the source and copy that, or --fix {INTERRUPTED}.",
        (*_evidence(installation, state), f"{hive_file(installation).path}: {COMPLETION}: setup.exe={state.child}"),
        Remedy.OFFERED,
        change,
        leaves_open=True,
    )


def _prepared(installation: Installation, state: SetupState) -> Finding:
    return Finding(
        PREPARED,
        Severity.INFO,
        "Sysprep prepared this Windows as an image: its first start is one of Setup",
        "It finds all hardware anew and asks for a name and a user. That is as it should be for a template.",
        _evidence(installation, state),
    )


def _unfinished(installation: Installation, hive: Hive, state: SetupState) -> Finding:
    changes = () if state.in_progress else _set(installation, hive, KEY, "SetupType", 0)
    return Finding(
        UNFINISHED,
        Severity.WARNING,
        "the next start goes on with Setup in place of the log-on"
        if state.in_progress
        else "the next start runs a command in place of the log-on",
        "The machine was copied before Setup had finished: finish it on the source and copy that."
        if state.in_progress
        else f"A tool left it there. --fix {UNFINISHED} removes it: Windows goes on to the log-on.",
        _evidence(installation, state),
        Remedy.OFFERED if changes else Remedy.NONE,
        changes,
    )


def _set(installation: Installation, hive: Hive, path: str, name: str, number: int) -> tuple[SetValue, ...]:
    key = hive.key(path)
    change = None if key is None else set_number(hive_file(installation), key, name, number)
    return () if change is None else (change,)


def _evidence(installation: Installation, state: SetupState) -> tuple[str, ...]:
    shown = (
        f"{hive_file(installation).path}: {KEY}: SetupType={state.type}, "
        f"SystemSetupInProgress={int(state.in_progress)}, CmdLine={excerpt(state.command) or 'empty'}"
    )
    return (shown, *((f"SOFTWARE: ImageState={excerpt(state.image_state)}",) if state.image_state else ()))


CHECK = Check(Stage.SESSION, 30, DOCS, find)
