r"""The devices that every Windows starts on, whatever its disk controller: classes with filters, bindings, instances.

As real hives of Windows NT 4, XP, 7, 8.1 and 10 hold them; Server 2003 as the HIVESYS.INF and TXTSETUP.SIF of its kin,
XP x64, have them.
"""

from msgspec.structs import replace

from tests.machines.bindings import (
    CDROM,
    COMPUTER,
    DISK_DRIVE,
    HDC,
    KEYBOARD,
    MOUSE,
    SCSI_ADAPTER,
    SYSTEM_DEVICE,
    VOLUME,
    Binding,
    Keys,
)
from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.spec import Architecture

_CLASSES = (
    (CDROM, "CDROM", "DVD/CD-ROM drives"),
    (COMPUTER, "Computer", "Computer"),
    (DISK_DRIVE, "DiskDrive", "Disk drives"),
    (HDC, "hdc", "IDE ATA/ATAPI controllers"),
    (KEYBOARD, "Keyboard", "Keyboards"),
    (MOUSE, "Mouse", "Mice and other pointing devices"),
    (SCSI_ADAPTER, "SCSIAdapter", "SCSI and RAID controllers"),
    (SYSTEM_DEVICE, "System", "System devices"),
    (VOLUME, "Volume", "Storage volumes"),
)
_NT_4_CLASSES = (
    (KEYBOARD, "Keyboard", "Keyboard"),
    (MOUSE, "Mouse", "Mouse"),
    (SCSI_ADAPTER, "SCSIAdapter", "SCSI controllers"),
)
# Upper and lower filters by class, of the first release that has them and those that follow.
_FILTERS: tuple[tuple[tuple[int, int], str, str, str], ...] = (
    ((5, 0), KEYBOARD, "kbdclass", ""),
    ((5, 0), MOUSE, "mouclass", ""),
    ((5, 0), DISK_DRIVE, "PartMgr", ""),
    ((6, 2), DISK_DRIVE, "PartMgr", "EhStorClass"),
    ((10, 0), DISK_DRIVE, "partmgr", "EhStorClass"),
    ((5, 1), VOLUME, "VolSnap", ""),
    ((5, 2), VOLUME, "", ""),
    ((6, 0), VOLUME, "", "fvevol Ecache"),
    ((6, 1), VOLUME, "", "fvevol rdyboost"),
    ((10, 0), VOLUME, "volsnap", "fvevol iorate rdyboost"),
)

_EVERY: tuple[Binding, ...] = (
    Binding((r"PCI\CC_0604",), SYSTEM_DEVICE, "pci", "machine.inf", "PCI_DRV"),
    Binding(("*PNP0C08",), SYSTEM_DEVICE, "ACPI", "acpi.inf", "ACPI_Inst.NT"),
    Binding(("GenCdRom",), CDROM, "cdrom", "cdrom.inf", "cdrom_install"),
    Binding(("*PNP0303",), KEYBOARD, "i8042prt", "keyboard.inf", "STANDARD_Inst"),
    Binding(("*PNP0F13",), MOUSE, "i8042prt", "msmouse.inf", "PS2_Inst"),
    Binding(("*PNP0000",), SYSTEM_DEVICE, "", "machine.inf", "NO_DRV_PIC"),
)
_NT_5 = (
    Binding(("*PNP0A03",), SYSTEM_DEVICE, "pci"),
    Binding((r"Root\ftdisk",), SYSTEM_DEVICE, "ftdisk"),
    Binding((r"Root\dmio",), SYSTEM_DEVICE, "dmio"),
    Binding(("PS2_KEYBOARD",), KEYBOARD, "i8042prt"),
    Binding(("PS2_MOUSE",), MOUSE, "i8042prt"),
    Binding((r"PCI\VEN_8086&DEV_7110&CC_0601",), SYSTEM_DEVICE, "isapnp"),
)
_VOLUME_OF_2003 = Binding((r"STORAGE\Volume",), VOLUME, "volsnap")
_SINCE_VISTA = (
    Binding(("*PNP0A03", "*PNP0A08"), SYSTEM_DEVICE, "pci", "machine.inf", "PCI_DRV_ROOT"),
    Binding((r"PCI\CC_0601",), SYSTEM_DEVICE, "msisadrv", "machine.inf", "MSISADRV"),
)
_VISTA_AND_7 = (
    Binding((r"Root\VOLMGR",), SYSTEM_DEVICE, "volmgr", "machine.inf", "Volmgr"),
    Binding((r"STORAGE\Volume",), VOLUME, "volsnap", "volume.inf", "volume_install.NT"),
)
_SINCE_8 = (
    Binding((r"Root\VOLMGR",), SYSTEM_DEVICE, "volmgr", "volmgr.inf", "Volmgr"),
    Binding((r"Root\Spaceport",), SCSI_ADAPTER, "spaceport", "spaceport.inf", "Spaceport_Install"),
    Binding(("ACPIAPIC",), COMPUTER, "", "hal.inf", "ACPI_AMD64_HAL"),
)
_VDRVROOT = {
    (6, 1): Binding((r"Root\VDRVROOT",), SYSTEM_DEVICE, "vdrvroot", "machine.inf", "VDRVROOT"),
    (6, 2): Binding((r"Root\VDRVROOT",), SYSTEM_DEVICE, "vdrvroot", "vdrvroot.inf", "VDRVROOT"),
}
_VOLUME_OF_8 = Binding((r"STORAGE\Volume",), VOLUME, "volsnap", "volume.inf", "volume_install.NTamd64")
_VOLUME_OF_10 = Binding((r"STORAGE\Volume",), VOLUME, "volume", "volume.inf", "volume_install.NT")
_OWN_INF_OF_PCI = {"PCI_DRV": "PCI_BRIDGE", "PCI_DRV_ROOT": "PCI_ROOT"}  # since Windows 10 it is pci.inf


