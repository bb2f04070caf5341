r"""The storage drivers that Windows ships: what they serve, in which INF, and their files.

As real hives of Windows 7, 8.1 and 10 hold them (names, ids, configurations), cut down to what serves the controllers
of virtual machines. Their services are in ``shipped_services``. Windows 7 starts on demand what it did not need;
Windows 8 and later start all at boot, and override those that they did not need.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tests.machines.bindings import DISK_DRIVE, HDC, SCSI_ADAPTER, SYSTEM_DEVICE, Binding, Keys
from tests.machines.shipped_services import Service, shipped
from tests.machines.spec import Architecture, PortableExecutable

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

    ``first`` and ``last`` are NT versions.
    """

    service: str
    file: str
    kind: str  # what it imports from
    ids: tuple[str, ...]
    class_guid: str
    inf: str
    configuration: str
    first: tuple[int, int] = (6, 0)
    last: tuple[int, int] = (10, 0)
    filters: tuple[str, ...] = ()
    bus_type: int | None = None


DRIVERS = (
    Inbox("atapi", "atapi", "ataport", ("Primary_IDE_Channel", "Secondary_IDE_Channel", "Internal_IDE_Channel"), HDC,
          "mshdc.inf", "atapi_Inst"),
    Inbox("intelide", "intelide", "pciidex", (r"PCI\VEN_8086&DEV_7111", r"PCI\VEN_8086&DEV_7010"), HDC,
          "mshdc.inf", "intelide_Inst"),
    Inbox("pciide", "pciide", "pciidex", (r"PCI\CC_0101",), HDC, "mshdc.inf", "pciide_Inst"),
    Inbox("msahci", "msahci", "ataport", (r"PCI\CC_010601",), HDC, "mshdc.inf", "msahci_Inst", last=(6, 1)),
    Inbox("storahci", "storahci", "storport", (r"PCI\CC_010601",), HDC, "mshdc.inf", "msahci_Inst", first=(6, 2),
          bus_type=11),
    Inbox("stornvme", "stornvme", "storport", (r"PCI\CC_010802",), SCSI_ADAPTER, "stornvme.inf", "Stornvme_Inst",
          first=(6, 3), bus_type=17),
    Inbox("LSI_SAS", "lsi_sas", "storport", (r"PCI\VEN_1000&DEV_0054", r"PCI\VEN_1000&DEV_0058"), SCSI_ADAPTER,
          "lsi_sas.inf", "LSI_SAS_Inst", bus_type=10),
    Inbox("LSI_SCSI", "lsi_scsi", "storport", (r"PCI\VEN_1000&DEV_0030",), SCSI_ADAPTER, "lsi_scsi.inf",
          "LSI_SCSI_Inst", last=(6, 1), bus_type=1),
    Inbox("megasas", "megasas", "storport", (r"PCI\VEN_1000&DEV_0060&SUBSYS_10131000",), SCSI_ADAPTER, "megasas.inf",
          "Install_INT.NT", last=(6, 1), bus_type=8),
    Inbox("megasas", "megasas", "storport", (r"PCI\VEN_1000&DEV_0060",), SCSI_ADAPTER, "megasas.inf",
          "Install_INT.NT", first=(6, 2), bus_type=8),
    Inbox("iaStorV", "iaStorV", "storport", (r"PCI\VEN_8086&DEV_2682&CC_0104",), SCSI_ADAPTER, "iastorv.inf",
          "iaStor_Inst_RAID", bus_type=8),
    Inbox("vmbus", "vmbus", "kernel", (r"ACPI\VMBus",), SYSTEM_DEVICE, "wvmbus.inf", "VMBus_Device_WIN8_Child.NT",
          first=(6, 1), last=(6, 3)),
    Inbox("vmbus", "vmbus", "kernel", (r"ACPI\VMBus",), SYSTEM_DEVICE, "wvmbus.inf", "VMBus_Device_Child.NT",
          first=(10, 0)),
    Inbox("vpci", "vpci", "kernel", (r"VMBUS\{44C4F61D-4444-4400-9D52-802E27EDE19F}",), SYSTEM_DEVICE, "wvpci.inf",
          "Vpci_Device_Child.NT", first=(6, 3)),
    Inbox("storvsc", "storvsc", "storport", (r"VMBUS\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}",), SCSI_ADAPTER,
          "wstorvsc.inf", "storvscDriveInstall", first=(6, 1), last=(6, 1)),
    Inbox("storvsc", "storvsc", "storport", (r"VMBUS\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}",), SCSI_ADAPTER,
          "wstorvsc.inf", "storvscDriveInstall", first=(6, 2), bus_type=10),
    Inbox("storflt", "vmstorfl", "kernel", (), SYSTEM_DEVICE, "wstorflt.inf", "", first=(6, 1)),
    Inbox("disk", "disk", "classpnp", ("GenDisk",), DISK_DRIVE, "disk.inf", "disk_install.NT"),
    Inbox("disk", "disk", "classpnp", (r"IDE\DiskVirtual_HD______________________________1.1.0___",), DISK_DRIVE,
          "wstorflt.inf", "storflt.Install", first=(10, 0), filters=("storflt",)),
)  # fmt: skip
_OWN = "iastorv"
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
    """The services of a control set; ``needed`` (lower case) are those that the machine ran with, beside its own.

    Its own is the RAID controller of the board, served by iaStorV.
    """
    storage = {each.service.casefold(): each for each in drivers(version)}
    keys: Keys = {}
    for each in shipped(version):
        name, path = each.name.casefold(), rf"Services\{each.name}"
        driver = storage.get(name)
        is_needed = name in needed | {_OWN}
        keys[path] = _started(each).values() if is_needed else each.values()
        if driver is not None and driver.bus_type is not None:
            keys[rf"{path}\Parameters"] = {"BusType": driver.bus_type}
            keys[rf"{path}\Parameters\PnpInterface"] = {"5": 1}
        may_be_overridden = name in {*storage, "isapnp"} - {"disk"}
        if version >= (6, 2) and each.start == 0 and may_be_overridden and not is_needed:
            keys[rf"{path}\StartOverride"] = {"0": 3}
    return keys


def storage_bindings(version: tuple[int, int]) -> tuple[Binding, ...]:
    """What binds the controllers, channels and disks."""
    return tuple(
        Binding(each.ids, each.class_guid, each.service, each.inf, each.configuration, each.filters)
        for each in drivers(version)
        if each.ids
    )


def _started(service: Service) -> Service:
    """The service where it starts at boot; what is started on demand names its file in another way."""
    image = rf"system32\drivers\{service.image.rpartition(chr(92))[2]}"
    return service if service.start == 0 else replace(service, start=0, image=image)
