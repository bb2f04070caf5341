"""Gate 4: what other tools that inject drivers get wrong about the one that serves the controller."""

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import set_number
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import ValueType, text_data
from bootgraft.targets.driverchains import DISK_DRIVE, HARD_DISK_CONTROLLER, SCSI_ADAPTER
from bootgraft.text import printable
from bootgraft.windows.bindings import CriticalDevice
from bootgraft.windows.driver_database import ROOT, VERSION_SIZE, DatabaseBinding, PackageVersion, decode_version
from bootgraft.windows.installation import Architecture, control_set_name
from bootgraft.windows.leftovers.bus_types import bus_name, wrong_bus_types
from bootgraft.windows.startup.device_filters import VOLUME
from bootgraft.windows.versions import WINDOWS_10

CLASS = "device-binding-class-wrong"
BUS_TYPE = "boot-service-bus-type-wrong"
NO_VERSION = "driver-package-version-missing"
UNUSED = "critical-device-database-unused"
_HYPER2KVM = "https://github.com/ssahani/hyper2kvm/blob/main/hyper2kvm/fixers/windows/virtio/config.py"
_PEGAPROX = "https://github.com/PegaProx/project-pegaprox/issues/823"
DOCS = (
    FindingDoc(
        id=CLASS,
        applies_to="Windows 2000 and later",
        cause="What binds a driver to the controller gives it the class of disks (DiskDrive) or volumes in place of "
        "that of storage controllers (SCSIAdapter). hyper2kvm writes that for viostor and vioscsi. Windows then loads "
        "the filters of the other class, PartMgr among them, on the controller.",
        evidence="The key with its class, and the right one.",
        fix="The class becomes that of the device: ClassGUID in the CriticalDeviceDatabase, the GUID in the package's "
        "Version value in the DriverDatabase.",
        limits="What Windows does with such a controller is documented nowhere, so the verdict is unknown.",
        symptoms=(Symptom.STOP_7B,),
        references=(
            _HYPER2KVM,
            "https://learn.microsoft.com/windows-hardware/drivers/install/system-defined-device-setup-classes-available-to-vendors",
        ),
    ),
    FindingDoc(
        id=BUS_TYPE,
        applies_to="Windows Server 2003 and later",
        cause=r"Services\<driver>\Parameters\BusType is another than the driver's own INF sets: 0x0A (SAS) for "
        "vioscsi, 0x01 (SCSI) for viostor. Tools that inject drivers by hand write one value for all (PegaProx did).",
        evidence="The key, the value, and the one of the INF.",
        fix="BusType becomes what the INF has, in every control set.",
        limits="Only of drivers whose INF is known, and only where the value is there: without it Windows starts. "
        "That it alone stops a start is not shown: the machine of the report lacked the binding too.",
        symptoms=(Symptom.STOP_7B,),
        references=(
            _PEGAPROX,
            "https://github.com/virtio-win/kvm-guest-drivers-windows/blob/master/vioscsi/vioscsi.inx",
            "https://learn.microsoft.com/windows-hardware/drivers/ddi/storport/nf-storport-storportsetadapterbustype",
        ),
    ),
    FindingDoc(
        id=NO_VERSION,
        applies_to="Windows 10, Server 2016 and later",
        cause="The package in the DriverDatabase that binds the controller has no Version value. From this release on "
        "the kernel ranks packages by it, and finds 'no compatible drivers' without one: virt-v2v before April 2017 "
        "and tools that copy its keys leave it out.",
        evidence="The package's key.",
        fix="A Version is made with the class of the device, the architecture of Windows, no date and the number "
        "0.0.0.0, as virt-v2v has made it since.",
        limits="Whether this Windows starts without it is only known of virt-v2v's report, so the verdict is unknown.",
        references=(
            "https://lists.libguestfs.org/archives/list/guestfs@lists.libguestfs.org/message/WK53DG74P7A3EA7XAJMDBICLS7FT3T6E",
        ),
    ),
    FindingDoc(
        id=UNUSED,
        applies_to="Windows 8 and later",
        cause="There is a CriticalDeviceDatabase. This Windows binds drivers by its DriverDatabase and never reads the "
        "other one, which it does not have by itself: a tool made for Windows 7 and earlier has injected a driver, and "
        "what it wrote binds nothing (hyper2kvm, PegaProx, recipes for XP).",
        evidence="The key, and the first entries in it.",
        fix="None is needed: it does no harm. Whether the driver is bound has a finding of its own.",
        limits="",
        references=(_HYPER2KVM, _PEGAPROX),
    ),
)
_OF_DISKS = (DISK_DRIVE, VOLUME, "{4D36E965-E325-11CE-BFC1-08002BE10318}")
_OF_CONTROLLERS = (SCSI_ADAPTER, HARD_DISK_CONTROLLER)
_ARCHITECTURES = {Architecture.X86: 0, Architecture.X64: 9, Architecture.ARM64: 12}
_MAX_SHOWN = 4


def find(guest: Guest) -> Iterator[Finding]:
    """What is found in each control set."""
    hive = guest.hive
    if hive is None or guest.facts is None:
        return
    facts = guest.facts
    for link in facts.links:
        yield from _class_of(facts, hive, link)
    yield from _without_version(facts, hive)
    for number in dict.fromkeys(each.number for each in facts.links):
        names = dict.fromkeys(each.service_name for each in facts.links if each.number == number and each.service_name)
        yield from _bus_types(facts, hive, number, iter(names))
        yield from _unused(facts, hive, number)


