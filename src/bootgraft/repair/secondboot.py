r"""What the second start needs: the whole driver package, where Plug and Play looks for INFs.

The kernel starts from the controller by the bindings alone. User-mode Plug and Play looks at the controller later:
without an INF for it, 2000 to 2003 ask for a driver at the console (which holds nothing up), and later ones show the
device as unknown (Microsoft, "How Windows Selects a Driver for a Device"). The package is put into
``Drivers\<service>`` below the Windows directory, and that folder on DevicePath (SOFTWARE), where INFs are looked for.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime

from bootgraft.changes import Change, Plan, RegistryData, SetValue, WriteFile, content_digest
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import BootgraftError, FileMissingError, FileSystemError, HiveError
from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.folders import missing_folders
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Installation, open_hive

_FOLDER = "Drivers"
_CURRENT_VERSION = "Microsoft\\Windows\\CurrentVersion"
_DEVICE_PATH = "DevicePath"
_USUAL = r"%SystemRoot%\inf"


def leave_package(installation: Installation, package: DriverPackage) -> Plan:
    """Plan what leaves a package in a Windows; an empty plan for one that brings no INF.

    Nothing here is needed for the first start: what stands in the way becomes a note.
    """
    if package.inf is None or not package.inf.content:
        return Plan(())
    folder = f"{installation.directory}\\{_FOLDER}\\{package.service}"
    try:
        files = tuple(_files(installation, package, folder))
    except FileSystemError as error:
        return not_left(error)
    registry, note = _device_path(installation, f"%SystemRoot%\\{_FOLDER}\\{package.service}")
    done = f"The package with its INF is left in {folder}, where Plug and Play finds it at the second start."
    return Plan((*files, *registry), (note or done,) if files or registry or note else ())


def rehearse(plan: Plan, machine: Machine) -> BootgraftError | None:
    """What would stop the plan, as a volume without room for it; tried on overlays that are thrown away."""
    with ExitStack() as stack:
        trial = [stack.enter_context(closing(Overlay(disk.device))) for disk in machine.disks]
        try:
            with Machine.read(trial, writable=True) as other:
                apply(plan, other, now=datetime.now(UTC))
        except (FileSystemError, HiveError) as error:
            return error
    return None


def not_left(fault: BootgraftError) -> Plan:
    """No change, and the reason."""
    return Plan((), (f"The driver package is not left in Windows: {fault.what} ({fault.where}).",))


def without_registry(plan: Plan, why: str) -> Plan:
    """The same with the files alone; ``why`` says what is wrong with the SOFTWARE hive."""
    kept = tuple(change for change in plan.changes if not isinstance(change, SetValue))
    return Plan(kept, (_by_hand(why),))


def _by_hand(why: str) -> str:
    return f"The package is left in Windows, but not put on DevicePath: {why}. Install its INF by hand after the start."


def _files(installation: Installation, package: DriverPackage, folder: str) -> Iterator[Change]:
    """The directories that are missing, and the files that are not there as they should be."""
    inf = package.inf
    if inf is None:
        return
    made: set[str] = set()
    for name, data in inf.content:
        path = f"{folder}\\{name}"
        yield from missing_folders(installation, path, made)
        before = _present(installation, path)
        if before != data:
            digest = None if before is None else content_digest(before)
            yield WriteFile(installation.volume.file(path), data, digest, package.origin)


def _present(installation: Installation, path: str) -> bytes | None:
    try:
        return installation.volume.filesystem().read(path)
    except FileMissingError:
        return None


def _device_path(installation: Installation, folder: str) -> tuple[tuple[SetValue, ...], str]:
    """The edit that puts the folder on DevicePath, or why there is none; neither where it is on it."""
    try:
        hive = open_hive(installation, "SOFTWARE")
        if hive.pending is not None:
            return (), _by_hand("transactions are pending in the logs of the SOFTWARE hive")
        return _edit(installation, hive, folder)
    except (FileSystemError, HiveError) as error:
        return (), _by_hand(f"{error.where}: {error.what}")


def _edit(installation: Installation, hive: Hive, folder: str) -> tuple[tuple[SetValue, ...], str]:
    key = hive.key(_CURRENT_VERSION)
    if ";" in folder:
        return (), _by_hand(f"{folder} cannot stand in a list that semicolons divide")
    if key is None:
        return (), _by_hand(f"the SOFTWARE hive has no key {_CURRENT_VERSION}")
    value = key.value(_DEVICE_PATH)
    text = _USUAL if value is None else value.text()
    if text is None:
        return (), _by_hand(f"{_DEVICE_PATH} is no text")
    if folder.casefold() in {each.strip().casefold() for each in text.split(";")}:
        return (), ""
    data = RegistryData(ValueType.REG_EXPAND_SZ, text_data(";".join((*filter(None, text.split(";")), folder))))
    before = None if value is None else RegistryData(value.type, value.data)
    place = installation.volume.file(hive_path(installation.directory, "SOFTWARE"))
    return (SetValue(place, key.path, _DEVICE_PATH, data, before),), ""
