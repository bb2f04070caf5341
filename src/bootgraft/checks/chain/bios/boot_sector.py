"""Gate 1: do the numbers in the boot sector of the active partition, and its copy, fit the disk that it lies on?"""

import struct
from collections.abc import Iterator

from bootgraft.boot.bios.loaders import Loader, named_in
from bootgraft.changes import WriteSectors
from bootgraft.checks.chain.first_sectors import BootSector
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Disk
from bootgraft.storage.devices.blockdevice import SECTOR

COPY = "boot-sector-copy-differs"
HIDDEN_SECTORS = "boot-sector-hidden-sectors"
GEOMETRY = "boot-sector-geometry"

_BOOT_SECTOR = ("https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",)
DOCS = (
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
        symptoms=(Symptom.DISK_READ_ERROR, Symptom.BLACK_SCREEN),
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
        symptoms=(Symptom.DISK_READ_ERROR, Symptom.BLACK_SCREEN),
        references=(
            "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)",
        ),
    ),
)
_GEOMETRY, _HIDDEN = 0x18, 0x1C
_SECTORS_PER_TRACK, _MOST_HEADS = 63, 255
_LARGEST_WITH = ((2_114_445_312, 64), (4_228_374_780, 128))
"""Bytes of disk up to which a BIOS that assists LBA translates to so many heads; 255 above."""


def find(guest: Guest) -> Iterator[Finding]:
    """Findings about the copy, and about the fields of a boot sector whose code is Windows' own."""
    sectors = guest.first_sectors
    sector = None if sectors is None else sectors.boot_sector
    if sectors is None or sector is None:
        return
    if sector.copy is None and sector.copy_place is not None:
        yield _copy(sector)
    loader = named_in(sector.head)
    if loader in (Loader.BOOTMGR, Loader.NTLDR):
        yield from _hidden_sectors(sectors.disk, sector)
    if loader is Loader.NTLDR:
        yield from _geometry(sectors.disk, sector)


def _copy(sector: BootSector) -> Finding:
    name = sector.volume.name
    return Finding(
        COPY,
        Severity.INFO,
        f"the copy of the boot sector of {name} is not like it",
        "Windows starts all the same. The copy is what is left when the boot sector is lost.",
        (f"{name}: where the copy belongs is none with the same parameter block",),
    )


def _hidden_sectors(disk: Disk, sector: BootSector) -> Iterator[Finding]:
    name = sector.volume.name
    hidden, start = struct.unpack_from("<I", sector.head, _HIDDEN)[0], sector.volume.partition.start // SECTOR
    if hidden != start and start < 2**32:
        changes = _in_both(disk, sector, _HIDDEN, struct.pack("<I", start), "the hidden sectors")
        yield Finding(
            HIDDEN_SECTORS,
            Severity.BLOCKER,
            f"the boot sector of {name} looks for its loader in the wrong place of the disk",
            "The boot code stops with 'A disk read error occurred'.",
            (f"{name}, boot sector: {hidden} hidden sectors (at 0x1C), but it starts at sector {start}",),
            Remedy.CHANGES if changes else Remedy.NONE,
            changes,
        )


def _geometry(disk: Disk, sector: BootSector) -> Iterator[Finding]:
    name = sector.volume.name
    per_track, heads = struct.unpack_from("<HH", sector.head, _GEOMETRY)
    usual = next((heads_ for size, heads_ in _LARGEST_WITH if disk.device.size < size), _MOST_HEADS)
    if per_track == _SECTORS_PER_TRACK and heads in (usual, _MOST_HEADS):
        return
    evidence = (
        f"{name}, boot sector: {heads} heads (at 0x1A) and {per_track} sectors per track (at 0x18); a virtual BIOS has "
        f"{usual} or {_MOST_HEADS}, and {_SECTORS_PER_TRACK}"
    )
    wanted = struct.pack("<HH", _SECTORS_PER_TRACK, usual)
    changes = _in_both(disk, sector, _GEOMETRY, wanted, "sectors per track and heads")
    yield Finding(
        GEOMETRY,
        Severity.WARNING,
        f"the boot sector of {name} has the geometry of another disk controller",
        "The boot code may stop with 'A disk read error occurred'.",
        (evidence,),
        Remedy.CHANGES if changes else Remedy.NONE,
        changes,
    )


def _in_both(disk: Disk, sector: BootSector, field: int, wanted: bytes, name: str) -> tuple[WriteSectors, ...]:
    """The change of one field, in the boot sector and in its copy where that is one."""
    volume = sector.volume
    start = volume.partition.start
    places = [(0, f"{name} in the boot sector of {volume.name}")]
    if sector.copy is not None:
        places.append((sector.copy, f"{name} in its copy at the sector {sector.copy // SECTOR} of {volume.name}"))
    changes = []
    for place, what in places:
        before = volume.device.read(place + field, len(wanted))
        if before != wanted:
            changes.append(WriteSectors(disk.index, start + place + field, wanted, before, what))
    return tuple(changes)


CHECK = Check(Stage.CHAIN, 83, DOCS, find)
