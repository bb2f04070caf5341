"""Gate 2 on Windows Vista and later: does bootmgr's store lead to what there is, besides the right partitions?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage

DEFAULT = "bcd-default-wrong"
DISPLAY_ORDER = "bcd-menu-entry-missing"
RECOVERY_MISSING = "bcd-recovery-missing"
RESUME_MISSING = "bcd-resume-loader-missing"

_BCD_REFERENCE = "https://learn.microsoft.com/previous-versions/windows/desktop/bcd/bcd-reference"
DOCS = (
    FindingDoc(
        id=DEFAULT,
        applies_to="Windows Vista and later",
        cause="The boot manager's object names no default entry, or one that is not in the store. Where it shows one "
        "entry only, bootmgr starts that; where it shows none that it has, it stops.",
        evidence="The default that is named, and the entries that are there.",
        fix="The only entry shown is made the default one; or the only entry of an installed "
        "Windows, which is then shown too.",
        limits="Nothing is chosen where there are several.",
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=DISPLAY_ORDER,
        applies_to="Windows Vista and later",
        cause="The display order of the boot menu names entries that are not in the store. bootmgr passes them over.",
        evidence="The GUIDs that are named.",
        fix="None: it does no harm. `bcdedit /displayorder {GUID} /remove` takes one out.",
        limits="",
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RECOVERY_MISSING,
        applies_to="Windows 7 and later",
        cause="The entry that starts has a recovery environment whose image (Winre.wim) is not where the store says: "
        "the recovery partition was not converted.",
        evidence="The partition and the path that are named, and where such an image lies.",
        fix="None: in the started Windows, `reagentc /enable` registers an image that is there.",
        limits="Not told where a volume cannot be read. After two failed starts Windows looks for the recovery "
        "environment; without one it shows the error itself.",
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/reagentc-command-line-options",),
    ),
    FindingDoc(
        id=RESUME_MISSING,
        applies_to="Windows Vista and later",
        cause="The entry that resumes from hibernation names a loader (winresume.exe or .efi) that is not there.",
        evidence="The path, and the entry that names it.",
        fix="None: `sfc /scannow` in the started Windows puts it back, or turn hibernation off (`powercfg /h off`).",
        limits="Only of the entry that starts.",
        references=("https://learn.microsoft.com/windows-hardware/drivers/devtest/bcdedit--set",),
    ),
)
_IDS = {
    LoaderFaultKind.DEFAULT_ENTRY: DEFAULT,
    LoaderFaultKind.DISPLAY_ORDER: DISPLAY_ORDER,
    LoaderFaultKind.RECOVERY_IMAGE: RECOVERY_MISSING,
    LoaderFaultKind.RESUME_LOADER: RESUME_MISSING,
}
_MEANING = {
    LoaderFaultKind.DISPLAY_ORDER: "bootmgr passes over them; the menu is shorter than it was meant to be.",
    LoaderFaultKind.RECOVERY_IMAGE: "The machine starts, but has no recovery environment when it needs one. Give the "
    "disk that has it, or run `reagentc /enable` in the started Windows.",
    LoaderFaultKind.RESUME_LOADER: "The machine starts, but cannot wake up from hibernation or fast start-up. Run "
    "`sfc /scannow` in the started Windows.",
}
_STOPS = "bootmgr has nothing to start and stops."
_STARTS = "bootmgr starts the only entry that it shows all the same."
_SEVERAL = "Which entry starts is not followed."
_BY_HAND = " Name the right one from the recovery environment: `bcdedit /default {GUID}`."


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding for each fault of the store."""
    return tuple(_finding(chain, fault) for fault in chain.loader_faults if fault.kind in _IDS)


def _finding(chain: BootChain, fault: LoaderFault) -> Finding:
    evidence = fault.evidence
    if fault.kind is LoaderFaultKind.DEFAULT_ENTRY:
        meaning = _STOPS if fault.stops else _STARTS if fault.changes else _SEVERAL
        meaning += "" if fault.changes else _BY_HAND
        if fault.stops:
            evidence = (f"{chain.steps[-1].where}: {chain.steps[-1].evidence}", *evidence)
    else:
        meaning = _MEANING[fault.kind]
    return Finding(
        _IDS[fault.kind],
        Severity.BLOCKER if fault.stops else Severity.WARNING,
        fault.what,
        meaning,
        evidence,
        Remedy.CHANGES if fault.changes else Remedy.NONE,
        fault.changes,
    )


CHECK = Check(Stage.CHAIN, 60, DOCS, lambda guest: check(guest.chain))