def class_keys(version: tuple[int, int]) -> Keys:
    """The setup classes of the devices that a start goes through, with their filters, below a control set."""
    keys: Keys = {}
    for guid, name, title in _CLASSES if version >= (5, 0) else _NT_4_CLASSES:
        values: dict[str, RegistryValue] = {"Class": name} if version >= (6, 2) else {"": title, "Class": name}
        for side, filters in zip(("UpperFilters", "LowerFilters"), _filters(guid, version), strict=True):
            if filters:
                values[side] = Multi(filters)
        keys[rf"Control\Class\{guid.lower() if version >= (6, 2) else guid}"] = values
    return keys


def core_bindings(version: tuple[int, int]) -> tuple[Binding, ...]:
    """What binds the devices of the board, the PCI root bus and the volumes. NT 4 binds nothing."""
    if version < (5, 0):
        return ()
    if version < (6, 0):
        volume = (_VOLUME_OF_2003,) if version == (5, 2) else ()
        older = (*_EVERY, *_NT_5, *volume)
        return tuple(replace(each, ids=tuple(map(str.lower, each.ids)), inf="") for each in older)
    vdrvroot = tuple(each for first, each in sorted(_VDRVROOT.items(), reverse=True) if version >= first)[:1]
    if version < (6, 2):
        return (*_EVERY, *_SINCE_VISTA, *_VISTA_AND_7, *vdrvroot)
    if version < (10, 0):
        return (*_EVERY, *_SINCE_VISTA, *_SINCE_8, *vdrvroot, _VOLUME_OF_8)
    everything = (*_EVERY, *_SINCE_VISTA, *_SINCE_8, *vdrvroot, _VOLUME_OF_10)
    return tuple(map(_of_windows_10, everything))


def instance_keys(version: tuple[int, int], arch: Architecture) -> Keys:
    """What ``Enum`` remembers of the board of the physical machine, below a control set."""
    if version < (5, 0):
        return _legacy_keys("ATAPI", "MRAID35X", "DISK", "BEEP", "NULL")
    root = "ROOT" if version >= (6, 2) else "Root"
    is_express = version >= (6, 0)
    bus, other = ("PNP0A08", "*PNP0A03") if is_express else ("PNP0A03", "")
    long = (rf"ACPI\VEN_{bus[:3]}&DEV_{bus[3:]}",) if version >= (6, 2) else ()
    hal = "acpiapic" if version >= (6, 2) or arch is Architecture.X64 else "acpiapic_mp"
    keys: Keys = {
        rf"Enum\{root}\ACPI_HAL\0000": _detected("ACPI_HAL", r"\Driver\ACPI_HAL", COMPUTER, hal),
        r"Enum\ACPI_HAL\PNP0C08\0": _device((r"ACPI_HAL\PNP0C08", "*PNP0C08"), SYSTEM_DEVICE, "ACPI"),
        rf"Enum\ACPI\{bus}\0": _device((*long, rf"ACPI\{bus}", f"*{bus}"), SYSTEM_DEVICE, "pci", other),
    }
    if version < (6, 0):
        keys |= _legacy_keys("PARTMGR", "MOUNTMGR")
    for name, class_guid, first, last in (
        ("ftdisk", SYSTEM_DEVICE, (5, 0), (5, 2)),
        ("dmio", SYSTEM_DEVICE, (5, 0), (5, 2)),
        ("volmgr", SYSTEM_DEVICE, (6, 0), (10, 0)),
        ("vdrvroot", SYSTEM_DEVICE, (6, 1), (10, 0)),
        ("spaceport", SCSI_ADAPTER, (6, 2), (10, 0)),
    ):
        if first <= version <= last:
            keys[rf"Enum\{root}\{name}\0000"] = _detected(name, name, class_guid, rf"ROOT\{name.upper()}")
    return keys


def _filters(guid: str, version: tuple[int, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    upper = lower = ""
    for first, class_guid, above, below in _FILTERS:
        if class_guid == guid and first <= version:
            upper, lower = above, below
    return tuple(upper.split()), tuple(lower.split())


def _of_windows_10(binding: Binding) -> Binding:
    configuration = _OWN_INF_OF_PCI.get(binding.configuration)
    return binding if configuration is None else replace(binding, inf="pci.inf", configuration=configuration)


def _device(ids: tuple[str, ...], class_guid: str, service: str, compatible: str = "") -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {
        "HardwareID": Multi(ids), "ClassGUID": class_guid, "Service": service, "ConfigFlags": 0,
    }  # fmt: skip
    return values | ({"CompatibleIDs": Multi((compatible,))} if compatible else {})


def _detected(name: str, service: str, class_guid: str, hardware_id: str) -> dict[str, RegistryValue]:
    values = _device((hardware_id,), class_guid, service)
    return values | {"CompatibleIDs": Multi((rf"DETECTEDInternal\{name}", rf"DETECTED\{name}"))}


def _legacy_keys(*names: str) -> Keys:
    return {
        rf"Enum\Root\LEGACY_{name}\0000": {
            "Service": name.capitalize(), "Legacy": 1, "ConfigFlags": 0, "Class": "LegacyDriver",
            "ClassGUID": "{8ECC055D-047F-11D1-A537-0000F8753ED1}",
        }
        for name in names
    }  # fmt: skip
