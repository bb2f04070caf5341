r"""The drivers of Windows' own that every start goes through, whatever the controller: what real Windows say of them.

From the root of the devices to the boot volume: ACPI, the PCI bus, the partition and volume managers, the filters that
Windows itself puts on disks and volumes, the file systems; and what every controller of a kind has in common: the IDE
controllers and their channels, VMBus and its PCI bus, the disk. The values are those of real hives of NT 4 SP3, XP SP3,
7 SP1, 8.1 and 10 21H2. Of the releases between none is public: of them that counts as known in which the nearest ones
agree.
"""

from msgspec import Struct

from bootgraft.windows.versions import (
    FIRST_WITH_PLUG_AND_PLAY,
    NT4,
    VISTA,
    WINDOWS_7,
    WINDOWS_8_1,
    WINDOWS_10,
    XP,
)

BOOT_START = 0


class ShippedService(Struct, frozen=True):
    """A service as a release ships it; without ``image`` it has no ImagePath."""

    name: str
    start: int
    error_control: int
    type: int
    group: str
    image: str


_NT_4 = r"""
Ntfs 4 1 2 | File system | -
Fastfat 4 1 2 | Boot file system | -
Disk 0 0 1 | SCSI Class | -
atapi 0 1 1 | SCSI miniport | System32\DRIVERS\atapi.sys
"""
_XP = r"""
ACPI 0 1 1 | Boot Bus Extender | system32\DRIVERS\ACPI.sys
PCI 0 3 1 | Boot Bus Extender | system32\DRIVERS\pci.sys
PartMgr 0 1 1 | System Bus Extender | -
Ftdisk 0 1 1 | System Bus Extender | system32\DRIVERS\ftdisk.sys
MountMgr 0 1 1 | System Bus Extender | -
VolSnap 0 1 1 | System Bus Extender | -
Ntfs 4 1 2 | File system | -
Fastfat 4 1 2 | Boot file system | -
IntelIde 0 1 1 | System Bus Extender | system32\DRIVERS\intelide.sys
atapi 0 1 1 | SCSI miniport | system32\DRIVERS\atapi.sys
Disk 0 1 1 | SCSI Class | system32\DRIVERS\disk.sys
"""
_WINDOWS_7 = r"""
ACPI 0 3 1 | Boot Bus Extender | system32\drivers\ACPI.sys
pci 0 3 1 | Boot Bus Extender | system32\drivers\pci.sys
partmgr 0 3 1 | Boot Bus Extender | System32\drivers\partmgr.sys
volmgr 0 3 1 | System Bus Extender | system32\drivers\volmgr.sys
mountmgr 0 3 1 | System Bus Extender | System32\drivers\mountmgr.sys
volsnap 0 3 1 | - | system32\drivers\volsnap.sys
fvevol 0 3 1 | PnP Filter | System32\DRIVERS\fvevol.sys
rdyboost 0 3 1 | PnP Filter | System32\drivers\rdyboost.sys
storflt 0 1 1 | Extended Base | system32\drivers\vmstorfl.sys
Ntfs 3 1 2 | Boot File System | -
fastfat 3 1 2 | Boot File System | -
intelide 0 3 1 | System Bus Extender | system32\drivers\intelide.sys
pciide 3 3 1 | System Bus Extender | \SystemRoot\system32\drivers\pciide.sys
msahci 3 3 1 | SCSI Miniport | \SystemRoot\system32\drivers\msahci.sys
atapi 0 3 1 | SCSI Miniport | system32\drivers\atapi.sys
vmbus 0 1 1 | System Bus Extender | system32\drivers\vmbus.sys
disk 0 1 1 | - | system32\DRIVERS\disk.sys
"""
_WINDOWS_8_1 = r"""
ACPI 0 3 1 | Core | System32\drivers\ACPI.sys
pci 0 3 1 | Boot Bus Extender | System32\drivers\pci.sys
partmgr 0 3 1 | Boot Bus Extender | System32\drivers\partmgr.sys
volmgr 0 3 1 | System Bus Extender | System32\drivers\volmgr.sys
mountmgr 0 3 1 | System Bus Extender | System32\drivers\mountmgr.sys
volsnap 0 3 1 | - | System32\drivers\volsnap.sys
fvevol 0 3 1 | PnP Filter | System32\DRIVERS\fvevol.sys
rdyboost 0 3 1 | PnP Filter | System32\drivers\rdyboost.sys
EhStorClass 0 1 1 | SCSI Class | System32\drivers\EhStorClass.sys
storflt 0 1 1 | Extended Base | System32\drivers\vmstorfl.sys
Ntfs 3 1 2 | Boot File System | -
fastfat 3 1 2 | Boot File System | -
intelide 0 3 1 | System Bus Extender | System32\drivers\intelide.sys
pciide 0 3 1 | System Bus Extender | System32\drivers\pciide.sys
atapi 0 3 1 | SCSI Miniport | System32\drivers\atapi.sys
vmbus 0 1 1 | System Bus Extender | System32\drivers\vmbus.sys
vpci 3 1 1 | System Bus Extender | \SystemRoot\System32\drivers\vpci.sys
disk 0 1 1 | - | System32\drivers\disk.sys
"""
_WINDOWS_10 = rf"""{_WINDOWS_8_1}
volume 0 3 1 | - | System32\drivers\volume.sys
iorate 0 3 1 | PnP Filter | system32\drivers\iorate.sys
"""
_REAL = ((NT4, _NT_4), (XP, _XP), (WINDOWS_7, _WINDOWS_7), (WINDOWS_8_1, _WINDOWS_8_1), (WINDOWS_10, _WINDOWS_10))
"""The releases that a real hive is known of, oldest first."""

