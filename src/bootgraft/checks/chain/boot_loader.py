"""Gate 2 on Windows Vista and later: do the entries of bootmgr's store name the partitions that they mean?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage

DEVICE = "bcd-device-wrong"
MANAGER_DEVICE = "bcd-bootmgr-device-wrong"
RESUME_DEVICE = "bcd-resume-device-wrong"
RECOVERY_DEVICE = "bcd-recovery-device-wrong"
OTHER_DEVICE = "bcd-entry-device-wrong"

_EVIDENCE = "What the elements name, and which volume has what must lie there."
_FIX = (
    "The elements are pointed at the right partition; of each, at whatever depth "
    "(RAM disk, virtual disk), only the 40 bytes that name a partition change."
)
_LIMITS = (
    "Only where one single volume has what the entry leads to, none is unreadable, and it is proven to be the same "
    "partition: its disk is the one that is named (and its Windows does not know itself by the name that it has now), "
    "or was proven to be that one by another entry; or it has the very GUID that is named; or its Windows knows itself "
    "by that very name (SYSTEM\\MountedDevices). A partition of MBR is never turned into one of GPT."
)
_BCD_REFERENCE = "https://learn.microsoft.com/previous-versions/windows/desktop/bcd/bcd-reference"
DOCS = (
    FindingDoc(
        id=DEVICE,
        applies_to="Windows Vista and later",
        cause="The BCD store names the partition of Windows by disk signature and offset (MBR) or by GUIDs (GPT). A "
        "converter that aligns partitions anew, drops one, or writes a new signature or GUID leaves the store as it "
        "was: bootmgr stops with 0xc000000e or 0xc0000225. Or an element is damaged.",
        evidence="What the element names, what the disks have, and which volume has the loader and the Windows.",
        fix=_FIX + " A damaged element is made anew, 0x58 bytes.",
        limits=_LIMITS + " A damaged element only where the other device of the entry is sound.",
        references=(
            "https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-configuration-data",
            _BCD_REFERENCE,
        ),
    ),
    FindingDoc(
        id=MANAGER_DEVICE,
        applies_to="Windows Vista and later",
        cause="The object of the boot manager names the system partition as it was before the conversion. bootmgr has "
        "been started by then and does not look at it, but bcdedit, bcdboot, Windows Update and the recovery "
        "environment do: they show it as unknown and fail.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="It means the partition that the store lies on, unless it names a disk that is another given one.",
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RESUME_DEVICE,
        applies_to="Windows Vista and later",
        cause="The entry that resumes from hibernation names a partition that is not there. The machine starts, but "
        "the first time that it sleeps or shuts down fast, the session is lost.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS,
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RECOVERY_DEVICE,
        applies_to="Windows 7 and later",
        cause="The entry of the recovery environment names the partition of Winre.wim as it was before the conversion: "
        "the machine starts, but when it must be rescued there is no recovery environment.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS,
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/reagentc-command-line-options",),
    ),
    FindingDoc(
        id=OTHER_DEVICE,
        applies_to="Windows Vista and later",
        cause="An entry that is not the default one (another Windows, the memory test, ntldr) names a "
        "partition that is not there any more: it cannot be started from the menu.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS + " Entries that nothing leads to any more are not told of; they are mended along.",
        references=(_BCD_REFERENCE,),
    ),
)
_IDS = {
    LoaderFaultKind.DEVICE: DEVICE,
    LoaderFaultKind.MANAGER_DEVICE: MANAGER_DEVICE,
    LoaderFaultKind.RESUME_DEVICE: RESUME_DEVICE,
    LoaderFaultKind.RECOVERY_DEVICE: RECOVERY_DEVICE,
    LoaderFaultKind.OTHER_DEVICE: OTHER_DEVICE,
}
_MEANING = {
    LoaderFaultKind.DEVICE: "bootmgr stops before any part of Windows is loaded, with 0xc000000e or 0xc0000225.",
    LoaderFaultKind.MANAGER_DEVICE: "The machine starts, but bcdedit and the updates of Windows that write "
    "to the store do not find the system partition.",
    LoaderFaultKind.RESUME_DEVICE: "The machine starts, but cannot wake up from hibernation or fast start-up.",
    LoaderFaultKind.RECOVERY_DEVICE: "The machine starts, but has no recovery environment when it needs one.",
    LoaderFaultKind.OTHER_DEVICE: "The default entry is not touched by it; this one cannot be started from the menu.",
}
_BY_HAND = (
    " bootgraft does not guess which partition is meant: give all the machine's disks, or set it from the recovery "
    "environment"
)
_COMMANDS = {
    LoaderFaultKind.DEVICE: "`bcdedit /set {default} osdevice partition=C:`, and device",
    LoaderFaultKind.MANAGER_DEVICE: "`bcdedit /set {bootmgr} device partition=S:`",
    LoaderFaultKind.RESUME_DEVICE: "`bcdedit /set {GUID} filedevice partition=C:`, and device",
    LoaderFaultKind.RECOVERY_DEVICE: "or in the started Windows: `reagentc /disable`, `reagentc /enable`",
    LoaderFaultKind.OTHER_DEVICE: "`bcdedit /set {GUID} device partition=C:`",
}


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding for each partition that is named wrongly, and for whom."""
    return tuple(_finding(chain, fault) for fault in chain.loader_faults if fault.kind in _IDS)


def _finding(chain: BootChain, fault: LoaderFault) -> Finding:
    step = chain.steps[-1]
    evidence = (f"{step.where}: {step.evidence}", *fault.evidence) if fault.stops else fault.evidence
    by_hand = f"{_BY_HAND} ({_COMMANDS[fault.kind]})."
    return Finding(
        _IDS[fault.kind],
        Severity.BLOCKER if fault.stops else Severity.WARNING,
        fault.what,
        _MEANING[fault.kind] + ("" if fault.changes else by_hand),
        evidence,
        Remedy.CHANGES if fault.changes else Remedy.NONE,
        fault.changes,
    )


CHECK = Check(Stage.CHAIN, 50, DOCS, lambda guest: check(guest.chain))
