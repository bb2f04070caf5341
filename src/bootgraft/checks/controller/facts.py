"""The facts that the storage checks judge: read once from the volume and its SYSTEM hive, then only looked at."""

from collections.abc import Iterator
from enum import StrEnum
from functools import partial

from msgspec import Struct

from bootgraft.changes import FileId
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller, PciId
from bootgraft.targets.driverchains import SCSI_ADAPTER, Link, driver_chain, filter_link
from bootgraft.windows.bindings import (
    CriticalDevice,
    EnumInstance,
    class_filters,
    enum_instances,
    find_critical_device,
)
from bootgraft.windows.bootdrivers import DriversOf, boot_drivers, load_order_groups
from bootgraft.windows.driver_database import DatabaseBinding, Search, find_database_binding, has_database
from bootgraft.windows.driver_files import DriverFacts, read_driver
from bootgraft.windows.exports import ExportTables
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Architecture, Installation, hive_file
from bootgraft.windows.legacy_miniports import LegacyMiniport, legacy_miniports, looks_for
from bootgraft.windows.roots import on_volume
from bootgraft.windows.services import Service, driver_file, read_service
from bootgraft.windows.startup.core_services import shipped_service
from bootgraft.windows.versions import FIRST_WITH_DRIVER_DATABASE, FIRST_WITH_PLUG_AND_PLAY, NT4, UNKNOWN, VISTA


class BindingStore(StrEnum):
    """Where a Windows looks up which service serves a device that it must start from."""

    NONE = "nothing"  # NT 4: each miniport looks for its hardware by itself
    CRITICAL_DEVICES = "CriticalDeviceDatabase"  # Windows 2000 to 7, in each control set
    DRIVER_DATABASE = "DriverDatabase"  # Windows 8 and later, one for all control sets


Binding = CriticalDevice | DatabaseBinding


class ServiceFacts(Struct, frozen=True):
    """A service by its name; ``service`` is None where the control set has no such key."""

    name: str
    service: Service | None
    driver: DriverFacts


class LinkFacts(Struct, frozen=True):
    """What one control set holds for one device of the chain.

    ``service_name`` is the service that should serve it: the one that is bound to it, else the one that a populated
    Enum instance names; None where nothing names any. ``inbox`` is the one that Windows itself ships for the device,
    looked at only where none is bound, or else the one that should serve it, looked at only where it is not there.
    ``dead_ends`` are entries of the DriverDatabase that lead to no binding. ``detecting`` are miniports that may find
    the device by themselves where nothing is bound to it.
    ``group_is_listed`` tells whether the service's load-order group is one that the control set puts in order.
    """

    number: int
    is_default: bool
    link: Link
    store: BindingStore
    binding: Binding | None
    instances: tuple[EnumInstance, ...]
    service_name: str | None
    service: Service | None
    driver: DriverFacts | None
    inbox: ServiceFacts | None = None
    dead_ends: tuple[str, ...] = ()
    group_is_listed: bool = True
    detecting: tuple[Service, ...] = ()

    @property
    def control_set(self) -> str:
        """``ControlSet001``."""
        return f"ControlSet{self.number:03d}"

    @property
    def main_id(self) -> str:
        """The id of the device to name in messages; of a filter its service."""
        return self.link.main_id

    @property
    def is_bound(self) -> bool:
        """Whether something but an instance names a service: a binding without one binds the device to no driver."""
        if self.link.is_filter or self.store is BindingStore.NONE:
            return self.service_name is not None
        return self.binding is not None and self.binding.service is not None


class ControllerFacts(Struct, frozen=True):
    """Everything that decides whether one Windows starts from one controller: link by link, set by set."""

    controller: Controller
    product: str
    place: str
    version: tuple[int, int]
    architecture: Architecture
    hive: FileId
    links: tuple[LinkFacts, ...]

    @property
    def directory(self) -> str:
        """The Windows directory, as it is written on the volume."""
        return self.hive.path.removesuffix(hive_path("", "SYSTEM"))

    @property
    def control_sets(self) -> tuple[str, ...]:
        """The names of the control sets, each once."""
        return tuple(dict.fromkeys(each.control_set for each in self.links))


