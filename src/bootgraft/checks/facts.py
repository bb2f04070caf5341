"""The facts that the storage checks judge: read once from the volume and its SYSTEM hive, then only looked at."""

from dataclasses import dataclass

from bootgraft.changes import FileId
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bindings import CriticalDevice, EnumInstance, enum_instances, find_critical_device
from bootgraft.windows.installation import Architecture, Installation
from bootgraft.windows.pe import NotPortableExecutableError, PeFacts, read_architecture, read_pe
from bootgraft.windows.services import Service, driver_file, read_service

_SYSTEM_HIVE = "\\system32\\config\\SYSTEM"
MAX_DRIVER = 32 * 2**20
"""Bytes; the largest boot drivers of any Windows are some 5 MB."""


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """One file that a driver imports from: where it lies (None where nowhere) and what it was built for."""

    name: str
    path: str | None
    architecture: Architecture | None


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """A driver's file: ``path`` as it stands on the volume, or where it should be; ``fault`` says why it is no use."""

    path: str
    present: bool
    fault: str | None = None
    pe: PeFacts | None = None
    imports: tuple[ImportFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlSetFacts:
    """What one control set holds for a controller.

    ``service_name`` is the service that should serve it: the one that the CriticalDeviceDatabase binds, else the one
    that a populated Enum instance names; None where nothing names any.
    """

    number: int
    is_default: bool
    binding: CriticalDevice | None
    instances: tuple[EnumInstance, ...]
    service_name: str | None
    service: Service | None
    driver: DriverFacts | None

    @property
    def name(self) -> str:
        """``ControlSet001``."""
        return f"ControlSet{self.number:03d}"

    @property
    def is_bound(self) -> bool:
        """Whether the CriticalDeviceDatabase names a service: a key with a class but no service binds to nothing."""
        return self.binding is not None and self.binding.service is not None


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """Everything that decides whether one Windows starts from one controller."""

    controller: Controller
    product: str
    place: str
    version: tuple[int, int]
    architecture: Architecture
    hive: FileId
    sets: tuple[ControlSetFacts, ...]

    @property
    def directory(self) -> str:
        """The Windows directory, as it is written on the volume."""
        return self.hive.path.removesuffix(_SYSTEM_HIVE)


def gather(installation: Installation, hive: Hive, controller: Controller) -> ControllerFacts:
    """Read what the checks need. Raises HiveError and FileSystemError for damage on the way."""
    reader = _DriverReader(installation)
    return ControllerFacts(
        controller,
        installation.product,
        installation.volume.name,
        installation.version,
        installation.arch,
        hive_file(installation),
        tuple(_gather_set(number, installation, hive, controller, reader) for number in installation.control_sets),
    )


def hive_file(installation: Installation) -> FileId:
    """The SYSTEM hive's place."""
    volume = installation.volume
    path = installation.directory + _SYSTEM_HIVE
    return FileId(volume.disk, volume.partition.start, volume.name, path)


def _gather_set(
    number: int, installation: Installation, hive: Hive, controller: Controller, reader: "_DriverReader"
) -> ControlSetFacts:
    binding = find_critical_device(hive, number, controller.device_ids())
    instances = _matching_instances(hive, number, controller)
    service_name = (binding.service if binding else None) or _populated(instances)
    service = read_service(hive, number, service_name) if service_name else None
    driver = reader.read(service) if service else None
    is_default = number == installation.select.default
    return ControlSetFacts(number, is_default, binding, instances, service_name, service, driver)


def _populated(instances: tuple[EnumInstance, ...]) -> str | None:
    """The service of an instance that Windows completed when it ran with this controller."""
    named = (each.service for each in instances if each.class_guid and each.service and not each.disabled)
    return next(named, None)


def _matching_instances(hive: Hive, number: int, controller: Controller) -> tuple[EnumInstance, ...]:
    """The Enum instances that the target's controller may meet: another subsystem id is another device."""
    if controller.pci is None:
        return ()
    found = enum_instances(hive, number, controller.pci.vendor, controller.pci.device)
    subsystem = controller.pci.subsystem
    return tuple(each for each in found if subsystem is None or each.subsystem in (None, subsystem))


class _DriverReader:
    """Reads driver files of one installation; the sets mostly name the same one, so each is read once."""

    def __init__(self, installation: Installation) -> None:
        self._directory = installation.directory
        self._letter = installation.drive_letter
        self._filesystem = installation.volume.filesystem()
        self._known: dict[str, DriverFacts] = {}

    def read(self, service: Service) -> DriverFacts:
        path = driver_file(service, self._directory, drive_letter=self._letter)
        if path.casefold() not in self._known:
            self._known[path.casefold()] = read_driver(self._filesystem, self._directory, path)
        return self._known[path.casefold()]


def read_driver(filesystem: FileSystem, directory: str, path: str) -> DriverFacts:
    """The facts about the driver file at ``path`` of the Windows in ``directory``."""
    try:
        entry = filesystem.stat(path)
    except FileMissingError:
        return DriverFacts(path, present=False)
    path = f"{path.rpartition(chr(92))[0]}\\{entry.name}"
    if entry.is_directory or entry.size > MAX_DRIVER:
        return DriverFacts(path, present=True, fault="it is a directory" if entry.is_directory else "it is too large")
    try:
        data = filesystem.read(path)
        pe = read_pe(data, name=path)
    except NotPortableExecutableError as error:
        return DriverFacts(path, present=True, fault=error.what)
    except FileSystemError as error:  # encrypted, WOF-compressed, damaged: the loader could not read it either
        return DriverFacts(path, present=True, fault=error.what)
    imports = tuple(_find_import(filesystem, directory, name) for name in pe.imports)
    return DriverFacts(path, present=True, pe=pe, imports=imports)


def _find_import(filesystem: FileSystem, directory: str, name: str) -> ImportFacts:
    for folder in (f"{directory}\\system32\\drivers", f"{directory}\\system32"):
        path = f"{folder}\\{name}"
        try:
            head = filesystem.read(path, 0, 4096)
            return ImportFacts(name, path, read_architecture(head, name=path))
        except FileMissingError:
            continue
        except (NotPortableExecutableError, FileSystemError):  # no binary, a directory, encrypted, damaged
            return ImportFacts(name, path, None)
    return ImportFacts(name, None, None)
