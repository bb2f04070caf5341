r"""The end of the boot chain, inside Windows: the control set, the boot drivers, and who mounts the boot volume."""

from bootgraft.boot.steps import Step
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.registry.hive import Hive
from bootgraft.text import counted, printable
from bootgraft.windows.bootdrivers import boot_drivers
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.services import Service, driver_file

_GRAVE = (2, 3)
"""ErrorControl, severe and critical, of drivers without which Windows does not start (Microsoft, "CreateService")."""

_MINIPORTS = "scsi miniport"
_FILE_SYSTEM_DRIVERS = {FileSystemKind.NTFS: "ntfs.sys"}
_FAT_DRIVER = "fastfat.sys"


def start_steps(installation: Installation, hive: Hive) -> tuple[Step, ...]:
    """The links behind the SYSTEM hive. Raises HiveError and FileSystemError for damage on the way."""
    number = installation.select.default
    drivers = boot_drivers(hive, number)
    where = f"{installation.volume.name}: {hive_path(installation.directory, 'SYSTEM')}"
    return (
        _control_set_step(installation, where),
        _drivers_step(installation, drivers, f"{where}: {control_set_name(number)}\\Services"),
        _mount_step(installation, drivers),
    )


def _control_set_step(installation: Installation, where: str) -> Step:
    select = installation.select
    name = control_set_name(select.default)
    evidence = (
        f"Select: Default={select.default}, Current={select.current}, LastKnownGood={select.last_known_good}, "
        f"Failed={select.failed}"
    )
    return Step(f"Windows starts with {name}", where, evidence, holds=True, link=f"SYSTEM (Default={select.default})")


def _drivers_step(installation: Installation, drivers: tuple[Service, ...], where: str) -> Step:
    filesystem = installation.volume.filesystem()
    missing = [each for each in drivers if not _has_file(installation, filesystem, each)]
    fatal = [each for each in missing if each.error_control in _GRAVE]
    evidence = [", ".join(printable(each.name) for each in drivers) or "none"]
    if missing:
        evidence.append(f"without a file: {', '.join(printable(each.name) for each in missing)}")
    if fatal or not drivers:
        names = ", ".join(printable(each.name) for each in fatal)
        what = f"boot drivers without which Windows does not start have no file: {names}"
        return Step(what if fatal else "there are no boot drivers", where, "; ".join(evidence), holds=False)
    count = counted(len(drivers), "boot driver")
    return Step(f"{count} will be loaded", where, "; ".join(evidence), holds=True, link=count)


def _mount_step(installation: Installation, drivers: tuple[Service, ...]) -> Step:
    volume = installation.volume
    name = _FILE_SYSTEM_DRIVERS.get(volume.filesystem().kind, _FAT_DRIVER)
    path = f"{installation.directory}\\system32\\drivers\\{name}"
    miniports = [printable(each.name) for each in drivers if (each.group or "").casefold() == _MINIPORTS]
    through = f"through one of {', '.join(miniports)}" if miniports else "through no SCSI miniport"
    evidence = f"{through}: which one serves the new controller, `check --target` tells"
    if _exists(volume.filesystem(), path):
        link = f"volume mounted by {name}"
        return Step(f"{volume.name} is mounted by {name}", f"{volume.name}: {path}", evidence, holds=True, link=link)
    return Step(f"the file system driver {name} is missing", f"{volume.name}: {path}", evidence, holds=False)


def _has_file(installation: Installation, filesystem: FileSystem, service: Service) -> bool:
    path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
    return _exists(filesystem, path)


def _exists(filesystem: FileSystem, path: str) -> bool:
    try:
        return not filesystem.stat(path).is_directory
    except FileMissingError:
        return False
    except FileSystemError:  # a name that no volume can have
        return False
