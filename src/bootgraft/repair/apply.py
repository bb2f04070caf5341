"""A plan put into effect on a machine whose disks are overlays; every precondition is checked first."""

from datetime import UTC, datetime

from bootgraft.changes import (
    CreateDirectory,
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    FormatVolume,
    Plan,
    RegistryChange,
    RegistryData,
    SetValue,
    WriteFile,
    WriteSectors,
    content_digest,
)
from bootgraft.errors import BootgraftError, FileMissingError
from bootgraft.filesystems.base import FileSystem
from bootgraft.machine import Machine, Volume
from bootgraft.registry.hive import Hive

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def apply(plan: Plan, machine: Machine, *, now: datetime) -> None:
    """Carry out the changes: directories, files, boot sectors, each in its order, then each hive by one commit.

    Raises BootgraftError where something is not as it was when the plan was made, or the volume has no room.
    """
    for directory in plan.directories():
        _create_directory(directory, find_volume(machine, directory.file).filesystem())
    for change in plan.files():
        _write_file(change, find_volume(machine, change.file).filesystem())
    by_hive: dict[FileId, list[RegistryChange]] = {}
    for each in plan.registry():
        by_hive.setdefault(each.hive, []).append(each)
    for volume in plan.formats():
        _format(volume, machine)
    for sectors in plan.sectors():
        _write_sectors(sectors, machine)
    for place, changes in by_hive.items():
        hive = open_hive_at(machine, place)
        for edit in changes:
            _edit(hive, edit)
        hive.commit(filetime=filetime(now))


def filetime(moment: datetime) -> int:
    """A moment as Windows counts it: 100 ns steps since 1601-01-01 UTC."""
    return int((moment - _EPOCH).total_seconds()) * 10_000_000


def find_volume(machine: Machine, file: FileId) -> Volume:
    """The volume that a planned file lies on."""
    for volume in machine.disks[file.disk].volumes:
        if volume.partition.start == file.partition_start:
            return volume
    raise _changed(str(file), "its partition is gone")


def open_hive_at(machine: Machine, place: FileId) -> Hive:
    """The hive that a plan names, opened once per machine."""
    return find_volume(machine, place).hive(place.path)


def digest(filesystem: FileSystem, path: str) -> str | None:
    """SHA-256 of a file's content, None where there is no file."""
    try:
        return content_digest(filesystem.read(path))
    except FileMissingError:
        return None


def has_directory(filesystem: FileSystem, path: str) -> bool:
    """Whether there is a directory at the path."""
    try:
        return filesystem.stat(path).is_directory
    except FileMissingError:
        return False


def _create_directory(change: CreateDirectory, filesystem: FileSystem) -> None:
    if has_directory(filesystem, change.file.path):
        raise _changed(str(change.file), "this directory is there already")
    filesystem.create_directory(change.file.path)


def _write_file(change: WriteFile, filesystem: FileSystem) -> None:
    path = change.file.path
    if digest(filesystem, path) != change.before:
        raise _changed(str(change.file), "its content is not what the plan was made for")
    if change.before is None:
        filesystem.create(path, change.data)
    elif filesystem.stat(path).is_stored_plainly:
        filesystem.truncate(path, len(change.data))
        filesystem.write(path, 0, change.data)
    else:
        filesystem.store_plainly(path, change.data)


def _write_sectors(change: WriteSectors, machine: Machine) -> None:
    device = machine.disks[change.disk].device
    if device.read(change.offset, len(change.before)) != change.before:
        raise _changed(f"disk {change.disk}, byte {change.offset}", f"{change.what} are not what the plan was made for")
    device.write(change.offset, change.data)


def _format(change: FormatVolume, machine: Machine) -> None:
    from bootgraft.filesystems.fat.format import empty_fat32  # few plans make a volume

    start = empty_fat32(
        change.size,
        sector_size=change.sector_size,
        hidden_sectors=change.offset // change.sector_size,
        serial=change.serial,
        label=change.label,
    )
    machine.disks[change.disk].device.write(change.offset, start)


def _edit(hive: Hive, change: RegistryChange) -> None:
    match change:
        case CreateKey():
            hive.create_key(change.key)
        case SetValue():
            _expect(hive, change)
            hive.set_value(change.key, change.name, change.value.type, change.value.data)
        case DeleteValue():
            _expect(hive, change)
            hive.delete_value(change.key, change.name)
        case DeleteKey():
            hive.delete_key(change.key)


def _expect(hive: Hive, change: SetValue | DeleteValue) -> None:
    if read_value(hive, change.key, change.name) != change.before:
        raise _changed(f"{change.hive}: {change.key}", f"the value {change.name!r} is not what the plan was made for")


def read_value(hive: Hive, key: str, name: str) -> RegistryData | None:
    """A value as it stands in the hive, None where key or value is missing."""
    found = hive.key(key)
    value = found.value(name) if found else None
    return None if value is None else RegistryData(value.type, value.data)


def _changed(where: str, what: str) -> BootgraftError:
    return BootgraftError(
        what,
        where=where,
        advice="Nothing was written. Something else changed the image meanwhile: run repair again",
        id="change-conflict",
    )
