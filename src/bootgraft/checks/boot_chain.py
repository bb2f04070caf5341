"""Gates 1 and 2: does the chain from the firmware arrive at a Windows at all?"""

from bootgraft.boot.bootsector import SectorFaultKind
from bootgraft.boot.chain import BootChain
from bootgraft.checks.finding import Finding, FindingDoc, Severity

BROKEN = "boot-chain-broken"
NOT_FOLLOWED = "boot-chain-not-followed"
DOCS = (
    FindingDoc(
        id=BROKEN,
        applies_to="Windows NT 4 to Server 2003 on MBR disks",
        cause="A link between the partition table and the Windows directory does not hold: no active partition, no "
        "ntldr, a boot.ini whose default entry points at a partition or directory that is not there.",
        evidence="The step that fails, what was read and where, and what would fit instead.",
        fix="None yet: correct boot.ini or the partition table, or give the disks in BIOS order.",
        limits="Boot code in MBR and boot sector is not judged.",
        references=("https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",),
    ),
    FindingDoc(
        id=NOT_FOLLOWED,
        applies_to="Windows Vista and later, and boot.ini entries with scsi() or signature()",
        cause="The machine starts in a way that bootgraft does not follow yet, so it cannot tell which Windows boots.",
        evidence="The step at which the chain leaves known ground.",
        fix="None.",
        limits="",
        references=(),
    ),
)


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where the chain does not arrive, unless :mod:`.boot_menu` or :mod:`.boot_sector` knows why."""
    if chain.default is not None or not chain.steps or chain.menu_fault is not None:
        return ()
    if any(fault.kind is SectorFaultKind.ACTIVE_PARTITION for fault in chain.sector_faults):
        return ()
    step = chain.steps[-1]
    if not chain.understood:
        return (
            Finding(
                NOT_FOLLOWED,
                Severity.INFO,
                f"bootgraft cannot tell which Windows boots: {step.what}",
                "Only the chain of NT 4 to Server 2003 (MBR, ntldr, boot.ini with multi() paths) is followed; "
                "`bootgraft inspect` shows every Windows that was found.",
                (f"{step.where}: {step.evidence}",),
            ),
        )
    return (
        Finding(
            BROKEN,
            Severity.BLOCKER,
            f"the boot chain breaks: {step.what}",
            "The machine stops before any driver is loaded. bootgraft does not mend this link yet: put right by hand "
            "what is found here, or give all the machine's disks in BIOS order, and check again.",
            (f"{step.where}: {step.evidence}",),
        ),
    )
