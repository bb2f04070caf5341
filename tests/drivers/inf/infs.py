"""INFs for tests: one that is right, which each test spoils or varies, and sources made of files in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable

from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import SERVER, WORKSTATION, TargetWindows
from bootgraft.drivers.inf.text import InfFile, parse_inf
from bootgraft.windows import pe

XP = TargetWindows("Windows XP", pe.Architecture.X86, (5, 1), 2600, WORKSTATION)
SERVER_2003 = TargetWindows("Windows Server 2003", pe.Architecture.X86, (5, 2), 3790, SERVER)
SEVEN_X64 = TargetWindows("Windows 7", pe.Architecture.X64, (6, 1), 7601, WORKSTATION)

GOOD = r"""
[Version]
Signature="$Windows NT$"
Class=SCSIAdapter
ClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}
Provider=%Vendor%
DriverVer=03/20/2010,1.2.3.4
CatalogFile=disk.cat

[SourceDisksNames]
1 = "Disk",,,

[SourceDisksFiles]
vdisk.sys = 1

[DestinationDirs]
DefaultDestDir = 12

[Manufacturer]
%Vendor% = Models, NTx86, NTamd64

[Models.NTx86]
"Controller" = Install, PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00, PCI\VEN_1AF4&DEV_1001

[Models.NTamd64]
"Controller" = Install, PCI\VEN_1AF4&DEV_1001

[Install]
CopyFiles = @vdisk.sys

[Install.Services]
AddService = disk0, 0x2, Service

[Service]
DisplayName = "A disk"
ServiceType = 1
StartType = 3
ErrorControl = 1
ServiceBinary = %12%\vdisk.sys
LoadOrderGroup = SCSI miniport
AddReg = Parameters

[Parameters]
HKR, "Parameters\PnpInterface", "5", 0x00010001, 1
HKR, "Parameters", "BusType", %REG_DWORD%, 0x0000000A

[Strings]
Vendor = "A vendor"
REG_DWORD = 0x00010001
"""


def inf(text: str, name: str = "test.inf") -> InfFile:
    """The INF of a text."""
    return parse_inf(text.encode(), name)


def driver(cache: Path, arch: Architecture = Architecture.X86) -> bytes:
    """A driver file."""
    binary = PortableExecutable("vdisk.sys", arch, (("ntoskrnl.exe", ("DbgPrint",)),), (), (1, 2, 3, 4))
    return content(File("vdisk.sys", binary), cache)


def tree(files: Mapping[str, Any], *, only: str | None = None) -> PackageTree:
    """A source of these files by their paths."""
    encoded = ((path, data.encode() if isinstance(data, str) else bytes(data)) for path, data in files.items())
    return PackageTree(MemoryArchive(encoded, "source"), "source", only=only)
