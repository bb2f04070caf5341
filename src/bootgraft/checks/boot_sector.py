"""Gate 1: what a BIOS reads of disk 0 before it reads a file."""

from bootgraft.boot.bootsector import SectorFaultKind
from bootgraft.boot.chain import BootChain
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity

MBR_CODE = SectorFaultKind.NO_MBR_CODE.value
ACTIVE_PARTITION = SectorFaultKind.ACTIVE_PARTITION.value
HIDDEN_SECTORS = SectorFaultKind.HIDDEN_SECTORS.value
GEOMETRY = SectorFaultKind.GEOMETRY.value

DOCS = (
    FindingDoc(
        id=MBR_CODE,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="A converter that copies volumes wrote a partition table and no boot code in front of it.",
        evidence="The first 440 bytes of disk 0, which are zero.",
        fix="None: the code is Microsoft's, and bootgraft has none. Start the recovery console or the installation "
        "media in the new machine and run fixmbr (Vista and later: bootrec /fixmbr).",
        limits="Code that is there is not judged.",
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/hard-drives-and-partitions",),
    ),
    FindingDoc(
        id=ACTIVE_PARTITION,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="No partition of disk 0 is marked active, several are, or a flag is neither 0x80 nor 0x00: the code in "
        "the MBR stops with 'Invalid partition table' or 'Missing operating system'.",
        evidence="The flags, and the one primary partition that has a loader and its boot menu.",
        fix="That partition's flag becomes 0x80, the others' 0x00.",
        limits="Only where exactly one primary partition of disk 0 can be meant, and no other disk has an active "
        "partition with ntldr; otherwise boot-chain-broken.",
        references=(
            "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-2000-server/cc977219(v=technet.10)",
        ),
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
_SEVERITY = {SectorFaultKind.GEOMETRY: Severity.WARNING}
_MEANING = {
    SectorFaultKind.NO_MBR_CODE: "The BIOS finds nothing to start ('Operating system not found'). Run fixmbr from the "
    "recovery console (Vista and later: bootrec /fixmbr) in the new machine.",
    SectorFaultKind.ACTIVE_PARTITION: "The code in the MBR stops before it reads any boot sector.",
    SectorFaultKind.HIDDEN_SECTORS: "The boot code stops with 'A disk read error occurred'.",
    SectorFaultKind.GEOMETRY: "The boot code may stop with 'A disk read error occurred'.",
}


def check(chain: BootChain) -> tuple[Finding, ...]:
    """A finding for each fault."""
    return tuple(
        Finding(
            fault.kind.value,
            _SEVERITY.get(fault.kind, Severity.BLOCKER),
            fault.what,
            _MEANING[fault.kind],
            fault.evidence,
            Remedy.CHANGES if fault.changes else Remedy.NONE,
            fault.changes,
        )
        for fault in chain.sector_faults
    )
