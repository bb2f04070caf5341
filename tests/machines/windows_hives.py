"""What the SYSTEM and SOFTWARE hives of a Windows hold that decides whether it boots."""

import struct
import uuid
from enum import StrEnum

from msgspec import Struct

from tests.machines import inbox
from tests.machines.bindings import (
    DISK_DRIVE,
    HDC,
    SCSI_ADAPTER,
    Binding,
    Keys,
    critical_keys,
    database_keys,
)
from tests.machines.control_keys import control_keys
from tests.machines.core_devices import class_keys, core_bindings, instance_keys
from tests.machines.load_order import load_order
from tests.machines.registry_text import Expand, Multi, RegistryValue, reg_text
from tests.machines.shipped_services import shipped
from tests.machines.spec import Architecture, Hive, HiveState

LSI_LOGIC_DEVICE = "pci#ven_1000&dev_0030"
LSI_LOGIC_INSTANCE = r"PCI\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\3&61AAA01&0&80"

_PLUG_AND_PLAY, _XP, _VISTA, _DATABASE = (5, 0), (5, 1), (6, 0), (6, 2)
_CONFIGURATION = "{4c4c4544-0042-3210-804d-c4c04f4e3232}"
"""What Windows 8 and later call the machine that this Windows ran on."""


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
        keys |= database_keys(_bindings(facts.release.nt), facts.release.nt, facts.arch)
        keys["HardwareConfig"] = {"LastConfig": _CONFIGURATION, "LastId": 0}
        keys[rf"HardwareConfig\{_CONFIGURATION}"] = {"Id": 0, "BootDriverFlags": 0}
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


def _control_set(facts: SystemFacts, control_set: ControlSet) -> Keys:
    version = facts.release.nt
    keys = _control(facts) | _services(version, control_set.needed) | instance_keys(version, facts.arch)
    keys |= _machine_instances(version) | symmpi_keys(control_set.symmpi)
    if control_set.binding:
        keys |= binding_keys()
    if control_set.instance is not Instance.NONE:
        keys[rf"Enum\{LSI_LOGIC_INSTANCE}"] = _lsi_logic_instance(control_set.instance)
    return keys


def _control(facts: SystemFacts) -> Keys:
    product = "WinNT" if facts.release is WINDOWS_XP else "ServerNT"
    version = facts.release.nt
    keys: Keys = {
        "Control": {"CurrentUser": "USERNAME", "SystemStartOptions": "FASTDETECT", "WaitToKillServiceTimeout": "20000"},
        r"Control\ComputerName\ComputerName": {"ComputerName": facts.computer},
        r"Control\ProductOptions": {"ProductType": product},
        r"Hardware Profiles\0001\Software": {},
    }
    if facts.boot_device is not None:
        keys["Control"] |= {"SystemBootDevice": facts.boot_device, "FirmwareBootDevice": facts.boot_device}
    keys |= load_order(version) | control_keys(version, facts.arch) | class_keys(version)
    if _PLUG_AND_PLAY <= version < _DATABASE:
        keys |= critical_keys(_bindings(version), facts.arch)
    return keys


def _bindings(version: tuple[int, int]) -> tuple[Binding, ...]:
    if version >= _VISTA:
        return (*inbox.storage_bindings(version), *core_bindings(version))
    return (
        Binding(("gendisk",), DISK_DRIVE, "disk"),
        Binding(("primary_ide_channel", "secondary_ide_channel"), HDC, "atapi"),
        Binding((r"pci\ven_8086&dev_7111",), HDC, "intelide"),
        Binding((r"pci\ven_101e&dev_1960",), SCSI_ADAPTER, "mraid35x"),
        *core_bindings(version),
    )


def _services(version: tuple[int, int], needed: frozenset[str]) -> Keys:
    if version >= _VISTA:
        return inbox.service_keys(version, needed=needed)
    keys = {rf"Services\{each.name}": each.values() for each in shipped(version)}
    keys[r"Services\mraid35x"] = {
        "ErrorControl": 1, "Group": "SCSI miniport", "Start": 0, "Tag": 43, "Type": 1,
        "ImagePath": Expand(r"system32\DRIVERS\mraid35x.sys"),
    }  # fmt: skip
    keys[r"Services\mraid35x\Parameters\PnpInterface"] = {"5": 1}
    if version < _XP:
        keys[r"Services\buslogic"] = {"ErrorControl": 1, "Group": "SCSI miniport", "Start": 4, "Tag": 27, "Type": 1}
    return keys


def _machine_instances(version: tuple[int, int]) -> Keys:
    """Enum of the physical machine that this was: its RAID controller and its disk. NT 4 lists no devices."""
    if version < _PLUG_AND_PLAY:
        return {}
    is_later = version >= _VISTA
    adapter, service = (r"PCI\VEN_8086&DEV_2682", "iaStorV") if is_later else (r"PCI\VEN_101E&DEV_1960", "mraid35x")
    own = "SUBSYS_01DC1028&REV_09" if is_later else "SUBSYS_04711028&REV_20"
    revision = own.rpartition("&")[2]
    kind = "CC_0104"
    disk = "Disk&Ven_Intel&Prod_Raid_0_Volume&Rev_1.0." if is_later else "Disk&Ven_MegaRAID&Prod_LD_0_RAID5&Rev_1L37"
    return {
        rf"Enum\{adapter}&{own}\3&29E81982&0&40": {
            "HardwareID": Multi(
                (f"{adapter}&{own}", f"{adapter}&{own.partition('&')[0]}", f"{adapter}&{kind}00", f"{adapter}&{kind}")
            ),
            "CompatibleIDs": Multi((f"{adapter}&{revision}", adapter)),
            "ClassGUID": SCSI_ADAPTER,
            "Class": "SCSIAdapter",
            "Service": service,
            "ConfigFlags": 0,
        },
        rf"Enum\SCSI\{disk}\4&1F7FB1A0&0&000": {
            "HardwareID": Multi((rf"SCSI\{disk.replace(chr(38), '')}", "GenDisk")),
            "ClassGUID": DISK_DRIVE,
            "Service": "disk",
            "ConfigFlags": 0,
        },
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
