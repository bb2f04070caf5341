"""Boot code that is missing, or starts a loader that is not there, and the code that mends it where there is any.

Code comes from the machine's own disks or from an installation that was given (:mod:`.bios.bootcode`).
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bios import bootcode
from bootgraft.boot.bios.bootcode import MBR_CODE, BootCode, CodeSource
from bootgraft.boot.bios.loaders import Loader, named_in
from bootgraft.boot.sectorfault import SectorFault, SectorFaultKind
from bootgraft.changes import WriteSectors
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Disk, Machine, Volume

_NOWHERE = "no such code was found on the given disks"


def mbr_fault(machine: Machine, disk: Disk, given: CodeSource) -> SectorFault:
    """The fault of a disk whose MBR has no boot code."""
    shown = f"{disk.name}, sector 0: bytes 0 to {MBR_CODE - 1} are zero"
    what = f"the master boot record of {disk.name} has a partition table but no boot code"
    code = bootcode.for_mbr(machine, disk, given)
    changes = _changes(disk, 0, code, "the boot code in the MBR")
    return SectorFault(SectorFaultKind.NO_MBR_CODE, what, (shown, _origin(code)), changes)


def code_faults(
    machine: Machine, disk: Disk, volume: Volume, head: bytes, copy: int | None, given: CodeSource
) -> Iterator[SectorFault]:
    """The fault of a boot sector (at the start of ``head``) that has no code, or code for a loader that is not there.

    Only where exactly one loader is there. ``copy`` is where the copy of the boot sector is, None where there is none.
    """
    kind = volume.kind
    if kind is None:
        return
    named = named_in(head)
    missing = bootcode.is_missing(head, kind)
    if named is None and not missing:
        return
    there = _loaders(volume)
    if len(there) != 1 or (named in there and not missing):
        return
    (loader,) = there
    code = bootcode.for_volume(machine, volume, loader, copy, given)
    what = f"the boot code of {volume.name}, for {loader}"
    changes = _changes(disk, volume.partition.start, code, what)
    if missing:
        title = f"the boot sector of {volume.name} has no boot code"
        shown = f"{volume.name}, boot sector: nothing that starts {loader}, which is there"
        yield SectorFault(SectorFaultKind.NO_BOOT_CODE, title, (shown, _origin(code)), changes)
        return
    title = f"the boot sector of {volume.name} starts {named}, but only {loader} is there"
    shown = f"{volume.name}, boot sector: its code looks for {named}, and there is no \\{named}; \\{loader} is there"
    yield SectorFault(SectorFaultKind.WRONG_LOADER, title, (shown, _origin(code)), changes)


def copy_fault(volume: Volume) -> SectorFault:
    """The fault of a boot sector whose copy is not there, or is that of another volume."""
    what = f"the copy of the boot sector of {volume.name} is not like it"
    evidence = f"{volume.name}: where the copy belongs is none with the same parameter block"
    return SectorFault(SectorFaultKind.COPY, what, (evidence,), ())


def _loaders(volume: Volume) -> list[Loader]:
    try:
        filesystem = volume.filesystem()
        return [each for each in Loader if search.find_entry(filesystem, f"\\{each}") is not None]
    except (FileSystemError, PartitionTableError):  # told where the chain meets it
        return []


def _origin(code: BootCode | None) -> str:
    return _NOWHERE if code is None else f"sound boot code for it: {code.source}"


def _changes(disk: Disk, start: int, code: BootCode | None, what: str) -> tuple[WriteSectors, ...]:
    if code is None:
        return ()
    changes = []
    for offset, data in code.pieces:
        before = disk.device.read(start + offset, len(data))
        if before != data:
            changes.append(WriteSectors(disk.index, start + offset, data, before, f"{what}, from {code.source}"))
    return tuple(changes)
