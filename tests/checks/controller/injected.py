"""Windows into which tools injected a driver of virtio-win by hand, as each of them does it."""

from collections.abc import Iterator

from tests.core_windows import core_windows, guest, in_sets
from tests.machines.bindings import DISK_DRIVE, SCSI_ADAPTER, Binding, database_keys, hash_of
from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_10
from tests.memory_windows import MemoryWindows

from bootgraft.checks.controller import injected_driver
from bootgraft.checks.finding import Finding

X64 = Architecture.X64
TARGET = "kvm:virtio-scsi"
ID = r"PCI\VEN_1AF4&DEV_1004"


def service(bus_type: int | None) -> dict[str, dict[str, RegistryValue]]:
    """The service of vioscsi; with None no BusType."""
    keys: dict[str, dict[str, RegistryValue]] = {
        r"Services\vioscsi": {"Type": 1, "Start": 0, "ErrorControl": 1, "Group": "SCSI miniport"}
    }
    if bus_type is not None:
        keys[r"Services\vioscsi\Parameters"] = {"BusType": bus_type}
    return keys


def bound_7(*, class_guid: str = SCSI_ADAPTER, bus_type: int | None = 10) -> MemoryWindows:
    """Windows 7, by its CriticalDeviceDatabase."""
    device = rf"Control\CriticalDeviceDatabase\{ID.replace(chr(92), '#').lower()}"
    keys: dict[str, dict[str, RegistryValue]] = {device: {"ClassGUID": class_guid, "Service": "vioscsi"}}
    return core_windows(in_sets(keys | service(bus_type)), release=WINDOWS_7, arch=X64)


def bound_10(*, class_guid: str = SCSI_ADAPTER, bus_type: int | None = 10, edits: str = "") -> MemoryWindows:
    """Windows 10, by its DriverDatabase."""
    binding = Binding((ID,), class_guid, "vioscsi", "oem9.inf", "vioscsi_conf")
    keys = reg_text(database_keys((binding,), (10, 0), X64))
    return core_windows(f"{in_sets(service(bus_type))}{keys}\n\n{edits}", release=WINDOWS_10, arch=X64)


def found(windows: MemoryWindows) -> Iterator[Finding]:
    """What the check finds of virtio-scsi."""
    return injected_driver.find(guest(windows, TARGET))


WRONG_CLASS = DISK_DRIVE
UNUSED = in_sets({r"Control\CriticalDeviceDatabase\pci#ven_1af4&dev_1001&subsys_00081af4": {"Service": "viostor"}})
NO_VERSION = f'[\\DriverDatabase\\DriverPackages\\oem9.inf_amd64_{hash_of("oem9.inf"):016x}]\n"Version"=-\n\n'
