"""Gate 1: has the disk that a BIOS starts from any boot code in its MBR?"""

from collections.abc import Iterator

from bootgraft.boot.bios import bootcode
from bootgraft.boot.bios.bootcode import MBR_CODE
from bootgraft.checks.chain.bios.boot_code import GIVE_CODE, code_changes, origin
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest

ID = "mbr-code-missing"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows that starts through a BIOS from an MBR disk",
    cause="A converter that copies volumes wrote a partition table and no boot code in front of it.",
    evidence="The first 440 bytes of disk 0, which are zero.",
    fix="The 440 bytes are taken from the MBR of another given disk, of a donor, or of `--boot-code IMAGE`: the "
    "disk image of another machine with Windows. Without one, run fixmbr from the recovery console in the new "
    "machine (Vista and later: bootrec /fixmbr): the code is Microsoft's, and bootgraft has none of its own.",
    limits="Code that is there is not judged. Only code that begins as that of Windows does is taken.",
    references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/hard-drives-and-partitions",),
)
_BY_HAND = "Windows, or run fixmbr from the recovery console in the new machine (Vista and later: bootrec /fixmbr)."


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the MBR has a partition table but no code."""
    sectors = guest.first_sectors
    if sectors is None or sectors.active is None or sectors.wanted is not None:
        return
    disk = sectors.disk
    if any(disk.device.read(0, MBR_CODE)):
        return
    code = bootcode.for_mbr(guest.machine, disk, guest.boot_code)
    changes = code_changes(disk, 0, code, "the boot code in the MBR")
    meaning = "The BIOS finds nothing to start ('Operating system not found')."
    yield Finding(
        ID,
        Severity.BLOCKER,
        f"the master boot record of {disk.name} has a partition table but no boot code",
        meaning if changes else meaning + GIVE_CODE + _BY_HAND,
        (f"{disk.name}, sector 0: bytes 0 to {MBR_CODE - 1} are zero", origin(code)),
        Remedy.CHANGES if changes else Remedy.BOOT_CODE,
        changes,
    )


CHECK = Check(Stage.CHAIN, 81, (DOC,), find)
