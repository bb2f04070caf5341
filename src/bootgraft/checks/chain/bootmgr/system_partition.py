r"""Gates 1 and 2: is the partition with bootmgr and its store there at all, and is what lies on it complete?

The small partition without a letter is what a copy of "C: only" leaves behind. All that is needed to make a new one
lies in ``\Windows\Boot`` (:mod:`.system_findings`).
"""

from bootgraft.checks.chain.bootmgr.lost import Lost
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom

LEFT_BEHIND, MANAGER_LOST, STORE_LOST = Lost.PARTITION.value, Lost.MANAGER.value, Lost.STORE.value

_BCDBOOT = "https://learn.microsoft.com/windows-hardware/manufacture/desktop/bcdboot-command-line-options-techref-di"
_FIX = (
    "What bcdboot does: boot manager, memory test, fonts and texts are copied from \\Windows\\Boot, and a new store is "
    "made from \\Windows\\system32\\config\\BCD-Template (without one, from nothing) that starts this Windows and "
    "lists each further one. "
)
_WHICH = (
    "Where several Windows are on the disks, --windows names the one that is to start. The recovery environment is not "
    "in a new store: `reagentc /enable` in the started Windows."
)
DOCS = (
    FindingDoc(
        id=LEFT_BEHIND,
        applies_to="Windows Vista and later",
        cause="The small partition with the boot manager and its store (System Reserved, the EFI system partition) was "
        "not copied: disk2vhd, Clonezilla or a converter was told to take C: alone. 'Operating system not found', "
        "'BOOTMGR is missing', or the firmware's own shell.",
        evidence="The partitions of disk 0, each Windows on them, and what it carries to start itself.",
        fix=_FIX + "BIOS: the partition of the Windows becomes the active one and has them all; its boot sector must "
        "have boot code (boot-sector-code-missing). UEFI: with --add-system-partition an EFI system partition is made "
        "(FAT32), in free space of disk 0, in an entry behind that of the Windows. One that is there and was never "
        "filled (both its ends are zero) is formatted without that option.",
        limits="BIOS: only where the Windows lies in a primary partition of disk 0. UEFI: 100 MiB of free space in one "
        "piece (260 on sectors of 4096 bytes); nothing is moved or made smaller. A Windows that is encrypted with "
        "BitLocker cannot be read: decrypt it first. " + _WHICH,
        references=(_BCDBOOT,),
        symptoms=(Symptom.NO_BOOTABLE_DEVICE, Symptom.MISSING_SYSTEM, Symptom.BOOTMGR_MISSING),
    ),
    FindingDoc(
        id=MANAGER_LOST,
        applies_to="Windows Vista and later",
        cause="The system partition is there, but not the boot manager on it (bootmgr, bootmgfw.efi): the partition "
        "was formatted anew, or its files were lost. 'BOOTMGR is missing', or the firmware's own shell.",
        evidence="The system partition, and the Windows that carries a boot manager.",
        fix=_FIX + "What lies on the partition stays.",
        limits=_WHICH,
        references=(_BCDBOOT,),
        symptoms=(Symptom.BOOTMGR_MISSING, Symptom.NO_BOOTABLE_DEVICE),
    ),
    FindingDoc(
        id=STORE_LOST,
        applies_to="Windows Vista and later",
        cause="The store that the boot manager reads (\\Boot\\BCD, \\EFI\\Microsoft\\Boot\\BCD) is missing, damaged "
        "beyond reading, or has no entry of an installed Windows. It stops with 0xc000000f, 0xc0000034 or 0xc0000225.",
        evidence="What there is of the store.",
        fix="A new store that starts this Windows and lists each further one is made from the BCD-Template in "
        "\\Windows\\system32\\config (without one, from nothing). To one that only has no entry, the entry is added, "
        "and all else stays.",
        limits=_WHICH,
        references=(_BCDBOOT,),
        symptoms=(Symptom.C000000F, Symptom.C0000034, Symptom.C0000098, Symptom.C0000225),
    ),
)


def find(guest: Guest) -> tuple[Finding, ...]:
    """One finding where something of the system partition is lost, with what puts it back."""
    if guest.chain.default is not None:
        return ()
    from bootgraft.checks.chain.bootmgr.system_findings import find_lost  # a machine that starts needs none of it

    return tuple(find_lost(guest))


CHECK = Check(Stage.CHAIN, 45, DOCS, find)
