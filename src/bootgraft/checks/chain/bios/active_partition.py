"""Gate 1: is the partition with the loader the active one of the disk that a BIOS starts from?"""

from collections.abc import Iterator

from bootgraft.changes import WriteSectors
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Disk

ID = "active-partition-wrong"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows that starts through a BIOS from an MBR disk",
    cause="No partition of disk 0 is marked active, several are, or a flag is neither 0x80 nor 0x00: the code in "
    "the MBR stops with 'Invalid partition table' or 'Missing operating system'. Or the one that is has no loader: "
    "its boot sector stops with 'NTLDR is missing' or 'BOOTMGR is missing'.",
    evidence="The flags, and the one primary partition that has a loader and its boot menu.",
    fix="That partition's flag becomes 0x80, the others' 0x00.",
    limits="Only where exactly one primary partition of disk 0 can be meant, and no other disk has an active "
    "partition with ntldr; otherwise boot-chain-broken.",
    symptoms=(Symptom.NO_BOOTABLE_DEVICE, Symptom.MISSING_SYSTEM, Symptom.NTLDR_MISSING, Symptom.BOOTMGR_MISSING),
    references=(
        "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-2000-server/cc977219(v=technet.10)",
    ),
)
_ENTRIES, _ENTRY = 0x1BE, 16
_ACTIVE = 0x80


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where no partition is active, or the wrong one is, and one alone can be meant."""
    sectors = guest.first_sectors
    if sectors is None or sectors.wanted is None:
        return
    disk, wanted = sectors.disk, sectors.wanted
    active = [each.name for each in disk.volumes if each.partition.active]
    shown = f"active: {', '.join(active)}" if active else "no partition is active"
    if disk.table.invalid_flags:
        slots = ", ".join(map(str, disk.table.invalid_flags))
        shown += f"; the flag in slot {slots} is neither 0x80 nor 0x00"
    changes = tuple(flag_changes(disk, wanted.partition.slot))
    yield Finding(
        ID,
        Severity.BLOCKER,
        f"{wanted.name} must be the one active partition of {disk.name}",
        f"The code in the MBR starts the boot sector of {active[0]}, where no loader is."
        if len(active) == 1 and not disk.table.invalid_flags
        else "The code in the MBR stops before it reads any boot sector.",
        (f"{disk.name}, sector 0: {shown}", f"{wanted.name} alone has a loader with its boot menu"),
        Remedy.CHANGES if changes else Remedy.NONE,
        changes,
        explains=True,
    )


def flag_changes(disk: Disk, slot: int) -> Iterator[WriteSectors]:
    """What makes the partition in this slot of the MBR the only active one."""
    for each in range(1, 5):
        offset = _ENTRIES + (each - 1) * _ENTRY
        before, wanted = disk.device.read(offset, 1), bytes([_ACTIVE if each == slot else 0])
        if before != wanted:
            yield WriteSectors(disk.index, offset, wanted, before, f"the active flag of slot {each} in the MBR")


CHECK = Check(Stage.CHAIN, 80, (DOC,), find)
