"""Gates 1 and 2: does the chain from the firmware arrive at a Windows at all?"""

from bootgraft.boot.chain import BootChain
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.symptom import Symptom

BROKEN = "boot-chain-broken"
NOT_FOLLOWED = "boot-chain-not-followed"
DOCS = (
    FindingDoc(
        id=BROKEN,
        applies_to="every Windows: boot.ini on MBR disks, BCD stores on BIOS (MBR) and UEFI (GPT)",
        cause="A link between the partition table and the Windows directory does not hold: no active partition or EFI "
        "system partition, no loader (ntldr, bootmgr, the UEFI fallback loader, winload), no boot menu, a default "
        "entry that points at a partition or directory that is not there.",
        evidence="The step that fails, what was read and where, and what would fit instead.",
        fix="None yet: correct the boot menu or the partition table, or give the disks in BIOS order.",
        limits="Boot code is judged only by the loader that it names.",
        symptoms=(
            Symptom.NO_BOOTABLE_DEVICE,
            Symptom.MISSING_SYSTEM,
            Symptom.BLACK_SCREEN,
            Symptom.NTLDR_MISSING,
            Symptom.BOOTMGR_MISSING,
            Symptom.FILE_MISSING,
            Symptom.DISK_CONFIGURATION,
            Symptom.C000000E,
            Symptom.C000000F,
            Symptom.C0000034,
            Symptom.C0000098,
            Symptom.C0000225,
        ),
        references=(
            "https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",
            "https://learn.microsoft.com/windows-hardware/manufacture/desktop/bcd-system-store-settings-for-uefi",
        ),
    ),
    FindingDoc(
        id=NOT_FOLLOWED,
        applies_to="boot.ini entries with scsi(), or with a signature() that not exactly one disk has; BCD entries for "
        "RAM disks, virtual disks, Windows PE, boot sectors, or with devices that fit two volumes; other systems' "
        "boot loaders",
        cause="The machine starts in a way that bootgraft does not follow yet, so it cannot tell which Windows boots.",
        evidence="The step beyond which the chain cannot be followed.",
        fix="None.",
        limits="",
        references=(),
    ),
)


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where the chain does not arrive; a check that knows why says more, and takes its place."""
    if chain.default is not None or not chain.steps or chain.unsupported_volume is not None:
        return ()
    step = chain.steps[-1]
    if not chain.understood:
        return (
            Finding(
                NOT_FOLLOWED,
                Severity.INFO,
                f"bootgraft cannot tell which Windows boots: {step.what}",
                "What is followed: MBR, ntldr and boot.ini with multi() or signature() paths; MBR or GPT, bootmgr and "
                "a BCD store whose default entry starts an installed Windows. inspect lists every Windows that was "
                "found.",
                (f"{step.where}: {step.evidence}",),
                command=("inspect",),
            ),
        )
    return (
        Finding(
            BROKEN,
            Severity.BLOCKER,
            f"the boot chain breaks: {step.what}",
            "The machine stops before any driver is loaded. bootgraft does not repair this link yet: fix manually "
            "what is found here, or give all the machine's disks in BIOS order, and check again.",
            (f"{step.where}: {step.evidence}",),
        ),
    )


CHECK = Check(Stage.CHAIN, 20, DOCS, lambda guest: check(guest.chain), general=True)
