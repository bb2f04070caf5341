"""The files of an installation of Windows 2000, XP or Server 2003 that take part in booting, and a few that do not."""

from enum import StrEnum

from tests.machines import inbox
from tests.machines.spec import Architecture, Cabinet, Content, File, FileAttributes, Hive, PortableExecutable
from tests.machines.windows_hives import Release

_SCSIPORT = (
    "ScsiPortInitialize", "ScsiPortNotification", "ScsiPortGetDeviceBase", "ScsiPortGetUncachedExtension",
    "ScsiPortReadPortUlong", "ScsiPortWritePortUlong", "ScsiPortStallExecution", "ScsiPortLogError",
)  # fmt: skip
_KERNEL = ("KeBugCheckEx", "DbgPrint", "IoCreateDevice", "IoDeleteDevice", "ExAllocatePoolWithTag", "memcpy")
_HAL = ("HalGetBusData", "KeStallExecutionProcessor", "HalTranslateBusAddress")
_CLASSPNP = ("ClassInitialize", "ClassDeviceControl", "ClassCompleteRequest")
_PCIIDEX = ("PciIdeXInitialize", "PciIdeXGetBusData", "PciIdeXSetBusData")

_KERNEL_ONLY = (("ntoskrnl.exe", _KERNEL[:4]),)
_KERNEL_AND_HAL = (("ntoskrnl.exe", _KERNEL[:4]), ("HAL.dll", _HAL[:2]))
_IMPORTS = {
    "scsiport.sys": _KERNEL_AND_HAL,
    "classpnp.sys": _KERNEL_AND_HAL,
    "pciidex.sys": _KERNEL_AND_HAL,
    "disk.sys": (("ntoskrnl.exe", _KERNEL[:4]), ("CLASSPNP.SYS", _CLASSPNP)),
    "cdrom.sys": (("ntoskrnl.exe", _KERNEL[:4]), ("CLASSPNP.SYS", _CLASSPNP)),
    "intelide.sys": (("PCIIDEX.SYS", _PCIIDEX), ("ntoskrnl.exe", _KERNEL[:2])),
    "mraid35x.sys": (("SCSIPORT.SYS", _SCSIPORT[:4]),),
    "atapi.sys": _KERNEL_AND_HAL,
    "acpi.sys": _KERNEL_AND_HAL,
    "pci.sys": _KERNEL_AND_HAL,
    "isapnp.sys": _KERNEL_AND_HAL,
    "partmgr.sys": _KERNEL_ONLY,
    "mountmgr.sys": _KERNEL_ONLY,
    "ftdisk.sys": _KERNEL_AND_HAL,
    "volsnap.sys": _KERNEL_AND_HAL,
    "ntfs.sys": _KERNEL_ONLY,
    "fastfat.sys": _KERNEL_ONLY,
}
# What Red Hat's drivers for XP to 8.1 import beyond that.
_MORE_SCSIPORT = (
    "ScsiPortGetPhysicalAddress", "ScsiPortMoveMemory", "ScsiPortReadPortUchar", "ScsiPortReadPortUshort",
    "ScsiPortValidateRange", "ScsiPortWritePortUchar", "ScsiPortWritePortUshort",
)  # fmt: skip
_MORE_KERNEL = (
    "ExInterlockedInsertHeadList", "ExInterlockedInsertTailList", "ExInterlockedRemoveHeadList",
    "ExfInterlockedInsertHeadList", "ExfInterlockedInsertTailList", "ExfInterlockedRemoveHeadList", "KeBugCheck",
    "KeGetCurrentIrql", "KeQueryActiveProcessorCountEx", "KeQueryMaximumProcessorCountEx", "MmGetPhysicalAddress",
    "_allshr", "memmove", "memset",
)  # fmt: skip
_EXPORTS = {"scsiport.sys": _SCSIPORT + _MORE_SCSIPORT, "classpnp.sys": _CLASSPNP, "pciidex.sys": _PCIIDEX}


class DriverFile(StrEnum):
    """What lies in the place of symmpi.sys."""

    ABSENT = "absent"
    GOOD = "good"
    UPPER_CASE = "upper case"  # SYMMPI.SYS, in every other way the good one
    OLDER = "older"  # SYMMPI.SYS of an earlier service pack
    GARBAGE = "garbage"
    OTHER_ARCHITECTURE = "other architecture"
    MISSING_IMPORT = "missing import"  # a newer storport build, where there is no storport.sys


def symmpi_binary(arch: Architecture, version: tuple[int, int, int, int]) -> PortableExecutable:
    """The LSI Logic miniport, a client of SCSIPORT.SYS."""
    return PortableExecutable("symmpi.sys", arch, (("SCSIPORT.SYS", _SCSIPORT),), version=version)


