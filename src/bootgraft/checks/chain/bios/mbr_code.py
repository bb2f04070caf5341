"""Gate 1: has the disk that a BIOS starts from any boot code in its MBR?"""

from collections.abc import Iterator

from bootgraft.boot.bios import bootcode
from bootgraft.boot.bios.bootcode import MBR_CODE
from bootgraft.checks.chain.bios.boot_code import code_changes, origin
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom

ID = "mbr-code-missing"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows that starts through a BIOS from an MBR disk",
    cause="A converter that copies volumes wrote a partition table and no boot code in front of it.",
    evidence="The first 440 bytes of disk 0, which are zero, or the same byte over and over, or text alone.",
    fix="The 440 bytes in front of the disk signature are written; signature and partition table stay. They are "
    "Microsoft's code from the MBR of another given disk, of a donor, or of `--boot-code IMAGE` (the disk image of "
    "another machine with Windows); without one, the free MBR code of Syslinux (MIT licence), which starts the one "
    "active partition as Microsoft's does.",
    limits="Other content is taken for code and is not judged. Only where exactly one partition is active. Of another "
    "disk or machine only code is taken that begins as that of Windows does. The boot sectors of partitions never "
    "come from Syslinux.",
    symptoms=(Symptom.NO_BOOTABLE_DEVICE, Symptom.BLACK_SCREEN),
    references=(
        "https://learn.microsoft.com/windows-hardware/manufacture/desktop/hard-drives-and-partitions",
        "https://wiki.syslinux.org/wiki/index.php?title=Mbr",
    ),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the MBR has a partition table but no code."""
    sectors = guest.first_sectors
    if sectors is None or sectors.active is None or sectors.wanted is not None:
        return
    disk = sectors.disk
    there = disk.device.read(0, MBR_CODE)
    if not bootcode.is_no_mbr_code(there):
        return
    code = bootcode.for_mbr(guest.machine, disk, guest.boot_code)
    yield Finding(
        ID,
        Severity.BLOCKER,
        f"the master boot record of {disk.name} has a partition table but no boot code",
        "The BIOS finds nothing to start ('Operating system not found').",
        (f"{disk.name}, sector 0: bytes 0 to {MBR_CODE - 1} {_shown(there)}", origin(code)),
        Remedy.CHANGES,
        code_changes(disk, 0, code, "the boot code in the MBR"),
    )


def _shown(there: bytes) -> str:
    if not any(there):
        return "are zero"
    return f"are all {there[0]:#04x}" if len(set(there)) == 1 else "are text, not code"


CHECK = Check(Stage.CHAIN, 81, (DOC,), find)
