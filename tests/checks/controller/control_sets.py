"""Control sets of a Windows on its way to the LSI Logic controller of VMware, as far as its drivers go."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.subjects import HIVE, LSI_LOGIC, SCSI_ADAPTER

from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts
from bootgraft.checks.finding import Finding
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.bindings import CriticalDevice, EnumInstance
from bootgraft.windows.driver_files import DriverFacts, ImportFacts
from bootgraft.windows.installation import Architecture
from bootgraft.windows.pe import PeFacts
from bootgraft.windows.services import Service

LINK = driver_chain(LSI_LOGIC, (5, 2)).links[0]
CDD = BindingStore.CRITICAL_DEVICES
DRIVER_PATH = "\\WINDOWS\\system32\\DRIVERS\\symmpi.sys"
IMPORTS = (ImportFacts("SCSIPORT.SYS", "\\WINDOWS\\system32\\drivers\\scsiport.sys", Architecture.X86),)
DRIVER = DriverFacts(
    DRIVER_PATH, present=True, pe=PeFacts(Architecture.X86, ("SCSIPORT.SYS",), (1, 9, 0, 0)), imports=IMPORTS
)


def binding(number: int, service: str | None = "symmpi", device_id: str = "pci#ven_1000&dev_0030") -> CriticalDevice:
    path = f"ControlSet{number:03d}\\Control\\CriticalDeviceDatabase\\{device_id}"
    return CriticalDevice(path, device_id.replace("#", "\\"), service, SCSI_ADAPTER)


def service(number: int, *, start: int | None = 0, type_: int | None = 1, name: str = "symmpi") -> Service:
    path = f"ControlSet{number:03d}\\Services\\{name}"
    return Service(name, path, type_, start, 1, "SCSI miniport", 33, f"system32\\DRIVERS\\{name}.sys")


def instance(
    number: int, *, class_guid: str | None = SCSI_ADAPTER, service_name: str | None = "symmpi", flags: int | None = 0
) -> EnumInstance:
    path = f"ControlSet{number:03d}\\Enum\\PCI\\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\\3&61aaa01&0&80"
    return EnumInstance(path, class_guid, service_name, flags, 0x197615AD)


def good_set(number: int) -> LinkFacts:
    """A control set from which Windows starts; number 1 is the default."""
    return LinkFacts(number, number == 1, LINK, CDD, binding(number), (), "symmpi", service(number), DRIVER)


def bare_set(number: int) -> LinkFacts:
    """A control set that knows nothing of the controller."""
    return LinkFacts(number, number == 1, LINK, CDD, None, (), None, None, None)


def facts(make: Callable[[int], LinkFacts] = good_set, *others: Callable[[int], LinkFacts]) -> ControllerFacts:
    """A machine whose control set 1 is made by the first function and 2 by the second, or by the first too."""
    makers = (make, *(others or (make,)))
    sets = tuple(maker(number) for number, maker in enumerate(makers, start=1))
    product = "Microsoft Windows Server 2003"
    return ControllerFacts(LSI_LOGIC, product, "disk 0 partition 2", (5, 2), Architecture.X86, HIVE, sets)


def storage_case(
    check: Callable[[ControllerFacts], tuple[Finding, ...]],
    broken: Callable[[int], LinkFacts],
    repaired: Callable[[int], LinkFacts] = good_set,
) -> Case:
    return Case(check(facts(broken)), check(facts(repaired)), check(facts(good_set)))


def with_driver(driver: DriverFacts) -> Callable[[int], LinkFacts]:
    return lambda number: replace(good_set(number), driver=driver)


def later_facts(make: Callable[[int], LinkFacts] = good_set) -> ControllerFacts:
    """The same machine with Windows 10."""
    return replace(facts(make), version=(10, 0))
