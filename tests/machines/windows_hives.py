"""What the SYSTEM and SOFTWARE hives of a Windows hold that decides whether it boots."""

import struct
import uuid
from enum import StrEnum

from msgspec import Struct

from tests.machines import inbox
from tests.machines.registry_text import Expand, Multi, RegistryValue, reg_text
from tests.machines.spec import Architecture, Hive, HiveState

SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
_DISK_DRIVE = "{4D36E967-E325-11CE-BFC1-08002BE10318}"
_IDE = "{4D36E96A-E325-11CE-BFC1-08002BE10318}"
_SYSTEM_DEVICE = "{4D36E97D-E325-11CE-BFC1-08002BE10318}"
_VOLUME = "{71A27CDD-812A-11D0-BEC7-08002BE2092F}"

LSI_LOGIC_DEVICE = "pci#ven_1000&dev_0030"
LSI_LOGIC_INSTANCE = r"PCI\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\3&61AAA01&0&80"

_PLUG_AND_PLAY, _VISTA, _DATABASE = (5, 0), (6, 0), (6, 2)

_GROUP_ORDER = (
    "System Reserved", "Boot Bus Extender", "System Bus Extender", "SCSI miniport", "Port", "Primary Disk",
    "SCSI Class", "SCSI CDROM Class", "FSFilter Infrastructure", "FSFilter System", "Filter", "Boot File System",
    "Base", "Pointer Port", "Keyboard Port", "Pointer Class", "Keyboard Class", "Video", "File System", "Event Log",
    "Streams Drivers", "NDIS", "TDI", "NetBIOSGroup", "PlugPlay", "NetworkProvider", "RemoteValidation",
)  # fmt: skip


class Release(Struct, frozen=True):
    """One Windows by its names and numbers; ``minor`` is the version of its hives."""

    product: str
    version: str
    build: str
    service_pack: str
    minor: int
    directory: str
    binaries: tuple[int, int, int, int]
    numbers: tuple[int, int] | None = None  # what Windows 10 and later write beside "6.3"

    @property
    def nt(self) -> tuple[int, int]:
        """The NT version."""
        major, _, minor = self.version.partition(".")
        return self.numbers or (int(major), int(minor))


WINDOWS_2000 = Release("Microsoft Windows 2000", "5.0", "2195", "Service Pack 4", 3, "WINNT", (5, 0, 2195, 6717))
WINDOWS_XP = Release("Microsoft Windows XP", "5.1", "2600", "Service Pack 3", 5, "WINDOWS", (5, 1, 2600, 5512))
SERVER_2003 = Release(
    "Microsoft Windows Server 2003", "5.2", "3790", "Service Pack 2", 5, "WINDOWS", (5, 2, 3790, 3959)
)

WINDOWS_VISTA = Release("Windows Vista Business", "6.0", "6002", "Service Pack 2", 5, "Windows", (6, 0, 6002, 18005))
WINDOWS_7 = Release("Windows 7 Professional", "6.1", "7601", "Service Pack 1", 5, "Windows", (6, 1, 7601, 17514))
WINDOWS_8 = Release("Windows 8 Pro", "6.2", "9200", "", 5, "Windows", (6, 2, 9200, 16384))
WINDOWS_8_1 = Release("Windows 8.1 Pro", "6.3", "9600", "", 5, "Windows", (6, 3, 9600, 16384))
WINDOWS_10 = Release("Windows 10 Pro", "6.3", "19044", "", 5, "Windows", (10, 0, 19041, 1288), (10, 0))
WINDOWS_11 = Release("Windows 10 Pro", "6.3", "22631", "", 5, "Windows", (10, 0, 22621, 1), (10, 0))
NT_4 = Release("", "4.0", "1381", "Service Pack 6", 3, "WINNT", (4, 0, 1381, 7000))


class Symmpi(StrEnum):
    """The state of the symmpi service in a control set."""

    ABSENT = "absent"
    IN_BOX = "in-box"  # as setup leaves the unused in-box miniports: disabled, and without an ImagePath
    READY = "ready"


class Instance(StrEnum):
    """What Enum remembers of an LSI Logic controller from another life."""

    NONE = "none"
    DISABLED = "disabled"  # ConfigFlags bit 0
    UNSERVICED = "unserviced"  # a ClassGUID and no Service: the kernel will not bind it again
    OTHER_SERVICE = "other service"


