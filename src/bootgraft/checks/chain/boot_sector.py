"""Gate 1: what a BIOS reads of disk 0 before it reads a file."""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.sectorfault import SectorFault, SectorFaultKind
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage

MBR_CODE = SectorFaultKind.NO_MBR_CODE.value
ACTIVE_PARTITION = SectorFaultKind.ACTIVE_PARTITION.value
NO_BOOT_CODE = SectorFaultKind.NO_BOOT_CODE.value
WRONG_LOADER = SectorFaultKind.WRONG_LOADER.value
COPY = SectorFaultKind.COPY.value
HIDDEN_SECTORS = SectorFaultKind.HIDDEN_SECTORS.value
GEOMETRY = SectorFaultKind.GEOMETRY.value

_BOOT_SECTOR = ("https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",)
_CODE_FIX = (
    "The code, and nothing of the parameter block, is taken from the first of these that has it for this file system "
    "and loader: the copy of the boot sector, another volume of the machine, \\BOOTSECT.BAK, a donor, `--boot-code "
    "IMAGE` (the disk image of another machine)."
)
_CODE_LIMITS = "Only the active partition, on disks with 512-byte sectors, where exactly one loader is in its root."
DOCS = (
    FindingDoc(
        id=MBR_CODE,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="A converter that copies volumes wrote a partition table and no boot code in front of it.",
        evidence="The first 440 bytes of disk 0, which are zero.",
        fix="The 440 bytes are taken from the MBR of another given disk, of a donor, or of `--boot-code IMAGE`: the "
        "disk image of another machine with Windows. Without one, run fixmbr from the recovery console in the new "
        "machine (Vista and later: bootrec /fixmbr): the code is Microsoft's, and bootgraft has none of its own.",
        limits="Code that is there is not judged. Only code that begins as that of Windows does is taken.",
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/hard-drives-and-partitions",),
    ),
    FindingDoc(
        id=ACTIVE_PARTITION,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="No partition of disk 0 is marked active, several are, or a flag is neither 0x80 nor 0x00: the code in "
        "the MBR stops with 'Invalid partition table' or 'Missing operating system'. Or the one that is has no loader: "
        "'NTLDR is missing'.",
        evidence="The flags, and the one primary partition that has a loader and its boot menu.",
        fix="That partition's flag becomes 0x80, the others' 0x00.",
        limits="Only where exactly one primary partition of disk 0 can be meant, and no other disk has an active "
        "partition with ntldr; otherwise boot-chain-broken.",
        references=(
            "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-2000-server/cc977219(v=technet.10)",
        ),
    ),
    FindingDoc(
        id=NO_BOOT_CODE,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="The active partition was formatted by another system, or its boot sector written anew with its "
        "parameter block alone: it has no boot code, or that of mkntfs or mkfs.fat, which says that it is no "
        "bootable disk.",
        evidence="The boot sector, the loader that is there, and where its boot code was found.",
        fix=_CODE_FIX,
        limits=_CODE_LIMITS,
        references=_BOOT_SECTOR,
    ),
    FindingDoc(
        id=WRONG_LOADER,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="The boot code is of another family than the loader: a Windows XP restored into a partition that Vista "
        "or later formatted stops with 'BOOTMGR is missing', the other way round with 'NTLDR is missing'.",
        evidence="The loader that the boot code names, the only one that is there, and where its boot code was found.",
        fix=_CODE_FIX,
        limits=_CODE_LIMITS + " Whether code of Vista and later starts ntldr where bootmgr is missing is not certain: "
        "then it is a warning, and the verdict is unknown.",
        references=_BOOT_SECTOR,
    ),
    FindingDoc(
        id=COPY,
        applies_to="NTFS and FAT32 system partitions",
        cause="A converter that changed the size of the partition, or wrote its boot sector alone, left the copy as it "
        "was.",
        evidence="The place where the copy belongs: the last sector of an NTFS volume, the sector that FAT32 names.",
        fix="None: nothing reads it before the boot sector itself is lost; chkdsk writes a new one.",
        limits="The boot code in it is not compared.",
        references=_BOOT_SECTOR,
    ),
    FindingDoc(
        id=HIDDEN_SECTORS,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="The partition was moved (often from sector 63 to 2048), and its boot sector still says where it was: "
        "the boot code reads the rest of itself and the loader from there: 'A disk read error occurred'.",
        evidence="The number of hidden sectors in the boot sector, and the partition's start.",
        fix="The number becomes the partition's start, in the boot sector and in its copy.",
        limits="Only the active partition, where its boot code is Windows' own, on disks with 512-byte sectors.",
        references=(
            "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",
        ),
    ),
    FindingDoc(
        id=GEOMETRY,
        applies_to="Windows NT 4 to Server 2003",
        cause="The boot code turns sector numbers into cylinder, head and sector with the geometry in its boot sector. "
        "That of the old controller (as 240 heads) reads from elsewhere on the new one.",
        evidence="Heads and sectors per track in the boot sector, and what a virtual BIOS has for a disk of this size.",
        fix="They become what a virtual BIOS has, in the boot sector and in its copy: 63 sectors per track; 64 heads "
        "below 2 GB, 128 below 4 GB, else 255.",
        limits="255 heads are taken as right on a disk of any size. A warning: whether it stops the start depends on "
        "the BIOS.",
        references=(
            "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",
        ),
    ),
)
_SEVERITY = {SectorFaultKind.GEOMETRY: Severity.WARNING, SectorFaultKind.COPY: Severity.INFO}
_GIVE_CODE = " Give `repair --boot-code IMAGE`, the disk image of another machine with "
_MEANING = {
    SectorFaultKind.NO_MBR_CODE: "The BIOS finds nothing to start ('Operating system not found').",
    SectorFaultKind.NO_BOOT_CODE: "The BIOS comes to a boot sector that starts nothing.",
    SectorFaultKind.WRONG_LOADER: "The boot code stops with 'NTLDR is missing' or 'BOOTMGR is missing'.",
    SectorFaultKind.COPY: "Windows starts all the same. The copy is what is left when the boot sector is lost.",
    SectorFaultKind.ACTIVE_PARTITION: "The code in the MBR stops before it reads any boot sector.",
    SectorFaultKind.HIDDEN_SECTORS: "The boot code stops with 'A disk read error occurred'.",
    SectorFaultKind.GEOMETRY: "The boot code may stop with 'A disk read error occurred'.",
}
_BY_HAND = {
    SectorFaultKind.NO_MBR_CODE: _GIVE_CODE
    + "Windows, or run fixmbr from the recovery console in the new machine (Vista and later: bootrec /fixmbr).",
    SectorFaultKind.NO_BOOT_CODE: _GIVE_CODE
    + "this file system and loader, or run fixboot from the recovery console (Vista and later: bootrec /fixboot).",
    SectorFaultKind.WRONG_LOADER: _GIVE_CODE
    + "this file system and loader, or run fixboot from the recovery console (Vista and later: bootrec /fixboot).",
}


def check(chain: BootChain) -> tuple[Finding, ...]:
    """A finding for each fault."""
    return tuple(_finding(chain, fault) for fault in chain.sector_faults)


def _finding(chain: BootChain, fault: SectorFault) -> Finding:
    severity = _SEVERITY.get(fault.kind, Severity.BLOCKER)
    if fault.kind is SectorFaultKind.WRONG_LOADER and not chain.understood:
        severity = Severity.WARNING
    meaning = _MEANING[fault.kind] + ("" if fault.changes else _BY_HAND.get(fault.kind, ""))
    lacking = Remedy.BOOT_CODE if fault.kind in _BY_HAND else Remedy.NONE
    remedy = Remedy.CHANGES if fault.changes else lacking
    return Finding(fault.kind.value, severity, fault.what, meaning, fault.evidence, remedy, fault.changes)


CHECK = Check(Stage.CHAIN, 80, DOCS, lambda guest: check(guest.chain))
