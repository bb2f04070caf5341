"""What the registry says of the drivers that Windows 2000 to Server 2003 bring along but do not put in place.

Setup copies a miniport and fills its service only on a machine that has the device. On others the service is missing
or, for some, there without its values and disabled. The values are those of Microsoft's own pnpscsi.inf and mshdc.inf.
"""

from dataclasses import dataclass

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import PackageKey, PackageValue
from bootgraft.registry.values import ValueType, dword_data, text_data

SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"

_KERNEL_DRIVER, _BOOT_START, _NORMAL = 1, 0, 1
_PCI_BUS = "5"
"""INTERFACE_TYPE PCIBus; 1 as its value below PnpInterface: on this bus the miniport takes what Plug and Play gives."""


@dataclass(frozen=True, slots=True)
class InboxService:
    """One service. ``bus_type`` is the STORAGE_BUS_TYPE that it reports, None where its INF sets none."""

    name: str
    group: str
    class_guid: str
    bus_type: int | None

    @property
    def file(self) -> str:
        """The name of its driver file."""
        return f"{self.name}.sys"

    def keys(self) -> tuple[PackageKey, ...]:
        """The service as its INF would make it, started at boot; without Tag, which orders the load group."""
        parameters = (_dword("BusType", self.bus_type),) if self.bus_type is not None else ()
        at = f"Services\\{self.name}"
        return (
            PackageKey(
                at,
                (
                    _dword("Type", _KERNEL_DRIVER),
                    _dword("Start", _BOOT_START),
                    _dword("ErrorControl", _NORMAL),
                    _text("Group", self.group),
                    _text("ImagePath", f"system32\\DRIVERS\\{self.file}", ValueType.REG_EXPAND_SZ),
                ),
            ),
            PackageKey(f"{at}\\Parameters", parameters),
            PackageKey(f"{at}\\Parameters\\PnpInterface", (_dword(_PCI_BUS, 1),)),
        )


_MINIPORTS = (
    InboxService("symmpi", "SCSI miniport", SCSI_ADAPTER, 1),
    InboxService("buslogic", "SCSI miniport", SCSI_ADAPTER, None),
    InboxService("sym_hi", "SCSI miniport", SCSI_ADAPTER, None),
)


def inbox_service(name: str) -> InboxService | None:
    """The service of that name, in any case, where it is known what its INF would write."""
    return next((each for each in _MINIPORTS if each.name == name.casefold()), None)


def binding(device_id: str, class_guid: str, service: str) -> PackageKey:
    """The key that binds a device to its service on Windows 2000 to 7."""
    path = f"Control\\CriticalDeviceDatabase\\{device_id.replace(chr(92), '#').lower()}"
    return PackageKey(path, (_text("ClassGUID", class_guid), _text("Service", service)))


def boot_start(name: str, target: str) -> PackageKey:
    """What a service that is there already must say for the loader to start it from ``target``, below Windows."""
    path = _text("ImagePath", target, ValueType.REG_EXPAND_SZ)
    return PackageKey(f"Services\\{name}", (_dword("Type", _KERNEL_DRIVER), _dword("Start", _BOOT_START), path))


def _dword(name: str, number: int) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_DWORD, dword_data(number)))


def _text(name: str, text: str, kind: ValueType = ValueType.REG_SZ) -> PackageValue:
    return PackageValue(name, RegistryData(kind, text_data(text)))
