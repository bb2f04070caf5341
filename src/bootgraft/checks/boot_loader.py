"""Gate 2 on Windows Vista and later: does bootmgr get started, and does its store name the partition of Windows?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.loaderfault import LoaderFaultKind
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity

DEVICE = "bcd-device-wrong"
FALLBACK = "uefi-fallback-loader-missing"

_UNPROVEN = (
    " `repair` writes it only where it can also prove that the machine then boots, which it cannot yet for Windows "
    "Vista and later: `repair --dry-run` shows the change."
)
DOCS = (
    FindingDoc(
        id=DEVICE,
        applies_to="Windows Vista and later",
        cause="The BCD store names the partition of Windows by disk signature and offset (MBR) or by GUIDs (GPT). A "
        "converter that aligns partitions anew, drops one, or writes a new signature or GUID leaves the store as it "
        "was: bootmgr stops with 0xc000000e or 0xc0000225.",
        evidence="What the element names, what the disks have, and which volume has the loader and the Windows.",
        fix="None yet, only shown: every partition element of the store that names that partition pointed at the new "
        "one; of each element only the 40 bytes that name a partition change.",
        limits="Only where one single volume has the loader and the SYSTEM hive, none is unreadable, and it is proven "
        "to be the same partition: its disk is the one that the element names, or its Windows knows itself by that "
        "very name (SYSTEM\\MountedDevices). Elements of RAM disks (recovery) are left as they are." + _UNPROVEN,
        references=("https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-configuration-data",),
    ),
    FindingDoc(
        id=FALLBACK,
        applies_to="Windows Vista and later on UEFI",
        cause="The firmware of a new machine has no entry for Windows in its variables. It then starts "
        "\\EFI\\Boot\\bootx64.efi, which is not there.",
        evidence="The EFI system partition, and the boot manager on it.",
        fix="None yet, only shown: \\EFI\\Microsoft\\Boot\\bootmgfw.efi copied there, named for its processor.",
        limits="Only where the directory \\EFI\\Boot is there." + _UNPROVEN,
        references=("https://uefi.org/specs/UEFI/2.10/03_Boot_Manager.html",),
    ),
)
_IDS = {LoaderFaultKind.DEVICE: DEVICE, LoaderFaultKind.FALLBACK: FALLBACK}
_MEANING = {
    LoaderFaultKind.DEVICE: "bootmgr stops before any part of Windows is loaded, mostly with 0xc000000e or 0xc0000225.",
    LoaderFaultKind.FALLBACK: "The firmware finds nothing to start, and goes on to the network or its own shell.",
}
_BY_HAND = {
    LoaderFaultKind.DEVICE: " bootgraft does not guess which partition is meant: give all the machine's disks, or set "
    "it from the recovery environment (`bcdedit /set {default} osdevice partition=C:`, and device).",
    LoaderFaultKind.FALLBACK: " Put a copy of \\EFI\\Microsoft\\Boot\\bootmgfw.efi there by hand.",
}


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where it is known what keeps bootmgr from starting Windows."""
    fault = chain.loader_fault
    if fault is None:
        return ()
    step = chain.steps[-1]
    evidence = (f"{step.where}: {step.evidence}", *fault.evidence)
    remedy = Remedy.UNPROVEN if fault.changes else Remedy.NONE
    meaning = _MEANING[fault.kind] + (_UNPROVEN if fault.changes else _BY_HAND[fault.kind])
    return (Finding(_IDS[fault.kind], Severity.BLOCKER, fault.what, meaning, evidence, remedy, fault.changes),)
