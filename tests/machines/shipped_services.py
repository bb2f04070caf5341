r"""The services that Windows ships and that a start is made of, as real hives of their generation hold them.

One line each: name, Start, ErrorControl, Type, Tag, group and ImagePath, "-" where there is none. Storage drivers stand
at what the machine of that hive, which did without most of them, had left them at.
"""

from msgspec import Struct

from tests.machines.registry_text import Expand, RegistryValue


class Service(Struct, frozen=True):
    """One service. ``image`` is the ImagePath as it is written there; without one, the file has the service's name."""

    name: str
    start: int
    error_control: int
    type: int
    tag: int | None
    group: str
    image: str

    @property
    def file(self) -> str:
        """The file below the Windows directory, its folders spelt as they are on every volume here."""
        image = self.image or rf"system32\drivers\{self.name}.sys"
        for root in ("\\SystemRoot\\", "%SystemRoot%\\"):
            image = image.removeprefix(root)
        for folder in ("system32\\", "system32\\drivers\\"):
            if image.casefold().startswith(folder):
                image = folder + image[len(folder) :]
        return image.partition(" ")[0]

    def values(self) -> dict[str, RegistryValue]:
        """The values of its key."""
        numbers: dict[str, RegistryValue] = {
            "ErrorControl": self.error_control, "Start": self.start, "Type": self.type,
        }  # fmt: skip
        if self.group:
            numbers["Group"] = self.group
        if self.tag is not None:
            numbers["Tag"] = self.tag
        return numbers | ({"ImagePath": Expand(self.image)} if self.image else {})


