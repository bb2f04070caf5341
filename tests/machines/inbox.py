r"""The storage drivers that Windows Vista and later ship: services, files, and what binds them.

As real hives of Windows 7, 8.1 and 10 hold them (names, Start, groups, ids, configurations), cut down to what serves
the controllers of virtual machines. Windows 7 starts on demand what it did not need; Windows 8 and later start all at
boot, and override those that they did not need.
"""

import uuid
from collections.abc import Iterator, Mapping
from struct import pack

from msgspec import Struct

from tests.machines.registry_text import Expand, Multi, RegistryValue
from tests.machines.spec import Architecture, PortableExecutable

Keys = dict[str, dict[str, RegistryValue]]
HDC, SCSI_ADAPTER, SYSTEM_DEVICE, DISK_DRIVE = (
    f"{{{guid}-E325-11CE-BFC1-08002BE10318}}" for guid in ("4D36E96A", "4D36E97B", "4D36E97D", "4D36E967")
)
_DATE = 0x01C694C5A38C8000  # 21 June 2006, which Microsoft gives all its in-box drivers
_KERNEL = ("ntoskrnl.exe", ("KeBugCheckEx", "DbgPrint"))
STORPORT = (  # what Red Hat's drivers for Windows 7 and 8.1 import
    "StorPortInitialize", "StorPortNotification", "ScsiPortMoveMemory", "StorPortAllocateRegistryBuffer",
    "StorPortBusy", "StorPortExtendedFunction", "StorPortFreeRegistryBuffer", "StorPortGetBusData",
    "StorPortGetDeviceBase", "StorPortGetPhysicalAddress", "StorPortGetScatterGatherList",
    "StorPortGetUncachedExtension", "StorPortLogError", "StorPortMoveMemory", "StorPortPause",
    "StorPortReadPortUchar", "StorPortReadPortUlong", "StorPortReadPortUshort", "StorPortReadRegisterUchar",
    "StorPortReadRegisterUlong", "StorPortReadRegisterUshort", "StorPortRegistryRead", "StorPortResume",
    "StorPortSetDeviceQueueDepth", "StorPortStallExecution", "StorPortSynchronizeAccess", "StorPortWritePortUchar",
    "StorPortWritePortUlong", "StorPortWritePortUshort", "StorPortWriteRegisterUchar", "StorPortWriteRegisterUlong",
    "StorPortWriteRegisterUshort",
)  # fmt: skip
ATAPORT = ("AtaPortInitialize", "AtaPortNotification")
PCIIDEX = ("PciIdeXInitialize", "PciIdeXGetBusData", "PciIdeXSetBusData")


class Inbox(Struct, frozen=True):
    """One in-box driver: its service, file (without .sys), ids, INF with configuration, and the releases that have it.

    ``start`` is what Windows 7 leaves it at; ``first`` and ``last`` are NT versions.
    """

    service: str
    file: str
    kind: str  # what it imports from
    ids: tuple[str, ...]
    class_guid: str
    inf: str
    configuration: str
    group: str = "SCSI Miniport"
    start: int = 0
    first: tuple[int, int] = (6, 0)
    last: tuple[int, int] = (10, 0)
    filters: tuple[str, ...] = ()
    bus_type: int | None = None
    on_demand: bool = False  # ``start`` is what Windows 8 and later leave it at too (vpci in a real 8.1 and 10 1709)