class ControlSet(Struct, frozen=True):
    """One control set and what it knows of the LSI Logic controller."""

    number: int
    symmpi: Symmpi = Symmpi.ABSENT
    binding: bool = False
    instance: Instance = Instance.NONE
    needed: frozenset[str] = frozenset()  # in-box drivers that a Windows 8 or later ran with, in lower case


class Select(Struct, frozen=True):
    """The Select key."""

    current: int = 1
    default: int = 1
    failed: int = 0
    last_known_good: int = 2


class Letter(Struct, frozen=True):
    """A drive letter in MountedDevices: the disk's signature and the partition's offset in bytes."""

    letter: str
    signature: int
    offset: int


class GptLetter(Struct, frozen=True):
    """A drive letter of a volume on a GPT disk, by the partition's GUID."""

    letter: str
    guid: str


class SystemFacts(Struct, frozen=True):
    """Everything a SYSTEM hive is made from."""

    release: Release
    arch: Architecture
    computer: str
    control_sets: tuple[ControlSet, ...]
    select: Select
    letters: tuple[Letter | GptLetter, ...]
    boot_device: str | None = None  # the ARC path that it last started from; Windows XP and later keep it


def system_hive(facts: SystemFacts, *, state: HiveState = HiveState.CLEAN) -> Hive:
    """The SYSTEM hive; like every offline one it has no CurrentControlSet."""
    keys: dict[str, dict[str, RegistryValue]] = {
        "Select": {
            "Current": facts.select.current,
            "Default": facts.select.default,
            "Failed": facts.select.failed,
            "LastKnownGood": facts.select.last_known_good,
        },
        "Setup": {
            "SystemSetupInProgress": 0,
            "SetupType": 0,
            "CmdLine": "",
            "SystemPartition": r"\Device\HarddiskVolume1",
        },
        "MountedDevices": _mounted_devices(facts.letters),
    }
    if facts.release.nt >= _DATABASE:
        keys |= inbox.database_keys(facts.release.nt, facts.arch)
    for control_set in facts.control_sets:
        prefix = f"ControlSet{control_set.number:03d}"
        for path, values in _control_set(facts, control_set).items():
            keys[f"{prefix}\\{path}"] = values
    return Hive(reg_text(keys), facts.release.minor, state)


def software_hive(release: Release, system_root: str) -> Hive:
    """The SOFTWARE hive of an installation whose own name for its directory is ``system_root`` ("D:\\WINDOWS")."""
    keys: dict[str, dict[str, RegistryValue]] = {
        r"Microsoft\Windows NT\CurrentVersion": {
            "ProductName": release.product,
            "CurrentVersion": release.version,
            "CurrentBuildNumber": release.build,
            "CurrentBuild": "1.511.1 () (Obsolete data - do not use)",
            "CSDVersion": release.service_pack,
            "CurrentType": "Multiprocessor Free",
            "PathName": system_root,
            "SystemRoot": system_root,
            "RegisteredOwner": "Operations",
            "InstallDate": 0x45D6_0000,
        },
        r"Microsoft\Windows\CurrentVersion": {
            "DevicePath": Expand(r"%SystemRoot%\inf"),
            "ProgramFilesDir": system_root[:2] + r"\Program Files",
        },
        r"Classes\.txt": {"": "txtfile"},
        r"Policies\Microsoft\Windows": {},
    }
    if release.numbers is not None:
        major, minor = release.numbers
        keys[r"Microsoft\Windows NT\CurrentVersion"] |= {
            "CurrentMajorVersionNumber": major, "CurrentMinorVersionNumber": minor,
        }  # fmt: skip
    return Hive(reg_text(keys), release.minor)


def symmpi_keys(state: Symmpi) -> dict[str, dict[str, RegistryValue]]:
    """The symmpi service below a control set, as setup leaves it (in-box) or installs it (ready)."""
    service = r"Services\symmpi"
    if state is Symmpi.ABSENT:
        return {}
    interface: dict[str, RegistryValue] = {"5": 1}
    if state is Symmpi.IN_BOX:
        return {
            service: {"ErrorControl": 1, "Group": "SCSI miniport", "Start": 4, "Tag": 33, "Type": 1},
            rf"{service}\Parameters\PnpInterface": interface,
        }
    return {
        service: {
            "ErrorControl": 1,
            "Group": "SCSI miniport",
            "Start": 0,
            "Tag": 33,
            "Type": 1,
            "ImagePath": Expand(r"system32\DRIVERS\symmpi.sys"),
        },
        rf"{service}\Parameters": {"BusType": 1},
        rf"{service}\Parameters\PnpInterface": interface,
        rf"{service}\Parameters\Device": {"DriverParameter": "EnablePseudoDevice=1;", "MaximumSGList": 0xFF},
    }