_NT_4 = r"""
atapi 0 1 1 25 | SCSI miniport | System32\DRIVERS\atapi.sys
Atdisk 4 0 1 1 | Primary disk | -
Beep 1 1 1 2 | Base | -
Cdfs 4 1 2 - | File system | -
Cdrom 1 0 1 2 | SCSI CDROM Class | -
Disk 0 0 1 2 | SCSI Class | -
Fastfat 4 1 2 - | Boot file system | -
Floppy 1 0 1 2 | Primary disk | -
Fs_Rec 1 0 8 - | Boot file system | -
Ftdisk 4 0 1 3 | Filter | -
i8042prt 1 1 1 2 | Keyboard Port | System32\DRIVERS\i8042prt.sys
Kbdclass 1 1 1 1 | Keyboard Class | System32\DRIVERS\kbdclass.sys
KSecDD 1 1 1 1 | Base | -
Mouclass 1 1 1 1 | Pointer Class | System32\DRIVERS\mouclass.sys
Msfs 1 1 2 - | File system | -
Mup 3 1 2 - | Network | \SystemRoot\System32\drivers\mup.sys
NDIS 1 1 1 - | NDIS | -
Npfs 1 1 2 - | File system | -
Ntfs 4 1 2 - | File system | -
Null 1 1 1 1 | Base | -
VgaSave 1 0 1 1 | Video Save | \SystemRoot\System32\drivers\vga.sys
EventLog 2 1 32 - | Event log | %SystemRoot%\system32\services.exe
"""
_XP = r"""
ACPI 0 1 1 1 | Boot Bus Extender | system32\DRIVERS\ACPI.sys
atapi 0 1 1 25 | SCSI miniport | system32\DRIVERS\atapi.sys
Atdisk 4 0 1 1 | Primary disk | -
Beep 1 1 1 2 | Base | -
Cdfs 4 1 2 - | File system | -
Cdrom 1 1 1 2 | SCSI CDROM Class | system32\DRIVERS\cdrom.sys
Disk 0 1 1 2 | SCSI Class | system32\DRIVERS\disk.sys
dmboot 4 1 1 11 | Filter | System32\drivers\dmboot.sys
dmio 0 1 1 13 | System Bus Extender | System32\drivers\dmio.sys
dmload 0 1 1 12 | System Bus Extender | System32\drivers\dmload.sys
Fastfat 4 1 2 - | Boot file system | -
FltMgr 0 1 2 1 | FSFilter Infrastructure | system32\drivers\fltmgr.sys
Fs_Rec 1 0 8 - | Boot file system | -
Ftdisk 0 1 1 9 | System Bus Extender | system32\DRIVERS\ftdisk.sys
i8042prt 1 1 1 4 | Keyboard Port | system32\DRIVERS\i8042prt.sys
IntelIde 0 1 1 4 | System Bus Extender | system32\DRIVERS\intelide.sys
isapnp 0 3 1 3 | Boot Bus Extender | system32\DRIVERS\isapnp.sys
Kbdclass 1 1 1 1 | Keyboard Class | system32\DRIVERS\kbdclass.sys
KSecDD 0 1 1 1 | Base | -
Mouclass 1 1 1 1 | Pointer Class | system32\DRIVERS\mouclass.sys
MountMgr 0 1 1 8 | System Bus Extender | -
Msfs 1 1 2 - | File system | -
Mup 0 1 2 2 | Network | -
NDIS 0 1 1 - | NDIS Wrapper | -
Npfs 1 1 2 - | File system | -
Ntfs 4 1 2 - | File system | -
Null 1 1 1 1 | Base | -
PartMgr 0 1 1 5 | System Bus Extender | -
PCI 0 3 1 2 | Boot Bus Extender | system32\DRIVERS\pci.sys
PCIIde 4 1 1 3 | System Bus Extender | -
Tcpip 1 1 1 3 | PNP_TDI | system32\DRIVERS\tcpip.sys
VgaSave 1 0 1 1 | Video Save | \SystemRoot\System32\drivers\vga.sys
VolSnap 0 1 1 - | System Bus Extender | -
Eventlog 2 1 32 - | Event log | %SystemRoot%\system32\services.exe
mraid35x 4 1 1 43 | SCSI miniport | -
"""
_WINDOWS_7 = r"""
ACPI 0 3 1 1 | Boot Bus Extender | system32\drivers\ACPI.sys
atapi 0 3 1 33 | SCSI Miniport | system32\drivers\atapi.sys
Beep 1 1 1 2 | Base | -
cdfs 4 1 2 - | Boot File System | system32\DRIVERS\cdfs.sys
cdrom 1 1 1 3 | SCSI CDROM Class | \SystemRoot\system32\drivers\cdrom.sys
CLFS 0 3 1 1 | Filter | System32\CLFS.sys
CNG 0 3 1 2 | Base | System32\Drivers\cng.sys
Disk 0 1 1 - | - | system32\DRIVERS\disk.sys
fastfat 3 1 2 - | Boot File System | -
FileInfo 0 1 2 - | FSFilter Bottom | system32\drivers\fileinfo.sys
FltMgr 0 3 2 1 | FSFilter Infrastructure | system32\drivers\fltmgr.sys
Fs_Rec 0 0 8 - | File System | -
fvevol 0 3 1 5 | PnP Filter | System32\DRIVERS\fvevol.sys
hwpolicy 0 1 1 - | - | System32\drivers\hwpolicy.sys
i8042prt 3 1 1 4 | Keyboard Port | \SystemRoot\system32\drivers\i8042prt.sys
iaStorV 3 1 1 25 | SCSI Miniport | \SystemRoot\system32\drivers\iaStorV.sys
intelide 0 3 1 4 | System Bus Extender | system32\drivers\intelide.sys
isapnp 3 3 1 - | Boot Bus Extender | \SystemRoot\system32\drivers\isapnp.sys
kbdclass 3 1 1 2 | Keyboard Class | \SystemRoot\system32\drivers\kbdclass.sys
KSecDD 0 3 1 1 | Base | System32\Drivers\ksecdd.sys
KSecPkg 0 3 1 2 | Cryptography | System32\Drivers\ksecpkg.sys
LSI_SAS 0 1 1 64 | SCSI Miniport | \SystemRoot\system32\drivers\lsi_sas.sys
LSI_SCSI 0 1 1 34 | SCSI Miniport | system32\drivers\lsi_scsi.sys
megasas 3 1 1 - | SCSI Miniport | \SystemRoot\system32\DRIVERS\megasas.sys
mouclass 3 1 1 2 | Pointer Class | \SystemRoot\system32\drivers\mouclass.sys
mountmgr 0 3 1 - | System Bus Extender | System32\drivers\mountmgr.sys
msahci 3 3 1 - | SCSI Miniport | \SystemRoot\system32\drivers\msahci.sys
Msfs 1 1 2 - | File system | -
msisadrv 0 3 1 2 | Boot Bus Extender | system32\drivers\msisadrv.sys
Mup 0 1 2 - | Network | System32\Drivers\mup.sys
NDIS 0 3 1 - | NDIS Wrapper | system32\drivers\ndis.sys
Npfs 1 1 2 - | File system | -
Ntfs 3 1 2 - | Boot File System | -
Null 1 1 1 1 | Base | -
partmgr 0 3 1 - | Boot Bus Extender | System32\drivers\partmgr.sys
pci 0 3 1 3 | Boot Bus Extender | system32\drivers\pci.sys
pciide 3 3 1 - | System Bus Extender | \SystemRoot\system32\drivers\pciide.sys
pcw 0 1 1 - | Base | System32\drivers\pcw.sys
rdyboost 0 3 1 2 | PnP Filter | System32\drivers\rdyboost.sys
spldr 0 3 1 - | - | -
storflt 0 1 1 - | Extended Base | system32\drivers\vmstorfl.sys
storvsc 3 1 1 - | Base | \SystemRoot\system32\drivers\storvsc.sys
Tcpip 0 1 1 3 | PNP_TDI | System32\drivers\tcpip.sys
vdrvroot 0 3 1 6 | Boot Bus Extender | system32\drivers\vdrvroot.sys
VgaSave 1 0 1 1 | Video Save | \SystemRoot\System32\drivers\vga.sys
vmbus 0 1 1 - | System Bus Extender | system32\drivers\vmbus.sys
volmgr 0 3 1 9 | System Bus Extender | system32\drivers\volmgr.sys
volmgrx 0 3 1 10 | System Bus Extender | System32\drivers\volmgrx.sys
volsnap 0 3 1 - | - | system32\drivers\volsnap.sys
Wdf01000 0 1 1 - | WdfLoadGroup | system32\drivers\Wdf01000.sys
eventlog 2 1 32 - | Event Log | %SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted
"""
_WINDOWS_8_1 = r"""
ACPI 0 3 1 2 | Core | System32\drivers\ACPI.sys
acpiex 0 3 1 7 | Boot Bus Extender | System32\Drivers\acpiex.sys
atapi 0 3 1 83 | SCSI Miniport | System32\drivers\atapi.sys
BasicDisplay 1 0 1 4 | Video | \SystemRoot\System32\drivers\BasicDisplay.sys
Beep 1 1 1 2 | Base | -
cdfs 4 1 2 - | Boot File System | system32\DRIVERS\cdfs.sys
cdrom 1 1 1 3 | SCSI CDROM Class | \SystemRoot\System32\drivers\cdrom.sys
CLFS 0 3 1 1 | Filter | System32\drivers\CLFS.sys
CNG 0 3 1 4 | Core | System32\Drivers\cng.sys
disk 0 1 1 - | - | System32\drivers\disk.sys
EhStorClass 0 1 1 - | SCSI Class | System32\drivers\EhStorClass.sys
fastfat 3 1 2 - | Boot File System | -
FileInfo 0 1 2 - | FSFilter Bottom | System32\drivers\fileinfo.sys
FltMgr 0 3 2 1 | FSFilter Infrastructure | system32\drivers\fltmgr.sys
Fs_Rec 0 0 8 - | File System | -
fvevol 0 3 1 5 | PnP Filter | System32\DRIVERS\fvevol.sys
hwpolicy 0 0 1 - | - | System32\drivers\hwpolicy.sys
i8042prt 3 1 1 5 | Keyboard Port | \SystemRoot\System32\drivers\i8042prt.sys
iaStorV 0 1 1 25 | SCSI Miniport | System32\drivers\iaStorV.sys
intelide 0 3 1 19 | System Bus Extender | System32\drivers\intelide.sys
intelpep 0 1 1 - | - | System32\drivers\intelpep.sys
isapnp 0 3 1 10 | Boot Bus Extender | System32\drivers\isapnp.sys
kbdclass 3 1 1 - | - | \SystemRoot\System32\drivers\kbdclass.sys
KSecDD 0 3 1 1 | Base | System32\Drivers\ksecdd.sys
KSecPkg 0 3 1 2 | Cryptography | System32\Drivers\ksecpkg.sys
LSI_SAS 0 1 1 34 | SCSI Miniport | System32\drivers\lsi_sas.sys
megasas 0 1 1 70 | SCSI Miniport | System32\drivers\megasas.sys
mouclass 3 1 1 - | - | \SystemRoot\System32\drivers\mouclass.sys
mountmgr 0 3 1 - | System Bus Extender | System32\drivers\mountmgr.sys
Msfs 1 1 2 - | File system | -
msisadrv 0 3 1 2 | Boot Bus Extender | System32\drivers\msisadrv.sys
Mup 0 1 2 - | Network | System32\Drivers\mup.sys
NDIS 0 3 1 - | NDIS Wrapper | system32\drivers\ndis.sys
Npfs 1 1 2 - | File system | -
Ntfs 3 1 2 - | Boot File System | -
Null 1 1 1 1 | Base | -
partmgr 0 3 1 - | Boot Bus Extender | System32\drivers\partmgr.sys
pci 0 3 1 3 | Boot Bus Extender | System32\drivers\pci.sys
pciide 0 3 1 18 | System Bus Extender | System32\drivers\pciide.sys
pcw 0 1 1 - | Base | System32\drivers\pcw.sys
pdc 0 3 1 - | Boot Bus Extender | system32\drivers\pdc.sys
rdyboost 0 3 1 - | PnP Filter | System32\drivers\rdyboost.sys
spaceport 0 3 1 8 | System Bus Extender | System32\drivers\spaceport.sys
storahci 0 3 1 84 | SCSI Miniport | System32\drivers\storahci.sys
storflt 0 1 1 43 | Extended Base | system32\DRIVERS\vmstorfl.sys
stornvme 0 3 1 85 | SCSI Miniport | System32\drivers\stornvme.sys
storvsc 0 1 1 17 | Base | System32\drivers\storvsc.sys
Tcpip 0 1 1 3 | PNP_TDI | System32\drivers\tcpip.sys
vdrvroot 0 3 1 11 | Boot Bus Extender | System32\drivers\vdrvroot.sys
vmbus 0 1 1 6 | System Bus Extender | System32\drivers\vmbus.sys
vpci 3 1 1 15 | System Bus Extender | \SystemRoot\System32\drivers\vpci.sys
volmgr 0 3 1 9 | System Bus Extender | System32\drivers\volmgr.sys
volmgrx 0 3 1 10 | System Bus Extender | System32\drivers\volmgrx.sys
volsnap 0 3 1 - | - | System32\drivers\volsnap.sys
Wdf01000 0 1 1 - | WdfLoadGroup | system32\drivers\Wdf01000.sys
WdBoot 0 1 1 - | Early-Launch | system32\drivers\WdBoot.sys
WdFilter 0 1 2 - | FSFilter Anti-Virus | system32\drivers\WdFilter.sys
WFPLWFS 0 1 1 19 | NDIS | system32\DRIVERS\wfplwfs.sys
Wof 0 1 2 - | FSFilter Compression | -
EventLog 2 1 32 - | Event Log | %SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted
"""
_WINDOWS_10 = r"""
ACPI 0 3 1 2 | Core | System32\drivers\ACPI.sys
acpiex 0 3 1 7 | Boot Bus Extender | System32\Drivers\acpiex.sys
atapi 0 3 1 30 | SCSI Miniport | System32\drivers\atapi.sys
Beep 1 1 1 2 | Base | -
cdfs 4 1 2 - | Boot File System | system32\DRIVERS\cdfs.sys
cdrom 1 1 1 1 | SCSI CDROM Class | \SystemRoot\System32\drivers\cdrom.sys
CLFS 0 3 1 1 | Filter | System32\drivers\CLFS.sys
CNG 0 3 1 4 | Core | System32\Drivers\cng.sys
disk 0 1 1 - | - | System32\drivers\disk.sys
EhStorClass 0 1 1 - | SCSI Class | System32\drivers\EhStorClass.sys
fastfat 3 1 2 - | Boot File System | -
FileInfo 0 1 2 - | FSFilter Bottom | System32\drivers\fileinfo.sys
FltMgr 0 3 2 1 | FSFilter Infrastructure | system32\drivers\fltmgr.sys
Fs_Rec 0 0 8 - | File System | -
fvevol 0 3 1 5 | PnP Filter | System32\DRIVERS\fvevol.sys
hwpolicy 0 0 1 - | - | System32\drivers\hwpolicy.sys
i8042prt 3 1 1 1 | Keyboard Port | \SystemRoot\System32\drivers\i8042prt.sys
iaStorV 0 1 1 25 | SCSI Miniport | System32\drivers\iaStorV.sys
intelide 0 3 1 9 | System Bus Extender | System32\drivers\intelide.sys
intelpep 0 1 1 1 | Core Security Extensions | System32\drivers\intelpep.sys
iorate 0 3 1 - | PnP Filter | system32\drivers\iorate.sys
isapnp 0 3 1 3 | Boot Bus Extender | System32\drivers\isapnp.sys
kbdclass 3 1 1 - | - | \SystemRoot\System32\drivers\kbdclass.sys
KSecDD 0 3 1 1 | Base | System32\Drivers\ksecdd.sys
KSecPkg 0 3 1 2 | Cryptography | System32\Drivers\ksecpkg.sys
LSI_SAS 0 1 1 9 | SCSI Miniport | System32\drivers\lsi_sas.sys
megasas 0 1 1 13 | SCSI Miniport | System32\drivers\megasas.sys
mouclass 3 1 1 - | - | \SystemRoot\System32\drivers\mouclass.sys
mountmgr 0 3 1 - | System Bus Extender | System32\drivers\mountmgr.sys
Msfs 1 1 2 - | File system | -
MsSecFlt 0 1 1 - | Filter | system32\drivers\mssecflt.sys
msisadrv 0 3 1 2 | Boot Bus Extender | System32\drivers\msisadrv.sys
Mup 0 1 2 - | Network | System32\Drivers\mup.sys
NDIS 0 3 1 - | NDIS Wrapper | system32\drivers\ndis.sys
Npfs 1 1 2 - | File system | -
Ntfs 3 1 2 - | Boot File System | -
Null 1 1 1 1 | Base | -
partmgr 0 3 1 - | Boot Bus Extender | System32\drivers\partmgr.sys
pci 0 3 1 3 | Boot Bus Extender | System32\drivers\pci.sys
pciide 0 3 1 8 | System Bus Extender | System32\drivers\pciide.sys
pcw 0 1 1 - | System Reserved | System32\drivers\pcw.sys
pdc 0 3 1 - | Boot Bus Extender | system32\drivers\pdc.sys
rdyboost 0 3 1 - | PnP Filter | System32\drivers\rdyboost.sys
SgrmAgent 0 1 1 - | - | system32\drivers\SgrmAgent.sys
spaceport 0 3 1 8 | System Bus Extender | System32\drivers\spaceport.sys
storahci 0 3 1 31 | SCSI Miniport | System32\drivers\storahci.sys
storflt 0 1 1 46 | Extended Base | System32\drivers\vmstorfl.sys
stornvme 0 3 1 32 | SCSI Miniport | System32\drivers\stornvme.sys
storvsc 0 1 1 25 | Base | System32\drivers\storvsc.sys
Tcpip 0 1 1 3 | PNP_TDI | System32\drivers\tcpip.sys
vdrvroot 0 3 1 4 | Boot Bus Extender | System32\drivers\vdrvroot.sys
vmbus 0 1 1 11 | System Bus Extender | System32\drivers\vmbus.sys
vpci 0 1 1 12 | System Bus Extender | System32\drivers\vpci.sys
volmgr 0 3 1 9 | System Bus Extender | System32\drivers\volmgr.sys
volmgrx 0 3 1 10 | System Bus Extender | System32\drivers\volmgrx.sys
volsnap 0 3 1 - | - | System32\drivers\volsnap.sys
volume 0 3 1 - | - | System32\drivers\volume.sys
Wdf01000 0 1 1 - | WdfLoadGroup | system32\drivers\Wdf01000.sys
WdBoot 0 1 1 - | Early-Launch | system32\drivers\WdBoot.sys
WdFilter 0 1 2 - | FSFilter Anti-Virus | system32\drivers\WdFilter.sys
WFPLWFS 0 1 1 - | PNP_TDI | System32\drivers\wfplwfs.sys
WindowsTrustedRT 0 3 1 1 | Core Security Extensions | system32\drivers\WindowsTrustedRT.sys
WindowsTrustedRTProxy 0 1 1 2 | Core Security Extensions | System32\drivers\WindowsTrustedRTProxy.sys
Wof 0 1 2 - | FSFilter Compression | -
EventLog 2 1 32 - | Event Log | %SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted -p
"""
_VISTA_ALONE = r"""
Ecache 0 3 1 - | PnP Filter | System32\drivers\ecache.sys
"""
_TABLES = (((10, 0), _WINDOWS_10), ((6, 2), _WINDOWS_8_1), ((6, 0), _WINDOWS_7), ((5, 0), _XP), ((4, 0), _NT_4))
# Of releases that no real hive is at hand of: what came only with the next, or is not in a server.
_ABSENT = {
    (5, 0): "VolSnap FltMgr",
    (6, 0): "CNG KSecPkg hwpolicy pcw rdyboost storflt storvsc vdrvroot vmbus",
    (6, 2): "intelpep stornvme vpci",
}


def shipped(version: tuple[int, int]) -> tuple[Service, ...]:
    """The services of the Windows of this NT version."""
    text = next(table for first, table in _TABLES if version >= first)
    if version == (6, 0):
        text += _VISTA_ALONE
    absent = _ABSENT.get(version, "").split()
    return tuple(each for each in map(_service, text.split("\n")[1:]) if each is not None and each.name not in absent)


def _service(line: str) -> Service | None:
    if not line:
        return None
    numbers, group, image = (part.strip() for part in line.split("|"))
    name, start, error_control, type_, tag = numbers.split()
    return Service(
        name, int(start), int(error_control), int(type_), None if tag == "-" else int(tag), group.strip("-"),
        image.strip("-"),
    )  # fmt: skip
