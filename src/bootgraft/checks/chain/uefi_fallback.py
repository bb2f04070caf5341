"""Gate 1 on UEFI: does the firmware of a new machine, which knows of no Windows yet, start Windows' boot manager?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage

MISSING = "uefi-fallback-loader-missing"
OTHER = "uefi-fallback-other-loader"
OLDER = "uefi-fallback-loader-older"

_UEFI = "https://uefi.org/specs/UEFI/2.10/03_Boot_Manager.html"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="Windows Vista and later on UEFI",
        cause="The firmware of a new machine has no entry for Windows in its variables. It then starts "
        "\\EFI\\Boot\\bootx64.efi, which is not there.",
        evidence="The EFI system partition, and the boot manager on it.",
        fix="\\EFI\\Microsoft\\Boot\\bootmgfw.efi is copied there, named for its processor; the directory is "
        "made where there is none.",
        limits="Only where the boot manager there is Windows' own.",
        references=(_UEFI,),
    ),
    FindingDoc(
        id=OTHER,
        applies_to="Windows Vista and later on UEFI",
        cause="The fallback loader is another system's (GRUB's shim, rEFInd, a vendor's tool). On the source the "
        "firmware's variables named Windows' boot manager; a new machine starts the fallback loader, and that decides.",
        evidence="The file, which does not call itself bootmgfw.efi in its version resource.",
        fix="None: it may be what is wanted. Give the new machine a boot entry for "
        "\\EFI\\Microsoft\\Boot\\bootmgfw.efi in its firmware's setup, or put a copy of that in its place.",
        limits="What another loader starts is not followed, so the verdict is unknown.",
        references=(_UEFI,),
    ),
    FindingDoc(
        id=OLDER,
        applies_to="Windows Vista and later on UEFI",
        cause="The fallback loader is Windows' boot manager, of an earlier version than the one beside the store: "
        "updates of Windows renew only that.",
        evidence="Both versions.",
        fix="None: it starts. Where Secure Boot has revoked it, copy \\EFI\\Microsoft\\Boot\\bootmgfw.efi over it.",
        limits="Revocations lie in the firmware's variables, which are not on the disk.",
        references=("https://support.microsoft.com/topic/41a975df-beb2-40c1-99a3-b3ff139f832d",),
    ),
)
_IDS = {
    LoaderFaultKind.FALLBACK: MISSING,
    LoaderFaultKind.OTHER_FALLBACK: OTHER,
    LoaderFaultKind.OLDER_FALLBACK: OLDER,
}
_SEVERITY = {
    LoaderFaultKind.FALLBACK: Severity.BLOCKER,
    LoaderFaultKind.OTHER_FALLBACK: Severity.WARNING,
    LoaderFaultKind.OLDER_FALLBACK: Severity.INFO,
}
_MEANING = {
    LoaderFaultKind.FALLBACK: "The firmware finds nothing to start, and goes on to the network or its own shell.",
    LoaderFaultKind.OTHER_FALLBACK: "A new machine starts it first, and what it starts is not followed. Add a boot "
    "entry for \\EFI\\Microsoft\\Boot\\bootmgfw.efi in the firmware's setup, or put a copy of that in its place if the "
    "other system is not wanted.",
    LoaderFaultKind.OLDER_FALLBACK: "It starts this Windows too, unless Secure Boot has revoked it.",
}
_BY_HAND = " Put a copy of Windows' own boot manager there by hand."


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where the fallback loader is not what it should be."""
    return tuple(_finding(chain, fault) for fault in chain.loader_faults if fault.kind in _IDS)


def _finding(chain: BootChain, fault: LoaderFault) -> Finding:
    meaning, evidence = _MEANING[fault.kind], fault.evidence
    if fault.kind is LoaderFaultKind.FALLBACK:
        meaning += "" if fault.changes else _BY_HAND
        evidence = (f"{chain.steps[-1].where}: {chain.steps[-1].evidence}", *evidence)
    remedy = Remedy.CHANGES if fault.changes else Remedy.NONE
    return Finding(_IDS[fault.kind], _SEVERITY[fault.kind], fault.what, meaning, evidence, remedy, fault.changes)


CHECK = Check(Stage.CHAIN, 70, DOCS, lambda guest: check(guest.chain))
