"""What the registry says of the drivers that Windows 2000 to Server 2003 bring along but do not put in place.

Setup copies a driver and fills its service only on a machine that has the device. On others the service is missing or,
for some, there without its values and disabled. The values are those of Microsoft's own pnpscsi.inf, mshdc.inf and
disk.inf. In later Windows every service and binding is there from the start.
"""

from msgspec import Struct

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import PackageKey, PackageValue
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.targets.driverchains import Link
from bootgraft.windows.installation import Installation
from bootgraft.windows.roots import is_plain
from bootgraft.windows.services import Service, driver_file, read_service
from bootgraft.windows.versions import FIRST_WITH_DRIVER_DATABASE, FIRST_WITH_PLUG_AND_PLAY, VISTA

DRIVERS = "system32\\drivers"
"""Where drivers lie, relative to the Windows directory."""

_KERNEL_DRIVER, _BOOT_START, _NORMAL = 1, 0, 1
_PCI_BUS = "5"
"""INTERFACE_TYPE PCIBus; 1 as its value below PnpInterface: on this bus the miniport takes what Plug and Play gives."""


class InboxService(Struct, frozen=True):
    """One service. ``bus_type`` is the STORAGE_BUS_TYPE that it reports, None where its INF sets none."""

    name: str
    group: str = "SCSI miniport"
    is_pci_miniport: bool = True
    bus_type: int | None = None

    @property
    def target(self) -> str:
        """Where its driver file belongs, relative to the Windows directory."""
        return f"{DRIVERS}\\{self.name}.sys"

    def keys(self) -> tuple[PackageKey, ...]:
        """The service as its INF would make it, started at boot; without Tag, which orders the load group."""
        at = f"Services\\{self.name}"
        values = (
            _dword("Type", _KERNEL_DRIVER),
            _dword("Start", _BOOT_START),
            _dword("ErrorControl", _NORMAL),
            _text("Group", self.group),
            _text("ImagePath", f"system32\\DRIVERS\\{self.name}.sys", ValueType.REG_EXPAND_SZ),
        )
        if not self.is_pci_miniport:
            return (PackageKey(at, values),)
        parameters = (_dword("BusType", self.bus_type),) if self.bus_type is not None else ()
        return (
            PackageKey(at, values),
            PackageKey(f"{at}\\Parameters", parameters),
            PackageKey(f"{at}\\Parameters\\PnpInterface", (_dword(_PCI_BUS, 1),)),
        )


_SERVICES = (
    InboxService("symmpi", bus_type=1),
    InboxService("buslogic"),
    InboxService("sym_hi"),
    InboxService("intelide", "System Bus Extender", is_pci_miniport=False),
    InboxService("pciide", "System Bus Extender", is_pci_miniport=False),
    InboxService("atapi", is_pci_miniport=False),
    InboxService("disk", "SCSI Class", is_pci_miniport=False),
)


class MissingDriver(Struct, frozen=True):
    """The driver that a Windows lacks for a device; ``target`` is where its file belongs, below Windows.

    ``is_incomplete`` says that more of its registry is wanted than that an existing service starts at boot.
    """

    service: str
    target: str
    keys: tuple[PackageKey, ...]
    is_incomplete: bool

    @property
    def file(self) -> str:
        """The file's name."""
        return self.target.rpartition("\\")[2]


def wanted_driver(installation: Installation, hive: Hive, link: Link, bound: str | None) -> MissingDriver | None:
    """The driver to look for: that of the service bound to the device, else the one that this Windows ships for it.

    None where nothing says what its service and binding must be.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    name = bound or next(iter(link.services), None)
    if name is None or installation.version < FIRST_WITH_PLUG_AND_PLAY:
        return None
    present = read_service(hive, installation.select.default, name)
    target = f"{DRIVERS}\\{name}.sys" if present is None else _target(installation, present)
    if not is_plain(target):
        return None
    known = _known(name, target) if installation.version < VISTA else None
    if known is not None:
        bindings = (_binding(each, link.class_guid, known.name) for each in link.critical_ids)
        return MissingDriver(known.name, target, (*known.keys(), *bindings), is_incomplete=True)
    if present is None or bound is None:
        return None
    keys = [_boot_start(present.name, target)]
    if installation.version < FIRST_WITH_DRIVER_DATABASE:
        keys += (_binding(each, link.class_guid, present.name) for each in link.critical_ids)
    return MissingDriver(present.name, target, tuple(keys), is_incomplete=False)


def _known(name: str, target: str) -> InboxService | None:
    """What is known of a service; nothing where another driver goes by the same name, from another file."""
    found = next((each for each in _SERVICES if each.name == name.casefold()), None)
    return found if found is not None and found.target.casefold() == target.casefold() else None


def _target(installation: Installation, service: Service) -> str:
    """Where the service's file belongs, relative to the Windows directory; the drivers folder for one elsewhere.

    A path that leaves the Windows directory by ``..``, or leads into a stream, is one elsewhere.
    """
    path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
    prefix = f"{installation.directory}\\".casefold()
    if path.casefold().startswith(prefix) and is_plain(path[len(prefix) :]):
        return path[len(prefix) :]
    name = path.rpartition("\\")[2]
    return f"{DRIVERS}\\{name if is_plain(name) else f'{service.name}.sys'}"


def _binding(device_id: str, class_guid: str, service: str) -> PackageKey:
    """The key that binds a device to its service on Windows 2000 to 7."""
    path = f"Control\\CriticalDeviceDatabase\\{device_id.replace(chr(92), '#').lower()}"
    return PackageKey(path, (_text("ClassGUID", class_guid), _text("Service", service)))


def _boot_start(name: str, target: str) -> PackageKey:
    """What a service that is there already must say for the loader to start it from ``target``, below Windows."""
    path = _text("ImagePath", target, ValueType.REG_EXPAND_SZ)
    return PackageKey(f"Services\\{name}", (_dword("Type", _KERNEL_DRIVER), _dword("Start", _BOOT_START), path))


def _dword(name: str, number: int) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_DWORD, dword_data(number)))


def _text(name: str, text: str, kind: ValueType = ValueType.REG_SZ) -> PackageValue:
    return PackageValue(name, RegistryData(kind, text_data(text)))
