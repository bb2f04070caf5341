"""The facts that the storage checks judge: read once from the volume and its SYSTEM hive, then only looked at."""

from dataclasses import dataclass

from bootgraft.changes import FileId
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bindings import CriticalDevice, EnumInstance, enum_instances, find_critical_device
from bootgraft.windows.driver_files import DriverFacts, read_driver
from bootgraft.windows.installation import Architecture, Installation
from bootgraft.windows.services import Service, driver_file, read_service

_SYSTEM_HIVE = "\\system32\\config\\SYSTEM"


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
        self._build = installation.build
        self._filesystem = installation.volume.filesystem()
        self._known: dict[str, DriverFacts] = {}

    def read(self, service: Service) -> DriverFacts:
        path = driver_file(service, self._directory, drive_letter=self._letter)
        if path.casefold() not in self._known:
            self._known[path.casefold()] = read_driver(self._filesystem, self._directory, path, build=self._build)
        return self._known[path.casefold()]