def binding_keys() -> dict[str, dict[str, RegistryValue]]:
    """The key that binds the LSI Logic controller to symmpi, below a control set."""
    path = rf"Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}"
    return {path: {"ClassGUID": SCSI_ADAPTER, "Service": "symmpi"}}


def _mounted_devices(letters: tuple[Letter | GptLetter, ...]) -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {}
    for index, entry in enumerate(letters):
        if isinstance(entry, GptLetter):
            data = b"DMIO:ID:" + uuid.UUID(entry.guid).bytes_le
        else:
            data = struct.pack("<IQ", entry.signature, entry.offset)
        values[rf"\??\Volume{{5f40939{index}-181b-11e2-be2d-806d6172696f}}"] = data
        values[rf"\DosDevices\{entry.letter}:"] = data
    return values


def _control_set(facts: SystemFacts, control_set: ControlSet) -> dict[str, dict[str, RegistryValue]]:
    keys = _control(facts) | _services(facts.release.nt) | _devices() | symmpi_keys(control_set.symmpi)
    if facts.release.nt >= _VISTA:
        keys |= inbox.service_keys(facts.release.nt, needed=control_set.needed)
    if control_set.binding:
        keys |= binding_keys()
    if control_set.instance is not Instance.NONE:
        keys[rf"Enum\{LSI_LOGIC_INSTANCE}"] = _lsi_logic_instance(control_set.instance)
    return keys


def _control(facts: SystemFacts) -> dict[str, dict[str, RegistryValue]]:
    processor = {Architecture.X86: "x86", Architecture.X64: "AMD64"}[facts.arch]
    product = "WinNT" if facts.release is WINDOWS_XP else "ServerNT"
    miniports = (0x00, 0x100, 0x101, 0x19, *range(1, 0x19), 0x1A, 0x21)
    keys: dict[str, dict[str, RegistryValue]] = {
        "Control": {"CurrentUser": "USERNAME", "SystemStartOptions": "FASTDETECT", "WaitToKillServiceTimeout": "20000"},
        r"Control\ComputerName\ComputerName": {"ComputerName": facts.computer},
        r"Control\ProductOptions": {"ProductType": product},
        r"Control\ServiceGroupOrder": {"List": Multi(_GROUP_ORDER)},
        r"Control\GroupOrderList": {
            "SCSI Miniport": struct.pack(f"<I{len(miniports)}I", len(miniports), *miniports),
            "SCSI Class": struct.pack("<4I", 3, 1, 2, 3),
        },
        r"Control\Session Manager": {"BootExecute": Multi(("autocheck autochk *",))},
        r"Control\Session Manager\Environment": {"PROCESSOR_ARCHITECTURE": processor, "windir": Expand("%SystemRoot%")},
        r"Control\Session Manager\Memory Management": {"PagingFiles": Multi((r"C:\pagefile.sys 384 768",))},
        rf"Control\Class\{_DISK_DRIVE}": {"": "Disk drives", "Class": "DiskDrive", "UpperFilters": Multi(("PartMgr",))},
        rf"Control\Class\{SCSI_ADAPTER}": {"": "SCSI and RAID controllers", "Class": "SCSIAdapter"},
        rf"Control\Class\{_VOLUME}": {"": "Storage volumes", "Class": "Volume"},
        r"Hardware Profiles\0001\Software": {},
    }
    if facts.boot_device is not None:
        keys["Control"] |= {"SystemBootDevice": facts.boot_device, "FirmwareBootDevice": facts.boot_device}
    keys |= _critical_devices(facts.release.nt)
    return keys


def _critical_devices(version: tuple[int, int]) -> dict[str, dict[str, RegistryValue]]:
    if version >= _DATABASE or version < _PLUG_AND_PLAY:
        return {}
    keys: dict[str, dict[str, RegistryValue]] = {}
    for device, class_guid, service in (
        ("gendisk", _DISK_DRIVE, "disk"),
        ("primary_ide_channel", _IDE, "atapi"),
        ("secondary_ide_channel", _IDE, "atapi"),
        ("pci#cc_0604", _SYSTEM_DEVICE, "pci"),
        ("pci#ven_101e&dev_1960", SCSI_ADAPTER, "mraid35x"),
        ("PCI#VEN_8086&DEV_7111", _IDE, "intelide"),
        ("storage#volume", _VOLUME, "volsnap"),
        ("*pnp0a03", _SYSTEM_DEVICE, "pci"),
    ):
        keys[rf"Control\CriticalDeviceDatabase\{device}"] = {"ClassGUID": class_guid, "Service": service}
    keys[r"Control\CriticalDeviceDatabase\*pnp0000"] = {"ClassGUID": _SYSTEM_DEVICE}
    if version < _VISTA:
        return keys
    later = inbox.critical_keys(version)
    known = {key.lower() for key in later}
    return {key: values for key, values in keys.items() if key.lower() not in known} | later


