"""The proof: what was planned is read back from an overlay mounted again, before anything reaches the image."""

from collections.abc import Iterable

from bootgraft.changes import (
    Change,
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    FormatVolume,
    Plan,
    RegistryChange,
    SetValue,
    WitnessRange,
    WriteFile,
    describe_place,
)
from bootgraft.errors import BootgraftError
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.repair.apply import digest, find_volume, has_directory, open_hive_at, read_value

BASE_BLOCK = 512
"""Bytes of a hive's base block that carry its sequence numbers and checksum."""
RESTART_PAGES = 8192
"""Bytes of the two restart pages at the start of $LogFile; Windows rewrites them whenever it mounts the volume."""


def read_back(plan: Plan, machine: Machine) -> None:
    """Compare every change of the plan with what the machine now holds; raises BootgraftError for the first miss."""
    _read_back_disks(plan, machine)
    for directory in plan.directories():
        if not has_directory(find_volume(machine, directory.file).filesystem(), directory.file.path):
            raise _unproven(directory)
    for change in plan.files():
        if not _is_written(change, find_volume(machine, change.file).filesystem()):
            raise _unproven(change)
    hives: dict[FileId, Hive] = {}
    for each in plan.registry():
        hive = hives.get(each.hive) or hives.setdefault(each.hive, open_hive_at(machine, each.hive))
        if hive.pending is not None:  # a commit leaves a hive that is complete without its logs
            raise _unproven(each)
        if not _holds(hive, each):
            raise _unproven(each)


def _is_written(change: WriteFile, filesystem: FileSystem) -> bool:
    """Whether the file has its content, and nothing compressed it."""
    path = change.file.path
    return digest(filesystem, path) == change.after and filesystem.stat(path).is_stored_plainly


def _read_back_disks(plan: Plan, machine: Machine) -> None:
    """What lies outside of files: first of all, as files lie in the volumes that it makes."""
    for made in plan.formats():
        if not _is_made(made, machine):
            raise _unproven(made)
    for sectors in plan.sectors():
        if machine.disks[sectors.disk].device.read(sectors.offset, len(sectors.data)) != sectors.data:
            raise _unproven(sectors)


def _is_made(change: FormatVolume, machine: Machine) -> bool:
    """Whether a partition of that size begins there, with the volume that was made; files came into it since."""
    for volume in machine.disks[change.disk].volumes:
        if (volume.partition.start, volume.partition.size) == (change.offset, change.size):
            filesystem = volume.filesystem()
            return (filesystem.kind, filesystem.label) == (FileSystemKind.FAT32, change.label)
    return False


def _holds(hive: Hive, change: RegistryChange) -> bool:
    match change:
        case CreateKey():
            return hive.key(change.key) is not None
        case SetValue():
            return read_value(hive, change.key, change.name) == change.value
        case DeleteValue():
            return read_value(hive, change.key, change.name) is None
        case DeleteKey():
            return hive.key(change.key) is None


def _unproven(change: Change) -> BootgraftError:
    return BootgraftError(
        "the change does not read back from the overlay",
        where=describe_place(change),
        advice="Nothing was written. This is a bug: please report it",
        id="proof-failed",
    )


def witnesses_of(hives: Iterable[FileId], files: Iterable[FileId], machine: Machine) -> tuple[WitnessRange, ...]:
    """The places that tell later whether Windows has run since: these hives' base blocks, and the restart pages of the
    NTFS volumes that they and these other files lie on.
    """
    touched = dict.fromkeys(hives)
    ranges: dict[WitnessRange, None] = {}
    for place in dict.fromkeys((*touched, *files)):
        volume = find_volume(machine, place)
        filesystem = volume.filesystem()
        start = volume.partition.start
        if filesystem.kind is FileSystemKind.NTFS:
            ranges.update(_pieces(volume.disk, start, filesystem.extents("\\$LogFile"), RESTART_PAGES))
    for place in touched:
        volume = find_volume(machine, place)
        extents = volume.filesystem().extents(place.path)
        ranges.update(_pieces(volume.disk, volume.partition.start, extents, BASE_BLOCK))
    return tuple(ranges)


def _pieces(disk: int, start: int, extents: tuple[tuple[int, int], ...], length: int) -> dict[WitnessRange, None]:
    pieces: dict[WitnessRange, None] = {}
    for offset, size in extents:
        take = min(size, length)
        if take > 0:
            pieces[WitnessRange(disk, start + offset, take)] = None
        length -= take
    return pieces