def gather(
    installation: Installation, hive: Hive, controller: Controller, *, reader: "LinkReader | None" = None
) -> ControllerFacts:
    """Read what the checks need. Raises HiveError and FileSystemError for damage on the way.

    ``reader`` keeps what an installation has for devices that several controllers have in common.
    """
    reader = reader or LinkReader(installation, hive)
    links = tuple(link for number in installation.control_sets for link in _control_set(reader, number, controller))
    place = installation.volume.name
    return ControllerFacts(
        controller,
        installation.product,
        place,
        installation.version,
        installation.arch,
        hive_file(installation),
        links,
    )


def reasons_not_judged(installation: Installation, *, has_database: bool) -> tuple[str, ...]:
    """Why the checks do not know this Windows; none where they do. ``has_database``: it has a DriverDatabase."""
    version = installation.version
    if version == UNKNOWN or installation.arch is Architecture.UNKNOWN:
        return installation.notes or ("its version or its kernel's architecture is unknown",)
    if version < NT4:
        return (f"NT {version[0]}.{version[1]} is older than NT 4",)
    if version >= FIRST_WITH_DRIVER_DATABASE and not has_database:
        return (f"its SYSTEM hive has no DriverDatabase, by which NT {version[0]}.{version[1]} binds boot drivers",)
    return ()


def binding_store(hive: Hive, version: tuple[int, int]) -> BindingStore:
    """Where the Windows of this NT version and SYSTEM hive looks bindings up. Raises HiveError for damage."""
    if has_database(hive):
        return BindingStore.DRIVER_DATABASE
    return BindingStore.NONE if version < FIRST_WITH_PLUG_AND_PLAY else BindingStore.CRITICAL_DEVICES


def _control_set(reader: "LinkReader", number: int, controller: Controller) -> Iterator[LinkFacts]:
    """The links of the controller's chain in one control set, and of the filters on it that must be there."""
    chain = driver_chain(controller, reader.version)
    filters: dict[str, Link] = {}
    for link in chain.links:
        facts = reader.read(number, link, controller)
        yield facts
        if isinstance(facts.binding, DatabaseBinding):
            filters |= {name.casefold(): filter_link(name, link.class_guid) for name in facts.binding.filters}
    for class_guid, service in chain.class_filters:
        if service.casefold() in class_filters(reader.hive, number, class_guid):
            filters.setdefault(service.casefold(), filter_link(service, class_guid))
    for link in filters.values():
        yield reader.read(number, link, controller)


