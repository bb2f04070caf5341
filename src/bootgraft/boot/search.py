r"""What lies on the volumes of a machine, whether or not anything starts it: loaders and Windows directories.

Used to list installations beside the one that boots, and to say what would fit where a link of the boot chain is
broken. Never to decide what boots.
"""

from msgspec import Struct

from bootgraft.errors import FileMissingError, FileSystemError, PartitionTableError
from bootgraft.filesystems.base import Entry, FileSystem, FileSystemKind, parts
from bootgraft.machine import Machine, Volume
from bootgraft.windows.hives import hive_path

OPENABLE = frozenset({FileSystemKind.NTFS, FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32})

MAX_DIRECTORIES = 1000
"""Directories looked into in the root of one volume. A root with more is a data volume's."""


class FoundWindows(Struct, frozen=True):
    r"""A Windows directory on a volume, in the case it is written in there: ``\WINDOWS``."""

    volume: Volume
    directory: str

    def __str__(self) -> str:
        return f"{self.directory} on {self.volume.name}"


def find_entry(filesystem: FileSystem, path: str) -> Entry | None:
    """Return the entry at ``path``, None where there is none. Raises FileSystemError for damage."""
    try:
        return filesystem.stat(path)
    except FileMissingError:
        return None


def has(volume: Volume, path: str) -> bool:
    """Whether something lies at ``path`` of a volume that can be read: what cannot be, no loader reads either."""
    if volume.kind not in OPENABLE:
        return False
    try:
        return find_entry(volume.filesystem(), path) is not None
    except (FileSystemError, PartitionTableError):
        return False


def has_system_hive(filesystem: FileSystem, directory: str) -> bool:
    """Whether a Windows lies in ``directory``. Raises FileSystemError for damage."""
    entry = find_entry(filesystem, hive_path(directory, "SYSTEM"))
    return entry is not None and not entry.is_directory


def real_path(filesystem: FileSystem, path: str) -> str:
    """Return the path of an existing directory in the case in which the volume writes it."""
    real = ""
    for name in parts(path):
        real = real + "\\" + filesystem.stat(real + "\\" + name).name
    return real


def find_windows(machine: Machine) -> tuple[tuple[FoundWindows, ...], tuple[str, ...]]:
    """Find every directory in the root of a readable volume that has a SYSTEM hive where Windows keeps it.

    Returns them disk by disk, and a note for each volume that could not be searched.
    """
    found: list[FoundWindows] = []
    notes: list[str] = []
    for volume in machine.volumes():
        if volume.kind is None:
            continue
        try:
            found += _windows_on(volume)
        except (FileSystemError, PartitionTableError) as error:
            notes.append(f"{volume.name} could not be searched for Windows: {error.what}")
    return tuple(found), tuple(notes)


def volumes_with(machine: Machine, directory: str) -> tuple[tuple[Volume, ...], tuple[str, ...]]:
    """Find the volumes with an ARC number on which ``directory`` holds a Windows that ntldr could start.

    One with winload.exe is Vista or later, which ntldr does not start. Returns them disk by disk, and a note for each
    volume that could not be searched.
    """
    found: list[Volume] = []
    notes: list[str] = []
    for volume in machine.volumes():
        if volume.kind is None or volume.number is None:
            continue
        try:
            filesystem = volume.filesystem()
            is_newer = find_entry(filesystem, f"{directory}\\system32\\winload.exe") is not None
            if has_system_hive(filesystem, directory) and not is_newer:
                found.append(volume)
        except (FileSystemError, PartitionTableError) as error:
            notes.append(f"{volume.name} could not be searched for Windows: {error.what}")
    return tuple(found), tuple(notes)


def _windows_on(volume: Volume) -> list[FoundWindows]:
    filesystem = volume.filesystem()
    directories = [entry for entry in filesystem.listdir("\\") if entry.is_directory and not entry.reparse_tag]
    paths = ("\\" + entry.name for entry in directories[:MAX_DIRECTORIES])
    return [FoundWindows(volume, path) for path in paths if has_system_hive(filesystem, path)]


def active_volumes_with(machine: Machine, file: str) -> tuple[Volume, ...]:
    """Return the active partitions, of any disk, that have ``file`` (a path); unreadable ones are left out."""
    return tuple(volume for volume in machine.volumes() if volume.partition.active and has(volume, file))