def _class_of(facts: ControllerFacts, hive: Hive, link: LinkFacts) -> Iterator[Finding]:
    binding = link.binding
    if binding is None or binding.service is None:
        return
    found = binding.class_guid.upper()
    is_disk = link.link.class_guid == DISK_DRIVE
    if found not in (_OF_CONTROLLERS if is_disk else _OF_DISKS):
        return
    change = _with_class(facts, hive, binding, link.link.class_guid)
    yield Finding(
        CLASS,
        Severity.WARNING,
        f"the binding of {link.main_id} in {link.control_set} has the class of {'controllers' if is_disk else 'disks'}",
        "A tool that injected the driver wrote the wrong class (hyper2kvm does). Windows then puts the filters of "
        "that class on the device; whether it starts like that is documented nowhere.",
        (
            f"{facts.hive.path}: {binding.key_path}: {binding.service} is bound with the class {found}",
            f"the class of the device is {link.link.class_guid}",
        ),
        Remedy.NONE if change is None else Remedy.CHANGES,
        () if change is None else (change,),
        leaves_open=link.is_default,
        device=link.main_id,
    )


def _without_version(facts: ControllerFacts, hive: Hive) -> Iterator[Finding]:
    """The DriverDatabase is one for all control sets."""
    for link in facts.links:
        binding = link.binding
        if facts.version < WINDOWS_10 or not link.is_default or not isinstance(binding, DatabaseBinding):
            continue
        if binding.service is None or binding.version is not None:
            continue
        key = f"{ROOT}\\DriverPackages\\{binding.package}"
        changes = _version_made(facts, hive, key, link.link.class_guid)
        yield Finding(
            NO_VERSION,
            Severity.WARNING,
            f"the package that binds {link.main_id} has no version",
            "From Windows 10 on the kernel may find no compatible driver then. A tool that injected the driver left it "
            "out (virt-v2v before April 2017 did).",
            (f"{facts.hive.path}: {key}: no value Version of {VERSION_SIZE} bytes",),
            Remedy.CHANGES if changes else Remedy.NONE,
            changes,
            leaves_open=True,
            device=link.main_id,
        )


def _version_made(facts: ControllerFacts, hive: Hive, path: str, class_guid: str) -> tuple[SetValue, ...]:
    number, key = _ARCHITECTURES.get(facts.architecture), hive.key(path)
    if number is None or key is None:
        return ()
    made = PackageVersion(is_inbox=False, architecture=number, class_guid=class_guid, date=0, version=(0, 0, 0, 0))
    return (SetValue(facts.hive, path, "Version", RegistryData(ValueType.REG_BINARY, made.encode()), _version(key)),)


def _with_class(
    facts: ControllerFacts, hive: Hive, binding: CriticalDevice | DatabaseBinding, class_guid: str
) -> SetValue | None:
    if isinstance(binding, CriticalDevice):
        key, name = hive.key(binding.key_path), "ClassGUID"
        data = RegistryData(ValueType.REG_SZ, text_data(class_guid))
    else:
        key, name = hive.key(f"{ROOT}\\DriverPackages\\{binding.package}"), "Version"
        version = None if key is None else _version(key)
        if version is None:
            return None
        data = RegistryData(version.type, _replaced(version.data, class_guid))
    value = None if key is None else key.value(name)
    if key is None or value is None:
        return None
    return SetValue(facts.hive, key.path, name, data, RegistryData(value.type, value.data))


def _version(key: Key) -> RegistryData | None:
    value = key.value("Version")
    return None if value is None else RegistryData(value.type, value.data)


def _replaced(data: bytes, class_guid: str) -> bytes:
    version = decode_version(data)
    return data if version is None else replace(version, class_guid=class_guid).encode()


def _bus_types(facts: ControllerFacts, hive: Hive, number: int, services: Iterator[str]) -> Iterator[Finding]:
    for wrong in wrong_bus_types(hive, number, services):
        key = hive.key(wrong.key_path)
        change = None if key is None else set_number(facts.hive, key, "BusType", wrong.expected)
        service, place = wrong.key_path.split("\\")[-2], f"{facts.hive.path}: {wrong.key_path}"
        yield Finding(
            BUS_TYPE,
            Severity.WARNING,
            f"the BusType of {service} in {control_set_name(number)} is not the one of its INF",
            "A tool injected the driver by hand and wrote another value (PegaProx does). Windows is told a bus that "
            "the controller is not on; that this alone stops a start is not shown.",
            (f"{place}: BusType={bus_name(wrong.found)}; the driver's INF has {bus_name(wrong.expected)}",),
            Remedy.NONE if change is None else Remedy.CHANGES,
            () if change is None else (change,),
        )


def _unused(facts: ControllerFacts, hive: Hive, number: int) -> Iterator[Finding]:
    if not any(each.store is BindingStore.DRIVER_DATABASE for each in facts.links):
        return
    key = hive.key(f"{control_set_name(number)}\\Control\\CriticalDeviceDatabase")
    if key is None:
        return
    names = [printable(each.name) for each in islice(key.keys(), _MAX_SHOWN)]
    yield Finding(
        UNUSED,
        Severity.INFO,
        f"{control_set_name(number)} has a CriticalDeviceDatabase, which this Windows does not read",
        "A tool for Windows 7 and earlier wrote it to bind a driver. It binds nothing here, and does no harm: "
        "Windows 8 and later look into the DriverDatabase.",
        (f"{facts.hive.path}: {key.path}: {', '.join(names) or 'no entry'}",),
    )


CHECK = Check(Stage.CONTROLLER, 35, DOCS, find)