class LinkReader:
    """Reads what one installation has for the devices of chains: each once, for whichever controllers it is asked.

    ``drivers_of`` gives the boot drivers of a control set, where others ask for them too.
    """

    def __init__(self, installation: Installation, hive: Hive, drivers_of: DriversOf | None = None) -> None:
        self.hive = hive
        self._drivers_of = drivers_of or partial(boot_drivers, hive)
        self.version = installation.version
        self._installation = installation
        self._store = binding_store(hive, installation.version)
        self._drivers = DriverReader(installation)
        self._links: dict[tuple[int, Link, PciId | None], LinkFacts] = {}
        self._searches: dict[tuple[str, ...], Search] = {}
        self._known_groups: dict[int, frozenset[str]] = {}
        self._miniports: dict[int, tuple[LegacyMiniport, ...]] = {}

    def read(self, number: int, link: Link, controller: Controller) -> LinkFacts:
        """What a control set holds for one device of the controller's chain."""
        key = (number, link, self._searched(link, controller))
        if key not in self._links:
            self._links[key] = self._read(*key)
        return self._links[key]

    def _searched(self, link: Link, controller: Controller) -> PciId | None:
        """The adapter that miniports of Windows 2000 to 2003 may look for, where the link is one."""
        if self._store is not BindingStore.CRITICAL_DEVICES or self.version >= VISTA:
            return None
        is_adapter = link.main_id == controller.main_id and link.class_guid == SCSI_ADAPTER
        return controller.pci if is_adapter else None

    def _read(self, number: int, link: Link, pci: PciId | None) -> LinkFacts:
        search = self._bound(number, link)
        instances = self._instances(number, link)
        inbox = None
        if link.is_filter or self._store is BindingStore.NONE:
            name = self._likeliest(number, link)
        else:
            name = (search.binding.service if search.binding else None) or _populated(instances)
            if self._store is BindingStore.CRITICAL_DEVICES and not (search.binding and search.binding.service):
                inbox = self._inbox(number, link.services[0]) if link.services else None
        service = None if name is None else read_service(self.hive, number, name)
        if inbox is None and name is not None and service is None:
            inbox = self._inbox(number, name)
        detecting = tuple(self._detecting(number, pci)) if name is None and pci is not None else ()
        return LinkFacts(
            number=number,
            is_default=number == self._installation.select.default,
            link=link,
            store=self._store,
            binding=search.binding,
            instances=instances,
            service_name=name,
            service=service,
            driver=None if service is None else self._drivers.read(service.name, service),
            inbox=inbox,
            dead_ends=search.dead_ends,
            group_is_listed=service is None or not service.group or service.group.casefold() in self._groups(number),
            detecting=detecting,
        )

    def _detecting(self, number: int, pci: PciId) -> Iterator[Service]:
        """Miniports that may find an adapter which nothing is bound to."""
        if number not in self._miniports:
            self._miniports[number] = legacy_miniports(
                self._installation, self.hive, self._drivers_of(number), self._drivers.read_file
            )
        for each in self._miniports[number]:
            if looks_for(self._installation, each, pci.vendor, pci.device):
                yield each.service

    def _groups(self, number: int) -> frozenset[str]:
        if number not in self._known_groups:
            self._known_groups[number] = load_order_groups(self.hive, number)
        return self._known_groups[number]

    def _bound(self, number: int, link: Link) -> "Search | _Found":
        if self._store is BindingStore.CRITICAL_DEVICES:
            return _Found(find_critical_device(self.hive, number, link.device_ids))
        if self._store is BindingStore.NONE:
            return Search(None)
        if link.device_ids not in self._searches:
            self._searches[link.device_ids] = find_database_binding(self.hive, link.device_ids)
        return self._searches[link.device_ids]

    def _instances(self, number: int, link: Link) -> tuple[EnumInstance, ...]:
        """The Enum instances that the target's device may meet: another subsystem id is another device."""
        if not link.enumerator or self._store is BindingStore.NONE:
            return ()
        found = enum_instances(self.hive, number, link.enumerator, link.device)
        return tuple(each for each in found if link.subsystem is None or each.subsystem in (None, link.subsystem))

    def _likeliest(self, number: int, link: Link) -> str | None:
        """Of the services that may serve the link by themselves the first that starts at boot, else the first."""
        for name in link.services:
            service = read_service(self.hive, number, name)
            if service is not None and service.start == 0:
                return name
        return link.services[0] if link.services else None

    def _inbox(self, number: int, name: str) -> ServiceFacts:
        service = read_service(self.hive, number, name)
        shipped = shipped_service(name, self.version) if service is None else None
        if shipped is not None and shipped[0].image:
            return ServiceFacts(name, None, self._drivers.read_path(shipped[0].image))
        return ServiceFacts(name, service, self._drivers.read(name, service))


class _Found(Struct, frozen=True):
    """What the CriticalDeviceDatabase has, in the shape of a search of the DriverDatabase."""

    binding: CriticalDevice | None
    dead_ends: tuple[str, ...] = ()


def _populated(instances: tuple[EnumInstance, ...]) -> str | None:
    """The service of an instance that Windows completed when it ran with this device."""
    named = (each.service for each in instances if each.class_guid and each.service and not each.disabled)
    return next(named, None)


class DriverReader:
    """Reads driver files of one installation; the sets mostly name the same one, so each is read once."""

    def __init__(self, installation: Installation) -> None:
        self._directory = installation.directory
        self._letter = installation.drive_letter
        self._build = installation.build
        self._filesystem = installation.volume.filesystem()
        self._tables = ExportTables(self._filesystem)
        self._known: dict[str, DriverFacts] = {}

    def read(self, name: str, service: Service | None) -> DriverFacts:
        """The facts about the driver file of a service, or of the one by that name that is not there."""
        path = f"{self._directory}\\system32\\drivers\\{name}.sys"
        if service is not None:
            path = driver_file(service, self._directory, drive_letter=self._letter)
        return self.read_file(path)

    def read_path(self, image: str) -> DriverFacts:
        """The facts about the driver file that an ImagePath names."""
        return self.read_file(on_volume(image, self._directory, drive_letter=self._letter))

    def read_file(self, path: str) -> DriverFacts:
        """The facts about the driver file at a path of the volume."""
        if path.casefold() not in self._known:
            self._known[path.casefold()] = read_driver(
                self._filesystem, self._directory, path, build=self._build, tables=self._tables
            )
        return self._known[path.casefold()]
