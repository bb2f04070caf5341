"""Kits that the tests share: one for each dialect of cmd.exe, from packages that are made in memory."""

from datetime import date

from tests.checks.subjects import SCSI_ADAPTER

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.target_windows import TargetWindows, known_windows
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts, PackageFile, PackageKey, PackageValue
from bootgraft.kit.contents import Kit
from bootgraft.kit.plan import plan_inbox_kit, plan_kit
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.pe import Architecture

LSI = find_controller("vmware:lsilogic")
OWN = "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030"
OTHER = "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0621"


def dword(name: str, number: int) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_DWORD, dword_data(number)))


def text(name: str, value: str) -> PackageValue:
    return PackageValue(name, RegistryData(ValueType.REG_SZ, text_data(value)))


SERVICE = PackageKey(
    "Services\\symmpi",
    (
        dword("Type", 1),
        dword("Start", 0),
        dword("ErrorControl", 1),
        text("Group", "SCSI miniport"),
        PackageValue("ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data("system32\\DRIVERS\\symmpi.sys"))),
        PackageValue("DependOnService", RegistryData(ValueType.REG_MULTI_SZ, multi_data(["one", "two"]))),
        PackageValue("Tag", None),
    ),
)
KEYS = (
    SERVICE,
    PackageKey("Services\\symmpi\\Parameters\\PnpInterface", (dword("5", 1),)),
    PackageKey(OWN, (text("ClassGUID", SCSI_ADAPTER), text("Service", "symmpi"))),
    PackageKey(OTHER, (text("ClassGUID", SCSI_ADAPTER), text("Service", "symmpi"))),
)
DRIVER = PackageFile("system32\\DRIVERS\\symmpi.sys", b"MZ the driver")
INF = InfFacts(
    "symmpi.inf",
    SCSI_ADAPTER,
    "SCSIAdapter",
    "A vendor",
    date(2020, 1, 2),
    (1, 2, 3, 4),
    "Install",
    (DeviceId("PCI\\VEN_1000&DEV_0030", is_hardware_id=True),),
    (("symmpi.inf", b"[Version]"), ("symmpi.cat", b"catalog"), ("x\\symmpi.sys", DRIVER.data)),
)


def target_windows(name: str, arch: Architecture | None = None) -> TargetWindows:
    found = known_windows(name)
    return next((each for each in found if each.arch is arch), found[0])


def package(inf: InfFacts | None = None) -> DriverPackage:
    return DriverPackage("donor.vmdk", "symmpi", KEYS, (DRIVER,), ("A note.",), inf)


def kit(name: str, arch: Architecture | None = None) -> Kit:
    """The kit for a Windows by its name on the command line."""
    windows = target_windows(name, arch)
    return plan_kit((package(INF if windows.version >= (6, 2) else None),), LSI, windows)


NAMES = ("nt4", "2000", "2003", "7", "8.1", "10")
KITS = {name: kit(name, Architecture.X64 if name in ("7", "8.1", "10") else Architecture.X86) for name in NAMES}
KITS["10 in-box"] = plan_inbox_kit(find_controller("hyperv:gen2"), target_windows("10", Architecture.X64))
