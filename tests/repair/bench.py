"""What the tests of plan, application and proof share: a diagnosis and a plan of a Windows in memory."""

from tests.checks.guests import guest_of
from tests.checks.subjects import SCSI_ADAPTER, chain
from tests.memory_windows import MemoryWindows

from bootgraft.changes import Plan, RegistryData, SetValue
from bootgraft.checks.diagnosis import Diagnosis, diagnose
from bootgraft.drivers.guest.donor import read_donor
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.repair.plan import plan_repair
from bootgraft.targets.controllers import find_controller

LSI = "vmware:lsilogic"
BINDING = "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030"


def diagnosis(windows: MemoryWindows, target: str = LSI) -> Diagnosis:
    return diagnose(guest_of(chain(), windows.installation, windows.hive, find_controller(target)))


def from_donor(donor: MemoryWindows, target_windows: MemoryWindows, *, source: str = "donor.vmdk") -> DriverPackage:
    return read_donor(donor.installation, donor.hive, find_controller(LSI), target_windows.installation, source=source)


def package(*keys: PackageKey, files: tuple[PackageFile, ...] = (), service: str = "symmpi") -> DriverPackage:
    """A package of these keys, or of a service and a binding that suffice."""
    return DriverPackage("symmpi.reg", service, keys or minimal_keys(service), files)


def minimal_keys(service: str = "symmpi", binding: str = BINDING) -> tuple[PackageKey, ...]:
    return (
        PackageKey(f"Services\\{service}", (dword("Type", 1), dword("Start", 0))),
        PackageKey(binding, (text("ClassGUID", SCSI_ADAPTER), text("Service", service))),
    )


def dword(name: str, number: int) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_DWORD, dword_data(number)))


def text(name: str, value: str) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_SZ, text_data(value)))


def plan(windows: MemoryWindows, given: DriverPackage | None = None, target: str = LSI) -> Plan:
    return plan_repair(windows.installation, windows.hive, [(diagnosis(windows, target), given)])


def settings(made: Plan, key: str) -> dict[str, bytes]:
    """What a plan sets in one key, by the name of the value."""
    changes = [change for change in made.registry() if isinstance(change, SetValue)]
    return {change.name: change.value.data for change in changes if change.key.casefold() == key.casefold()}