_AT_BUS = "System Bus Extender"
DRIVERS = (
    Inbox("atapi", "atapi", "ataport", ("Primary_IDE_Channel", "Secondary_IDE_Channel", "Internal_IDE_Channel"), HDC,
          "mshdc.inf", "atapi_Inst"),
    Inbox("intelide", "intelide", "pciidex", (r"PCI\VEN_8086&DEV_7111", r"PCI\VEN_8086&DEV_7010"), HDC,
          "mshdc.inf", "intelide_Inst", _AT_BUS),
    Inbox("pciide", "pciide", "pciidex", (r"PCI\CC_0101",), HDC, "mshdc.inf", "pciide_Inst", _AT_BUS, start=3),
    Inbox("msahci", "msahci", "ataport", (r"PCI\CC_010601",), HDC, "mshdc.inf", "msahci_Inst", start=3, last=(6, 1)),
    Inbox("storahci", "storahci", "storport", (r"PCI\CC_010601",), HDC, "mshdc.inf", "msahci_Inst", first=(6, 2),
          bus_type=11),
    Inbox("stornvme", "stornvme", "storport", (r"PCI\CC_010802",), SCSI_ADAPTER, "stornvme.inf", "Stornvme_Inst",
          first=(6, 3), bus_type=17),
    Inbox("LSI_SAS", "lsi_sas", "storport", (r"PCI\VEN_1000&DEV_0054", r"PCI\VEN_1000&DEV_0058"), SCSI_ADAPTER,
          "lsi_sas.inf", "LSI_SAS_Inst", bus_type=10),
    Inbox("LSI_SCSI", "lsi_scsi", "storport", (r"PCI\VEN_1000&DEV_0030",), SCSI_ADAPTER, "lsi_scsi.inf",
          "LSI_SCSI_Inst", last=(6, 1), bus_type=1),
    Inbox("megasas", "megasas", "storport", (r"PCI\VEN_1000&DEV_0060",), SCSI_ADAPTER, "megasas.inf", "MegaSAS_Inst",
          bus_type=8),
    Inbox("vmbus", "vmbus", "kernel", (r"ACPI\VMBus",), SYSTEM_DEVICE, "wvmbus.inf", "VMBus_Device_Child.NT", _AT_BUS,
          first=(6, 1)),
    Inbox("vpci", "vpci", "kernel", (r"VMBUS\{44C4F61D-4444-4400-9D52-802E27EDE19F}",), SYSTEM_DEVICE, "wvpci.inf",
          "Vpci_Device_Child.NT", _AT_BUS, start=3, first=(6, 3), on_demand=True),
    Inbox("storvsc", "storvsc", "storport", (r"VMBUS\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}",), SCSI_ADAPTER,
          "wstorvsc.inf", "storvscDriveInstall", "Base", start=3, first=(6, 1), bus_type=10),
    Inbox("storflt", "vmstorfl", "kernel", (), SYSTEM_DEVICE, "wstorflt.inf", "", "Extended Base", first=(6, 1)),
    Inbox("disk", "disk", "classpnp", ("GenDisk",), DISK_DRIVE, "disk.inf", "disk_install.NT", ""),
    Inbox("disk", "disk", "classpnp", (r"IDE\DiskVirtual_HD______________________________1.1.0___",), DISK_DRIVE,
          "wstorflt.inf", "storflt.Install", "", first=(6, 2), filters=("storflt",)),
)  # fmt: skip
_PORTS = {"storport": STORPORT, "ataport": ATAPORT, "pciidex": PCIIDEX, "classpnp": ("ClassInitialize",)}


def drivers(version: tuple[int, int]) -> tuple[Inbox, ...]:
    """The drivers of one Windows."""
    return tuple(each for each in DRIVERS if each.first <= version <= each.last)


def binaries(
    version: tuple[int, int], arch: Architecture, stamp: tuple[int, int, int, int]
) -> Mapping[str, PortableExecutable]:
    """The drivers' files by name. Those of one kind are one binary under several names."""
    made = {f"{name}.sys": PortableExecutable(f"{name}.sys", arch, (_KERNEL,), exports, stamp)
            for name, exports in _PORTS.items()}  # fmt: skip
    for each in drivers(version):
        port = _PORTS.get(each.kind)
        imports = (_KERNEL,) if port is None else ((f"{each.kind.upper()}.SYS", port[:1]), _KERNEL)
        made[f"{each.file}.sys"] = PortableExecutable(f"{each.kind}-client.sys", arch, imports, version=stamp)
    return made


