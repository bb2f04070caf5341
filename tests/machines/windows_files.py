"""The files of an installation of Windows 2000, XP or Server 2003 that take part in booting, and a few that do not."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec.structs import replace

from tests.machines import inbox
from tests.machines.boot_files import CLFS, KERNEL_CLIENT, kernel_files, session_files
from tests.machines.shipped_services import shipped
from tests.machines.spec import (
    Architecture,
    Cabinet,
    Content,
    File,
    FileAttributes,
    Hive,
    PortableExecutable,
    Signature,
    Signer,
)
from tests.machines.windows_hives import Release

_SCSIPORT = (
    "ScsiPortInitialize", "ScsiPortNotification", "ScsiPortGetDeviceBase", "ScsiPortGetUncachedExtension",
    "ScsiPortReadPortUlong", "ScsiPortWritePortUlong", "ScsiPortStallExecution", "ScsiPortLogError",
)  # fmt: skip
# What Red Hat's drivers for XP to 8.1 import beyond that.
_MORE_SCSIPORT = (
    "ScsiPortGetPhysicalAddress", "ScsiPortMoveMemory", "ScsiPortReadPortUchar", "ScsiPortReadPortUshort",
    "ScsiPortValidateRange", "ScsiPortWritePortUchar", "ScsiPortWritePortUshort",
)  # fmt: skip
_CLASSPNP = ("ClassInitialize", "ClassDeviceControl", "ClassCompleteRequest")
_WMILIB = ("WmiSystemControl", "WmiCompleteRequest")
_EXPORTS = {
    "scsiport.sys": _SCSIPORT + _MORE_SCSIPORT, "classpnp.sys": _CLASSPNP, "pciidex.sys": inbox.PCIIDEX,
    "wmilib.sys": _WMILIB, "clfs.sys": CLFS,
}  # fmt: skip
_EXPORTERS_OF_NT_4 = ("scsiport.sys", "classpnp.sys")  # its class2.sys is called as all later ones
_PORT_CLIENTS = {
    "disk.sys": "classpnp.sys", "cdrom.sys": "classpnp.sys", "intelide.sys": "pciidex.sys",
    "mraid35x.sys": "scsiport.sys",
}  # fmt: skip
_FILE_SYSTEMS = ("ntfs.sys", "fastfat.sys", "cdfs.sys")
"""They are loaded whatever their Start says: the boot volume's by the loader, others by Fs_Rec."""
_DISABLED = 4
_PROGRAM = 16
"""Start of a service that never starts; Type from which on it is no driver."""


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
    hives: tuple[tuple[str, Content | None], ...] = (
        ("system", system),
        ("software", software),
        ("default", empty),
        ("SAM", empty),
        ("SECURITY", empty),
    )
    binaries = (
        *kernel_files(directory, release.nt, arch, release.binaries),
        *_drivers(directory, release, arch),
        *session_files(directory, release.nt, arch, release.binaries),
    )
    return (
        *(_signed_by_microsoft(file, release) for file in binaries),
        *(File(rf"{config}\{name}", hive) for name, hive in hives if hive is not None),
        File(rf"{config}\AppEvent.Evt", b"\x30\0\0\0LfLe" + bytes(65528)),
        File(rf"\{directory}\explorer.exe", b"MZ stands for the shell" * 4000),
        File(rf"\{directory}\win.ini", b"; for 16-bit app support\r\n[fonts]\r\n"),
        File(rf"\{directory}\inf\scsi.inf", b"[Version]\r\nSignature=$CHICAGO$\r\n"),
    )


def _drivers(directory: str, release: Release, arch: Architecture) -> Iterator[File]:
    """The drivers of all services that are not disabled, those of file systems, and what they import from."""
    client = PortableExecutable("kernel-client.sys", arch, KERNEL_CLIENT, version=release.binaries)
    special = _special_drivers(release.nt, arch, release.binaries)
    drivers = r"system32\drivers"
    places = {name: rf"{drivers}\{name}" for name in (*special, *_FILE_SYSTEMS) if name != "clfs.sys"}
    for service in shipped(release.nt):
        name = service.file.rpartition("\\")[2]
        if service.type < _PROGRAM and (service.start < _DISABLED or service.image):
            places.setdefault(name.casefold(), service.file)
    for name, place in places.items():
        yield File(rf"\{directory}\{place}", special.get(name.casefold(), client))


def _special_drivers(
    version: tuple[int, int], arch: Architecture, stamp: tuple[int, int, int, int]
) -> dict[str, PortableExecutable]:
    """Those that export, and those that import from them, by file name in lower case."""
    names = _EXPORTERS_OF_NT_4 if version < (5, 0) else tuple(_EXPORTS)
    made = {name: PortableExecutable(name, arch, KERNEL_CLIENT[:1], _EXPORTS[name], stamp) for name in names}
    if version >= (6, 0):
        later = inbox.binaries(version, arch, stamp)
        return made | {name.casefold(): binary for name, binary in later.items()}
    made.pop("clfs.sys", None)
    for name, port in _PORT_CLIENTS.items():
        if port in made:
            imports = ((port.upper(), _EXPORTS[port][:1]), KERNEL_CLIENT[0])
            made[name] = PortableExecutable(f"{port[:-4]}-client.sys", arch, imports, version=stamp)
    return made


def _signed_by_microsoft(file: File, release: Release) -> File:
    """A file as Windows ships it: since Vista, signed in the file itself; before, by a catalog that nobody asks for."""
    if release.nt < (6, 0) or not isinstance(file.content, PortableExecutable):
        return file
    signature = Signature(Signer.MICROSOFT, "sha1" if release.nt < (6, 2) else "sha256")
    return replace(file, content=replace(file.content, signatures=(signature,)))


def user_files() -> tuple[File, ...]:
    """Files that no repair may touch: long and non-ASCII names, an empty one, a big one."""
    desktop = r"\Documents and Settings\Administrator\Desktop"
    return (
        File(rf"{desktop}\Übersicht der Aufträge 2006.doc", b"orders\r\n" * 3000),
        File(rf"{desktop}\empty.txt", b""),
        File(r"\data\sales.mdb", bytes(range(256)) * 4096),
    )
