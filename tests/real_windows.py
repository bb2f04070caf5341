"""Real SYSTEM hives as installations in memory: each with the files that its services name.

Nobody may publish the files of a Windows, so what is there in their place are small drivers of the same architecture.
"""

import struct
from pathlib import Path

from msgspec.structs import replace

from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.roots import on_volume
from tests.machines.boot_files import KERNEL_CLIENT
from tests.machines.build import content
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.machines.windows_files import windows_files
from tests.machines.windows_hives import (
    NT_4,
    WINDOWS_7,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_XP,
    Release,
    software_hive,
)
from tests.memory_windows import LOG_FILE, MemoryFileSystem, MemoryWindows, windows_on
from tests.windows.hives import MemoryFile, real_bytes

X86, X64 = Architecture.X86, Architecture.X64
REAL: dict[str, tuple[Release, Architecture, str | None]] = {
    "nt4-sp3-server-dc-vmware-buslogic": (NT_4, X86, "vmware:buslogic"),
    "xp-sp3-x86-vmware-buslogic-vmscsi": (WINDOWS_XP, X86, "vmware:buslogic"),
    "xp-sp3-x86-virtualpc-iecompat": (WINDOWS_XP, X86, "hyperv:gen1"),
    "win7-sp1-x86-vmware-lsisas": (WINDOWS_7, X86, "vmware:lsisas1068"),
    "win81-x64-virtualbox-ahci-dirty-nolog": (WINDOWS_8_1, X64, "virtualbox:ahci"),
    "win10-1709-x64-physical-iastorav-dirty-withlogs": (WINDOWS_10, X64, None),
    "win10-21h2-x64-vmware-nvme-clean": (WINDOWS_10, X64, "vmware:nvme"),
}
"""Each hive's release, and the target whose controller it ran on: none of the hypervisors' for a physical machine.

Virtual PC, of which Hyper-V's first generation is the heir, has the same IDE controller.
"""
_KERNELS = {"xp-sp3-x86-virtualpc-iecompat": {"hal.dll": "halacpi.dll", "ntoskrnl.exe": "ntoskrnl.exe"}}
"""HAL and kernel where the registry is that of another computer than an ACPI one with several processors."""
_PROGRAM, _DISABLED = 16, 4
_LOADED_ANYHOW = ("ntfs", "fastfat")
"""The loader takes the boot volume's file system driver whatever its Start says; NT 4 to 2003 ship it disabled."""


def clean_bytes(machine: str) -> bytes:
    """The hive as it lies: where transactions are pending, the sequence numbers are made equal."""
    data = bytearray(real_bytes("hives-system", machine, "SYSTEM"))
    data[8:12] = data[4:8]
    total = 0
    for word in struct.unpack_from("<127I", data, 0):
        total ^= word
    struct.pack_into("<I", data, 508, total)
    return bytes(data)


def real_windows(machine: str, cache: Path, *, without_disabled: bool = False) -> MemoryWindows:
    """The hive in an installation; ``without_disabled`` leaves files out that only disabled services name."""
    release, arch, _ = REAL[machine]
    root = f"\\{release.directory}"
    system = clean_bytes(machine)
    driver = content(
        File("", PortableExecutable("kernel-client.sys", arch, KERNEL_CLIENT, version=release.binaries)), cache
    )
    made = windows_files(release.directory, release, arch, system=None, software=software_hive(release, f"C:{root}"))
    made = tuple(as_called(file, machine) for file in made)
    files = {file.path: content(file, cache) for file in made}
    needed, idle = named_files(Hive.open(MemoryFile(system), name=machine), root)
    known = {path.casefold() for path in files}
    files |= {path: driver for path in needed | idle if path.casefold() not in known}
    if without_disabled:
        gone = {path.casefold() for path in idle - needed}
        files = {path: data for path, data in files.items() if path.casefold() not in gone}
    files |= {rf"{root}\system32\config\system": system, LOG_FILE: bytes(65536)}
    return windows_on(MemoryFileSystem(files), root)


def as_called(file: File, machine: str) -> File:
    """The file; HAL and kernel are those of the kind of computer that this machine's hive is of."""
    name = _KERNELS.get(machine, {}).get(file.path.rpartition("\\")[2].casefold())
    if name is None or not isinstance(file.content, PortableExecutable):
        return file
    return replace(file, content=replace(file.content, name=name))


def named_files(hive: Hive, root: str) -> tuple[set[str], set[str]]:
    """The drivers' files that services name: those that may start in some control set, those disabled in every one."""
    needed: dict[str, str] = {}
    idle: dict[str, str] = {}
    for number in (1, 2, 3):
        services = hive.key(f"ControlSet{number:03d}\\Services")
        for service in () if services is None else services.keys():
            path = _path(service, root)
            if path is not None:
                is_idle = _start(service) == _DISABLED and service.name.casefold() not in _LOADED_ANYHOW
                (idle if is_idle else needed).setdefault(path.casefold(), path)
    return set(needed.values()), {path for key, path in idle.items() if key not in needed}


def _path(service: Key, root: str) -> str | None:
    kind, image = service.value("Type"), service.value("ImagePath")
    if kind is None or (kind.dword() or _PROGRAM) >= _PROGRAM:
        return None
    text = None if image is None else image.text()
    path = on_volume(text, root) if text else rf"{root}\system32\drivers\{service.name}.sys"
    return path if path.startswith("\\") and "?" not in path else None


def _start(service: Key) -> int:
    start = service.value("Start")
    overrides = service.key("StartOverride")
    found = [each.dword() or 0 for each in overrides.values()] if overrides is not None else []
    return max(found, default=_DISABLED if start is None else start.dword() or 0)