def symmpi_file(state: DriverFile, directory: str, release: Release, arch: Architecture) -> tuple[File, ...]:
    """symmpi.sys in the installation's drivers directory, or nothing."""
    other = Architecture.X64 if arch is Architecture.X86 else Architecture.X86
    older = (*release.binaries[:3], 0)
    storport = PortableExecutable(
        "symmpi.sys", arch, (("storport.sys", ("StorPortInitialize",)),), version=(6, 0, 6000, 0)
    )
    contents: dict[DriverFile, tuple[str, Content]] = {
        DriverFile.GOOD: ("symmpi.sys", symmpi_binary(arch, release.binaries)),
        DriverFile.UPPER_CASE: ("SYMMPI.SYS", symmpi_binary(arch, release.binaries)),
        DriverFile.OLDER: ("SYMMPI.SYS", symmpi_binary(arch, older)),
        DriverFile.GARBAGE: ("symmpi.sys", b"\0" * 2000 + b"not a driver" + b"\0" * 3000),
        DriverFile.OTHER_ARCHITECTURE: ("symmpi.sys", symmpi_binary(other, release.binaries)),
        DriverFile.MISSING_IMPORT: ("symmpi.sys", storport),
    }
    if state is DriverFile.ABSENT:
        return ()
    name, content = contents[state]
    return (File(rf"\{directory}\system32\drivers\{name}", content),)


def driver_cache(directory: str, arch: Architecture, **cabinets: Cabinet) -> tuple[File, ...]:
    """The cabinets of unused drivers, by their labels (``driver``, ``sp2``), and the index of what they hold."""
    folder = {Architecture.X86: "i386", Architecture.X64: "amd64"}[arch]
    lines = ["[Version]", 'Signature="$Windows NT$"', f"CabFiles={','.join(cabinets)}", ""]
    for label, made in cabinets.items():
        lines += [f"[{label}]", *(name for name, _ in made.members), ""]
    lines += ["[Cabs]", *(f"{label}={label}.cab" for label in cabinets)]
    return (
        *(File(rf"\{directory}\Driver Cache\{folder}\{label}.cab", made) for label, made in cabinets.items()),
        File(rf"\{directory}\inf\drvindex.inf", "\r\n".join(lines).encode()),
    )


def loader_files(boot_ini: str | None) -> tuple[File, ...]:
    """What the system partition of Windows NT 5 holds; ``boot_ini`` None leaves boot.ini out."""
    hidden = FileAttributes.READ_ONLY | FileAttributes.HIDDEN | FileAttributes.SYSTEM | FileAttributes.ARCHIVE
    menu = (
        () if boot_ini is None else (File(r"\boot.ini", boot_ini.encode("cp1252"), hidden & ~FileAttributes.READ_ONLY),)
    )
    return (
        File(r"\ntldr", b"stands for the loader\r\n" * 9000, hidden),
        File(r"\NTDETECT.COM", b"stands for the hardware detection\r\n" * 1300, hidden),
        *menu,
    )


def windows_files(
    directory: str, release: Release, arch: Architecture, *, system: Content | None, software: Hive
) -> tuple[File, ...]:
    """An installation below ``\\directory``; ``system`` None leaves its SYSTEM hive out."""
    system32 = rf"\{directory}\system32"
    config = rf"{system32}\config"
    empty = Hive("", release.minor)
    version = release.binaries
    binaries = [
        PortableExecutable("ntoskrnl.exe", arch, (("HAL.dll", _HAL[:1]),), _KERNEL + _MORE_KERNEL, version),
        PortableExecutable("hal.dll", arch, (("ntoskrnl.exe", _KERNEL[:1]),), (*_HAL, "KeGetCurrentIrql"), version),
    ]
    drivers = {
        name: PortableExecutable(name, arch, imports, _EXPORTS.get(name, ()), version)
        for name, imports in _IMPORTS.items()
    }
    if release.nt >= (6, 0):
        drivers |= inbox.binaries(release.nt, arch, version)
    hives: tuple[tuple[str, Content | None], ...] = (
        ("system", system),
        ("software", software),
        ("default", empty),
        ("SAM", empty),
        ("SECURITY", empty),
    )
    return (
        *(File(rf"{system32}\{binary.name}", binary) for binary in binaries),
        *(File(rf"{system32}\drivers\{name}", driver) for name, driver in drivers.items()),
        *(File(rf"{config}\{name}", hive) for name, hive in hives if hive is not None),
        File(rf"{config}\AppEvent.Evt", b"\x30\0\0\0LfLe" + bytes(65528)),
        File(rf"\{directory}\explorer.exe", b"MZ stands for the shell" * 4000),
        File(rf"\{directory}\win.ini", b"; for 16-bit app support\r\n[fonts]\r\n"),
        File(rf"\{directory}\inf\scsi.inf", b"[Version]\r\nSignature=$CHICAGO$\r\n"),
    )


def user_files() -> tuple[File, ...]:
    """Files that no repair may touch: long and non-ASCII names, an empty one, a big one."""
    desktop = r"\Documents and Settings\Administrator\Desktop"
    return (
        File(rf"{desktop}\Übersicht der Aufträge 2006.doc", b"orders\r\n" * 3000),
        File(rf"{desktop}\empty.txt", b""),
        File(r"\data\sales.mdb", bytes(range(256)) * 4096),
    )