def service_keys(version: tuple[int, int], *, needed: frozenset[str] = frozenset()) -> Keys:
    """The services of a control set; ``needed`` (lower case) are those that a Windows 8 or later does not override."""
    keys: Keys = {}
    for each in drivers(version):
        is_boot_driver = version >= (6, 2) and not each.on_demand
        start = 0 if is_boot_driver or each.service.casefold() in needed else each.start
        form = r"\SystemRoot\system32\drivers" if start else "System32\\drivers"
        values: dict[str, RegistryValue] = {
            "Type": 1, "Start": start, "ErrorControl": 1, "ImagePath": Expand(rf"{form}\{each.file}.sys"),
        }  # fmt: skip
        if each.group:
            values["Group"] = each.group
        path = rf"Services\{each.service}"
        keys[path] = values
        if each.bus_type is not None:
            keys[rf"{path}\Parameters"] = {"BusType": each.bus_type}
            keys[rf"{path}\Parameters\PnpInterface"] = {"5": 1}
        if is_boot_driver and each.service.casefold() not in needed | {"disk"}:
            keys[rf"{path}\StartOverride"] = {"0": 3}
    return keys


def critical_keys(version: tuple[int, int]) -> Keys:
    """The CriticalDeviceDatabase of Windows Vista or 7, below a control set."""
    return {
        rf"Control\CriticalDeviceDatabase\{device.replace(chr(92), '#')}": {
            "ClassGUID": each.class_guid,
            "Service": each.service,
            "DriverPackageId": f"{each.inf}_amd64_neutral_fab873f3e8a3315c",
        }
        for each in drivers(version)
        for device in each.ids
    }


def database_keys(version: tuple[int, int], arch: Architecture) -> Keys:
    """The DriverDatabase of Windows 8 or later, from the root of the SYSTEM hive."""
    number, label = {Architecture.X86: (0, "x86"), Architecture.X64: (9, "amd64")}[arch]
    schema = {(6, 2): 0x06020000, (6, 3): 0x06030000}.get(version, 0x0A000000)
    keys: Keys = {"DriverDatabase": {"Version": schema, "Architecture": number, "OemInfMap": b"\xff\x80"}}
    for inf, entries in _by_inf(version):
        package = f"{inf}_{label}_{abs(hash_of(inf)):016x}"
        configurations = tuple(dict.fromkeys(each.configuration for each in entries if each.ids))
        keys[rf"DriverDatabase\DriverInfFiles\{inf}"] = {
            "": Multi((package,)), "Active": package, "Configurations": Multi(configurations),
        }  # fmt: skip
        top = rf"DriverDatabase\DriverPackages\{package}"
        blob = version_blob(entries[0].class_guid, number, _DATE, (version[0], version[1], 9200, 16384))
        keys[top] = {"": inf, "Version": blob, "Provider": "Microsoft", "SignerScore": 0x0D000003}
        for each in entries:
            if not each.ids:
                continue
            values: dict[str, RegistryValue] = {"Service": each.service, "ConfigFlags": 0}
            if each.filters:
                values["LowerFilters"] = Multi(each.filters)
            keys[rf"{top}\Configurations\{each.configuration}"] = values
            for device in each.ids:
                keys.setdefault(rf"DriverDatabase\DeviceIds\{device}", {})[inf] = b"\x01\xff\0\0"
                keys[rf"{top}\Descriptors\{device}"] = {"Configuration": each.configuration, "Manufacturer": "%ms%"}
    return keys


def version_blob(
    class_guid: str, architecture: int, date: int, version: tuple[int, int, int, int], *, inbox: bool = True
) -> bytes:
    """A package's Version value, as the hives of Windows 8.1 and 10 have it."""
    head = (b"\xff\xff" if inbox else b"\0\xff") + pack("<HI", architecture, 0)
    return head + uuid.UUID(class_guid).bytes_le + pack("<Q4HQ", date, *reversed(version), 0)


def hash_of(text: str) -> int:
    """Some number for a label."""
    return int.from_bytes(text.encode().ljust(8)[:8], "big")


def _by_inf(version: tuple[int, int]) -> Iterator[tuple[str, tuple[Inbox, ...]]]:
    all_of = drivers(version)
    for inf in dict.fromkeys(each.inf for each in all_of):
        yield inf, tuple(each for each in all_of if each.inf == inf)
