"""Drive letters of Windows NT 4, which lie in ``SYSTEM\\DISK``: only told, never changed."""

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.identity.identity_facts import IdentityFacts
from bootgraft.storage.disks.partitions import TableKind

ID = "disk-information-stale"
_MAX_LISTED = 8
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4",
    cause="Drive letters and sets of disks that Disk Administrator made are kept by disk signature. A converter gave a "
    "disk another one, or a disk was not given.",
    evidence="The signatures in SYSTEM\\DISK, Information, and those of the given disks.",
    fix="None: letters then follow the order of the disks. Set them again in Disk Administrator.",
    limits="Only signatures are read.",
    references=(),
)


def check(facts: IdentityFacts) -> tuple[Finding, ...]:
    """One finding where NT 4 knows a disk by a signature that none has."""
    windows = facts.windows
    if windows is None or windows.version[0] != 4:
        return ()
    own = {disk.signature for disk in facts.disks if disk.kind is TableKind.MBR}
    gone = [signature for signature in dict.fromkeys(windows.disk_signatures) if signature not in own]
    if not gone:
        return ()
    listed = ", ".join(f"{signature:08x}" for signature in gone[:_MAX_LISTED])
    given = ", ".join(f"{disk.name} {disk.signature or 0:08x}" for disk in facts.disks[:_MAX_LISTED])
    return (
        Finding(
            ID,
            Severity.INFO,
            "Windows NT knows a disk by a signature that no given disk has",
            "Letters that were set in Disk Administrator for its partitions may change.",
            (f"{windows.hive}: DISK, Information names {listed}; given are {given}",),
        ),
    )


CHECK = Check(Stage.IDENTITY, 40, (DOC,), lambda guest: check(guest.identity))
