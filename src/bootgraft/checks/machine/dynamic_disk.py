"""Does Windows lie on a dynamic disk or in a fault-tolerant set, and can it be reached there?"""

from bootgraft.boot.unsupported_volume import UnsupportedKind, UnsupportedVolume
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Need, Stage
from bootgraft.checks.machine.unsupported import findings_of
from bootgraft.checks.symptom import Symptom

VOLUME = "dynamic-disk-volume"
FAULT_TOLERANT = "fault-tolerant-set"
REFERENCE = (
    "https://learn.microsoft.com/windows-server/storage/disk-management/change-a-dynamic-disk-back-to-a-basic-disk"
)
DOCS = (
    FindingDoc(
        id=VOLUME,
        applies_to="Windows 2000 and later",
        cause="The volume is spanned, striped, mirrored or RAID-5 on dynamic disks, or the disk's LDM database does "
        "not tell. A simple volume with an entry in the partition table is read and written like any partition.",
        evidence="The volume in the LDM database, how it lies on its disks, and those that were not given.",
        fix="None: make the volume simple (break the mirror) on the source machine, and convert it again.",
        limits="Nothing is written: one half of a mirror, or a piece of a set, must not change alone; `repair` and "
        "`reg` end with exit status 3. The database is read, not judged.",
        symptoms=(Symptom.STOP_7B,),
        references=(REFERENCE,),
    ),
    FindingDoc(
        id=FAULT_TOLERANT,
        applies_to="Windows NT 4 and 2000",
        cause="The partition is a member of a mirror, stripe or volume set of Windows NT 4 (ftdisk).",
        evidence="Its type in the MBR, which has the bit 0x80.",
        fix="None: break the set on the source machine, and convert it again.",
        limits="Nothing is written: half a mirror must not change alone; `repair` and `reg` end with exit status 3.",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows/win32/fileio/disk-partition-types",),
    ),
)
_IDS = {UnsupportedKind.DYNAMIC: VOLUME, UnsupportedKind.FAULT_TOLERANT: FAULT_TOLERANT}


def check(cause: UnsupportedVolume | None) -> tuple[Finding, ...]:
    """One finding where the volume lies on several disks, or may."""
    return findings_of(cause, _IDS, "bootgraft writes nothing there: its pieces must change together.")


CHECK = Check(Stage.MACHINE, 40, DOCS, lambda guest: check(guest.unsupported_volume), needs=Need.NOTHING)
