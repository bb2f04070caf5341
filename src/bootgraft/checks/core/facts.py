"""Services, filters and files of one Windows that decide its start whatever the controller: each is read once."""

from functools import cached_property, partial

from msgspec import Struct

from bootgraft.changes import FileId
from bootgraft.checks.finding import Severity
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bootdrivers import DriversOf, boot_drivers
from bootgraft.windows.company import read_company
from bootgraft.windows.installation import Architecture, Installation, control_set_name, hive_file
from bootgraft.windows.services import Service, driver_file, read_service
from bootgraft.windows.startup.binary_heads import BinaryHead, read_head
from bootgraft.windows.startup.device_filters import FilterList, class_filter_lists, device_filter_lists
from bootgraft.windows.versions import VISTA

DISABLED = 4


class CoreDriver(Struct, frozen=True):
    """One driver in one control set; ``head`` is its file's, None where there is no service that would name one."""

    name: str
    key_path: str
    service: Service | None
    head: BinaryHead | None

    @property
    def start(self) -> int | None:
        """Start as Windows takes it; None without service or number."""
        return None if self.service is None else self.service.effective_start

    @property
    def shown_start(self) -> str:
        """The values that make it so."""
        service = self.service
        if service is None:
            return f"there is no key {self.key_path}"
        overrides = [each for each in service.start_overrides if each.start is not None]
        shown = "".join(f", StartOverride\\{each.name}={each.start}" for each in overrides)
        return f"{self.key_path}: {'no Start' if service.start is None else f'Start={service.start}'}{shown}"

    def fault(self, arch: Architecture) -> str | None:
        """What keeps Windows from loading it, whoever asks for it; None where nothing does."""
        if self.service is None or self.head is None or self.start == DISABLED:
            return self.shown_start
        return self.file_fault(arch)

    def file_fault(self, arch: Architecture) -> str | None:
        """What is wrong with its file."""
        fault = None if self.head is None else self.head.fault_for(arch)
        return None if fault is None or self.head is None else f"{self.head.path}: {fault}"


class CoreFacts:
    """Reads raise HiveError and FileSystemError for damage on the way.

    ``drivers_of`` gives the boot drivers of a control set, where others ask for them too.
    """

    def __init__(self, installation: Installation, hive: Hive, drivers_of: DriversOf | None = None) -> None:
        self._drivers_of = drivers_of or partial(boot_drivers, hive)
        self.installation = installation
        self.hive = hive
        self.file: FileId = hive_file(installation)
        self._filesystem = installation.volume.filesystem()
        self._drivers: dict[tuple[int, str], CoreDriver] = {}
        self._heads: dict[str, BinaryHead] = {}
        self._filters: dict[tuple[int, str], tuple[FilterList, ...]] = {}
        self._companies: dict[str, str | None] = {}
        self._acpi: dict[int, bool] = {}
        self._pci_devices: dict[int, tuple[str, ...]] = {}
        self.names_on_the_way: dict[tuple[int, Controller | None], tuple[str, ...]] = {}  # by ``core_path``

    @property
    def arch(self) -> Architecture:
        """What its kernel is built for."""
        return self.installation.arch

    @property
    def version(self) -> tuple[int, int]:
        """Its NT version."""
        return self.installation.version

    @cached_property
    def boot_drivers(self) -> tuple[CoreDriver, ...]:
        """What the loader loads with the default control set, in its order."""
        number = self.installation.select.default
        return tuple(self._of_service(each) for each in self._drivers_of(number))

    def driver(self, number: int, name: str) -> CoreDriver:
        """The driver by the name of its service in a control set."""
        key = (number, name.casefold())
        if key not in self._drivers:
            service = read_service(self.hive, number, name)
            missing = CoreDriver(name, f"{control_set_name(number)}\\Services\\{name}", None, None)
            self._drivers[key] = missing if service is None else self._of_service(service)
        return self._drivers[key]

    def class_filters(self, number: int, class_guid: str) -> tuple[FilterList, ...]:
        """The lists of filters of a device class in a control set."""
        key = (number, class_guid)
        if key not in self._filters:
            self._filters[key] = class_filter_lists(self.hive, number, class_guid)
        return self._filters[key]

    def device_filters(self, number: int, device: str) -> tuple[FilterList, ...]:
        """The lists of filters of every instance of a device in a control set."""
        key = (number, device)
        if key not in self._filters:
            self._filters[key] = device_filter_lists(self.hive, number, device)
        return self._filters[key]

    def uses_acpi(self, number: int) -> bool:
        """Whether its HAL is one with ACPI: every one since Vista is; before, its device among the roots tells."""
        if number not in self._acpi:
            enum = f"{control_set_name(number)}\\Enum"
            self._acpi[number] = self.version >= VISTA or any(
                self.hive.key(f"{enum}\\{each}") is not None for each in ("Root\\ACPI_HAL", "ACPI_HAL")
            )
        return self._acpi[number]

    def pci_devices(self, number: int) -> tuple[str, ...]:
        """The devices on PCI that a control set knows, as the keys below Enum are called."""
        if number not in self._pci_devices:
            bus = self.hive.key(f"{control_set_name(number)}\\Enum\\PCI")
            self._pci_devices[number] = () if bus is None else tuple(key.name for key in bus.keys())  # noqa: SIM118
        return self._pci_devices[number]

    def head(self, path: str) -> BinaryHead:
        r"""The head of a file below the Windows directory (``system32\hal.dll``)."""
        return self._head(f"{self.installation.directory}\\{path}")

    def company(self, path: str) -> str | None:
        r"""The company that a file of the volume (``\Windows\system32\…``) names as its maker, if any."""
        key = path.casefold()
        if key not in self._companies:
            self._companies[key] = read_company(self._filesystem, path)
        return self._companies[key]

    def severity(self, number: int, grave: Severity = Severity.BLOCKER) -> Severity:
        """What is ``grave`` in the default control set matters in another one only when Windows falls back to it."""
        return grave if number == self.installation.select.default else Severity.WARNING

    def _of_service(self, service: Service) -> CoreDriver:
        installation = self.installation
        path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
        return CoreDriver(service.name, service.key_path, service, self._head(path))

    def _head(self, path: str) -> BinaryHead:
        if path.casefold() not in self._heads:
            self._heads[path.casefold()] = read_head(self._filesystem, path, build=self.installation.build)
        return self._heads[path.casefold()]


def fallback_consequence(control_set: str) -> str:
    """What a fault in another than the default control set leads to."""
    return (
        f"{control_set} is not the default control set: it matters when Windows falls back to it "
        "(Last Known Good Configuration)."
    )
