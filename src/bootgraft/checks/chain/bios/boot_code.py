"""Gate 1: does the boot sector of the active partition have boot code, and of the loader that is there?

Code comes from the machine's own disks or from an installation that was given (:mod:`bootgraft.boot.bios.bootcode`).
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bios import bootcode
from bootgraft.boot.bios.bootcode import BootCode
from bootgraft.boot.bios.loaders import Loader, named_in
from bootgraft.changes import WriteSectors
from bootgraft.checks.chain.first_sectors import BootSector
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Disk, Volume

NO_BOOT_CODE = "boot-sector-code-missing"
WRONG_LOADER = "boot-sector-wrong-loader"

_BOOT_SECTOR = ("https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",)
_CODE_FIX = (
    "The code, and nothing of the parameter block, is taken from the first of these that has it for this file system "
    "and loader: the copy of the boot sector, another volume of the machine, \\BOOTSECT.BAK, a donor, `--boot-code "
    "IMAGE` (the disk image of another machine)."
)
_CODE_LIMITS = "Only the active partition, on disks with 512-byte sectors, where exactly one loader is in its root."
DOCS = (
    FindingDoc(
        id=NO_BOOT_CODE,
        applies_to="every Windows that starts through a BIOS from an MBR disk",
        cause="The active partition was formatted by another system, or its boot sector written anew with its "
        "parameter block alone: it has no boot code, or that of mkntfs or mkfs.fat, which says that it is no "
        "bootable disk.",
        evidence="The boot sector, the loader that is there, and where its boot code was found.",
        fix=_CODE_FIX,
        limits=_CODE_LIMITS,
        symptoms=(Symptom.NO_BOOTABLE_DEVICE, Symptom.MISSING_SYSTEM, Symptom.BLACK_SCREEN),
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
        symptoms=(Symptom.NTLDR_MISSING, Symptom.BOOTMGR_MISSING),
        references=_BOOT_SECTOR,
    ),
)
GIVE_CODE = " Give `repair --boot-code IMAGE`, the disk image of another machine with "
_BY_HAND = (
    GIVE_CODE
    + "this file system and loader, or run fixboot from the recovery console (Vista and later: bootrec /fixboot)."
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the boot sector has no code, or code for a loader that is not there; if exactly one is."""
    sectors = guest.first_sectors
    sector = None if sectors is None else sectors.boot_sector
    if sectors is None or sector is None or sector.volume.kind is None:
        return
    named = named_in(sector.head)
    missing = bootcode.is_missing(sector.head, sector.volume.kind)
    if named is None and not missing:
        return
    there = _loaders(sector.volume)
    if len(there) != 1 or (named in there and not missing):
        return
    yield _finding(guest, sectors.disk, sector, there[0], None if missing else named)


def _finding(guest: Guest, disk: Disk, sector: BootSector, loader: Loader, named: Loader | None) -> Finding:
    """What to say where the ``loader`` is there, and the boot code is that of another one, or none at all."""
    volume = sector.volume
    code = bootcode.for_volume(guest.machine, volume, loader, sector.copy, guest.boot_code)
    changes = code_changes(disk, volume.partition.start, code, f"the boot code of {volume.name}, for {loader}")
    if named is None:
        severity = Severity.BLOCKER
        what = f"the boot sector of {volume.name} has no boot code"
        meaning = "The BIOS comes to a boot sector that starts nothing."
        shown = f"nothing that starts {loader}, which is there"
    else:
        severity = Severity.BLOCKER if guest.chain.understood else Severity.WARNING
        what = f"the boot sector of {volume.name} starts {named}, but only {loader} is there"
        meaning = "The boot code stops with 'NTLDR is missing' or 'BOOTMGR is missing'."
        shown = rf"its code looks for {named}, and there is no \{named}; \{loader} is there"
    return Finding(
        NO_BOOT_CODE if named is None else WRONG_LOADER,
        severity,
        what,
        meaning if changes else meaning + _BY_HAND,
        (f"{volume.name}, boot sector: {shown}", origin(code)),
        Remedy.CHANGES if changes else Remedy.BOOT_CODE,
        changes,
        explains=named is not None,
    )


def _loaders(volume: Volume) -> list[Loader]:
    try:
        filesystem = volume.filesystem()
        return [each for each in Loader if search.find_entry(filesystem, f"\\{each}") is not None]
    except (FileSystemError, PartitionTableError):  # told where the chain meets it
        return []


def origin(code: BootCode | None) -> str:
    """Where sound boot code was found, for evidence."""
    return "no such code was found on the given disks" if code is None else f"sound boot code for it: {code.source}"


def code_changes(disk: Disk, start: int, code: BootCode | None, what: str) -> tuple[WriteSectors, ...]:
    """The changes that put the code where it belongs, ``start`` bytes into the disk."""
    if code is None:
        return ()
    changes = []
    for offset, data in code.pieces:
        before = disk.device.read(start + offset, len(data))
        if before != data:
            changes.append(WriteSectors(disk.index, start + offset, data, before, f"{what}, from {code.source}"))
    return tuple(changes)


CHECK = Check(Stage.CHAIN, 82, DOCS, find)
