"""Unused entries of the GPT before that of Windows' own partition."""

from collections.abc import Iterator

from bootgraft.changes import WriteSectors
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.identity.identity_facts import HIDING_BITS
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Disk, Volume
from bootgraft.storage.disks.partitions import TableKind

ID = "gpt-entry-gap"
_SHOWN = 8
DOC = FindingDoc(
    id=ID,
    applies_to="Windows on GPT disks",
    cause="Programs that delete, move or restore partitions leave unused entries in the table. Microsoft lists an "
    "unused entry before that of the boot partition among the causes of STOP 0x7B; one case is documented. Others "
    "start with such a table, so that this is a warning only.",
    evidence="The slots of the GPT before that of Windows that have no partition, and Windows' own slot.",
    fix="Offered with `--fix gpt-entry-gap`: the entries up to that of Windows move down over the unused ones, in both "
    "copies of the GPT, with new checksums; no partition moves. Windows, its boot store and its letters know "
    "partitions by GUID. Whatever counts them by number sees other numbers: Linux' names of devices, diskpart, the "
    "number in a UEFI boot variable of the old machine.",
    limits="A copy of the table that is damaged, or that was not kept up to date, is left as it is. Where attributes "
    "of the partition have to be cleared too, that comes first.",
    references=(
        "https://github.com/MicrosoftDocs/windows-itpro-docs/issues/9145",
        "https://learn.microsoft.com/troubleshoot/windows-client/performance/stop-error-7b-or-inaccessible-boot-device-troubleshooting",
    ),
    symptoms=(Symptom.STOP_7B,),
)


def check(disk: Disk, volume: Volume) -> tuple[Finding, ...]:
    """One finding where slots before that of the volume of Windows, on its disk, are unused."""
    if disk.table.kind is not TableKind.GPT:
        return ()
    slot = volume.partition.slot
    unused = sorted(set(range(1, slot)) - {each.slot for each in disk.table.partitions})
    if not unused:
        return ()
    waits = bool(volume.partition.attributes & HIDING_BITS)
    changes = () if waits else tuple(_closing(disk, slot))
    shown = ", ".join(map(str, unused[:_SHOWN])) + (", …" if len(unused) > _SHOWN else "")
    which = f"entry {shown} is" if len(unused) == 1 else f"entries {shown} are"
    return (
        Finding(
            ID,
            Severity.WARNING,
            f"{which} unused in the GPT before that of Windows",
            "With such a table a Windows stopped with 0x7B in one documented case; others start. If this one stops, "
            "close the gap.",
            (f"{disk.name}: Windows' own partition has entry {slot}",),
            Remedy.OFFERED if changes else Remedy.NONE,
            changes,
        ),
    )


def _closing(disk: Disk, slot: int) -> Iterator[WriteSectors]:
    from bootgraft.storage.disks.gpt_edit import close_gaps  # few tables have a gap

    for edit in close_gaps(disk.device, slot):
        yield WriteSectors(disk.index, edit.offset, edit.data, edit.before, edit.what)


def find(guest: Guest) -> tuple[Finding, ...]:
    """What is said of the disk with the guest's Windows."""
    if guest.installation is None:
        return ()
    volume = guest.installation.volume
    return check(guest.machine.disks[volume.disk], volume) if volume.disk < len(guest.machine.disks) else ()


CHECK = Check(Stage.IDENTITY, 25, (DOC,), find)