def _services(version: tuple[int, int]) -> dict[str, dict[str, RegistryValue]]:
    later = {each.service.lower() for each in inbox.drivers(version)} if version >= _VISTA else set()
    keys: dict[str, dict[str, RegistryValue]] = {}
    for name, start, group, tag, file in (
        ("ACPI", 0, "Boot Bus Extender", 1, "ACPI.sys"),
        ("PCI", 0, "Boot Bus Extender", 2, "pci.sys"),
        ("isapnp", 0, "Boot Bus Extender", 3, "isapnp.sys"),
        ("IntelIde", 0, "System Bus Extender", 4, "intelide.sys"),
        ("PartMgr", 0, "System Bus Extender", 5, ""),
        ("MountMgr", 0, "System Bus Extender", 8, ""),
        ("ftdisk", 0, "System Bus Extender", 9, "ftdisk.sys"),
        ("VolSnap", 0, "System Bus Extender", 10, ""),
        ("atapi", 0, "SCSI miniport", 25, "atapi.sys"),
        ("mraid35x", 0, "SCSI miniport", 26, "mraid35x.sys"),
        ("disk", 0, "SCSI Class", 2, "disk.sys"),
        ("Cdrom", 1, "SCSI CDROM Class", 2, "cdrom.sys"),
        ("buslogic", 4, "SCSI miniport", 5, ""),
        ("PCIIde", 4, "System Bus Extender", 3, ""),
    ):
        if name.lower() in later:
            continue
        values: dict[str, RegistryValue] = {"ErrorControl": 1, "Group": group, "Start": start, "Tag": tag, "Type": 1}
        if file:
            values["ImagePath"] = Expand(rf"system32\DRIVERS\{file}")
        keys[rf"Services\{name}"] = values
    keys[r"Services\Ntfs"] = {"ErrorControl": 1, "Group": "File system", "Start": 4, "Type": 2}
    keys[r"Services\mraid35x\Parameters\PnpInterface"] = {"5": 1}
    keys[r"Services\Eventlog"] = {"ImagePath": Expand(r"%SystemRoot%\system32\services.exe"), "Start": 2, "Type": 32}
    return keys


def _devices() -> dict[str, dict[str, RegistryValue]]:
    """Enum of the physical machine that this was: its RAID controller and its disk."""
    adapter = "PCI\\VEN_101E&DEV_1960"
    return {
        r"Enum\PCI\VEN_101E&DEV_1960&SUBSYS_04711028&REV_20\3&29E81982&0&40": {
            "HardwareID": Multi((f"{adapter}&SUBSYS_04711028&REV_20", f"{adapter}&SUBSYS_04711028")),
            "CompatibleIDs": Multi((f"{adapter}&REV_20", adapter)),
            "ClassGUID": SCSI_ADAPTER,
            "Class": "SCSIAdapter",
            "Service": "mraid35x",
            "ConfigFlags": 0,
        },
        r"Enum\SCSI\Disk&Ven_MegaRAID&Prod_LD_0_RAID5&Rev_1L37\4&1F7FB1A0&0&000": {
            "ClassGUID": _DISK_DRIVE,
            "Service": "disk",
            "ConfigFlags": 0,
        },
        r"Enum\Root\ftdisk\0000": {"ClassGUID": _SYSTEM_DEVICE, "Service": "ftdisk", "ConfigFlags": 0},
    }


def _lsi_logic_instance(instance: Instance) -> dict[str, RegistryValue]:
    device = "PCI\\VEN_1000&DEV_0030"
    values: dict[str, RegistryValue] = {
        "HardwareID": Multi((f"{device}&SUBSYS_197615AD&REV_01", f"{device}&SUBSYS_197615AD")),
        "CompatibleIDs": Multi((f"{device}&REV_01", device)),
        "ClassGUID": SCSI_ADAPTER,
        "ConfigFlags": 1 if instance is Instance.DISABLED else 0,
    }
    if instance is Instance.DISABLED:
        values["Service"] = "symmpi"
    elif instance is Instance.OTHER_SERVICE:
        values["Service"] = "lsimpt"
    return values
