r"""Gate 1: can boot code read the loader, or did NTFS or Compact OS compress it?

Boot code takes a file's clusters as they are and looks at its attribute first: "NTLDR is compressed", "BOOTMGR is
compressed". Windows leaves the files that start it alone when a drive is compressed, but compresses them where it is
told to (R. Chen, "When you compress a drive, some files are exempted, but you can force it": NTLDR and NTDETECT.COM are
among them). What counts is how the content is stored (the DATA attribute), not the file's attribute bit.
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bios.loaders import Loader, is_compressed, named_in
from bootgraft.changes import WriteFile, content_digest
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import Entry, FileSystemKind
from bootgraft.machine import Volume
from bootgraft.text import printable

LOADER = "boot-loader-compressed"
NTDETECT = "ntdetect-compressed"

_REFERENCES = (
    "https://devblogs.microsoft.com/oldnewthing/20071127-00/?p=24373",
    "https://help.datto.com/s/article/KB205067614",
)
_EVIDENCE = "How the file's content is stored (its DATA attribute, a WOF reparse point)."
_FIX = (
    "The same content is stored uncompressed; name, attributes and security stay. It takes the room that it has "
    "uncompressed."
)
DOCS = (
    FindingDoc(
        id=LOADER,
        applies_to="every Windows that starts through a BIOS from an NTFS volume",
        cause="ntldr or bootmgr is compressed: by NTFS, because somebody compressed the whole drive, or by "
        "`compact /exe` (Compact OS). The boot sector stops with 'NTLDR is compressed' or 'BOOTMGR is compressed'.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="Only the loader that the boot sector starts. Files that this loader reads itself are not judged: no "
        "source says of boot.ini, the BCD store, winload.exe or the kernel that they must not be compressed.",
        symptoms=(Symptom.COMPRESSED, Symptom.BOOTMGR_MISSING, Symptom.NTLDR_MISSING),
        references=_REFERENCES,
    ),
    FindingDoc(
        id=NTDETECT,
        applies_to="Windows NT 4 to Server 2003 that start from an NTFS volume",
        cause="NTDETECT.COM is compressed. Microsoft counts it, like ntldr, among the files that a start needs "
        "uncompressed; ntldr reads it itself, and whether every release can read it compressed is not documented.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="The verdict is unknown until it is fixed.",
        symptoms=(Symptom.BLACK_SCREEN,),
        references=_REFERENCES[:1],
    ),
)
_MAX_SIZE = 16 << 20
"""Bytes of a loader that are read: bootmgr has less than one MiB."""
_BY_HAND = " Uncompress it in a working Windows that the disk is attached to: `compact /u /a {}`."


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for the loader that the boot sector starts, and one for NTDETECT.COM beside ntldr."""
    system = None if guest.first_sectors is None else guest.first_sectors.active
    if system is None or system.kind is not FileSystemKind.NTFS:
        return
    loader = _started(system)
    if loader is not None:
        yield from _judge(guest, system, loader, LOADER)
    if loader is Loader.NTLDR:
        yield from _judge(guest, system, "NTDETECT.COM", NTDETECT)


def _started(system: Volume) -> Loader | None:
    """The loader that the boot code names, or the only one that is there; FreeLoader's boot code is not judged."""
    loaders = (Loader.BOOTMGR, Loader.NTLDR)
    named = named_in(system.device.read(0, min(8192, system.device.size)))
    there = [each for each in loaders if search.has(system, f"\\{each}")]
    if named in there:
        return named
    return there[0] if named is None and len(there) == 1 else None


def _judge(guest: Guest, system: Volume, name: str, finding_id: str) -> Iterator[Finding]:
    file = _entry(system, f"\\{name}")
    if file is None or file.is_directory or not is_compressed(system, file):
        return
    change, problem = _uncompressed(system, file)
    stops = finding_id == LOADER
    shown = printable(file.name)
    how = "WOF (compact /exe, Compact OS)" if file.is_wof_compressed else "NTFS"
    meaning = (
        f"The boot sector stops with '{shown.upper()} is compressed': it reads the file as it lies on the disk."
        if stops
        else "Whether this ntldr reads it compressed is not documented."
    )
    yield Finding(
        finding_id,
        Severity.BLOCKER if stops else Severity.WARNING,
        f"{shown} is compressed",
        meaning if change is not None else meaning + _BY_HAND.format(shown),
        (f"{system.name}: \\{shown}: its content, {file.size} bytes, is compressed by {how}", *problem),
        Remedy.NONE if change is None else Remedy.CHANGES,
        () if change is None else (change,),
        leaves_open=not stops,
        explains=stops and guest.chain.default is None,
    )


def _entry(system: Volume, path: str) -> Entry | None:
    try:
        return search.find_entry(system.filesystem(), path)
    except (FileSystemError, PartitionTableError):  # told where the chain meets it
        return None


def _uncompressed(system: Volume, file: Entry) -> tuple[WriteFile | None, tuple[str, ...]]:
    """What stores the file's content uncompressed; else why it cannot be read."""
    if file.size > _MAX_SIZE:
        return None, (f"no loader has {file.size} bytes: it is not rewritten",)
    path = f"\\{file.name}"
    try:
        data = system.filesystem().read(path)
    except FileSystemError as error:
        return None, (f"it cannot be read: {error.what}",)
    before = content_digest(data)
    return WriteFile(system.file(path), data, before, "its own content, stored uncompressed"), ()


CHECK = Check(Stage.CHAIN, 84, DOCS, find)