_DEVICES = ("ACPI", "pci", "partmgr", "mountmgr")
_VOLUMES = {FIRST_WITH_PLUG_AND_PLAY: ("ftdisk",), XP: ("ftdisk", "volsnap"), VISTA: ("volmgr", "volsnap")}
_SHIPPED_FILTERS = (
    ("partmgr", FIRST_WITH_PLUG_AND_PLAY),
    ("kbdclass", FIRST_WITH_PLUG_AND_PLAY),
    ("mouclass", FIRST_WITH_PLUG_AND_PLAY),
    ("redbook", FIRST_WITH_PLUG_AND_PLAY),
    ("imapi", FIRST_WITH_PLUG_AND_PLAY),
    ("volsnap", XP),
    ("ecache", VISTA),
    ("fvevol", VISTA),
    ("storflt", VISTA),
    ("rdyboost", WINDOWS_7),
    ("ehstorclass", WINDOWS_7),
    ("iorate", WINDOWS_10),
    ("bttflt", WINDOWS_10),
)
"""The names that Windows itself puts into lists of filters, and the first release that does."""


def path_services(version: tuple[int, int]) -> tuple[str, ...]:
    """The services between the root of the devices and the boot volume, those of controller and disk aside.

    They are driven by Plug and Play: NT 4 has none of them.
    """
    volumes = [names for first, names in _VOLUMES.items() if version >= first]
    return (*_DEVICES, *volumes[-1], *(("volume",) if version >= WINDOWS_10 else ())) if volumes else ()


def is_shipped_filter(name: str, version: tuple[int, int]) -> bool:
    """Whether Windows itself puts a filter driver of this name into a list."""
    return any(each == name.casefold() and version >= first for each, first in _SHIPPED_FILTERS)


def shipped_service(name: str, version: tuple[int, int]) -> tuple[ShippedService, bool] | None:
    """What the service of this name is shipped as, and whether that is known of this very release.

    It is where a real hive of the release is known or the nearest ones below and above agree; else the values are those
    of the nearest, and a guess. None where no release near has such a service.
    """
    exact = [text for version_, text in _REAL if version_ == version]
    if exact:
        found = _find(exact[0], name)
        return None if found is None else (found, True)
    below = [text for version_, text in _REAL if version_ < version][-1:]
    above = [text for version_, text in _REAL if version_ > version][:1]
    near = [found for text in (*below, *above) if (found := _find(text, name)) is not None]
    if not near:
        return None
    return near[-1], len(near) == len(below) + len(above) == 2 and _same(*near)


def _same(one: ShippedService, other: ShippedService) -> bool:
    return tuple(map(_folded, _values(one))) == tuple(map(_folded, _values(other)))


def _values(service: ShippedService) -> tuple[str | int, ...]:
    return service.start, service.error_control, service.type, service.group, service.image


def _folded(value: str | int) -> str | int:
    return value.casefold() if isinstance(value, str) else value


def _find(table: str, name: str) -> ShippedService | None:
    for line in table.split("\n"):
        numbers, _, rest = line.partition(" | ")
        if numbers.partition(" ")[0].casefold() == name.casefold() and rest:
            own, start, error_control, type_ = numbers.split()
            group, _, image = rest.partition(" | ")
            return ShippedService(own, int(start), int(error_control), int(type_), group.strip("-"), image.strip("-"))
    return None
