"""Machines in memory whose Windows carries all that it starts with, and whose system partition may lack any of it."""

from collections.abc import Mapping, Sequence

from tests.boot.bootmgr.test_chain import MANAGER, uefi_machine
from tests.checks.chain.bios.sectors import boot_sector_bytes
from tests.fakes import FakePartition, machine_of
from tests.machines.spec import Architecture
from tests.machines.vista import DATA_TYPE, ESP_GUID, ESP_TYPE, WINDOWS_GUID
from tests.machines.windows_hives import (
    WINDOWS_7,
    ControlSet,
    Release,
    Select,
    SystemFacts,
    software_hive,
    system_hive,
)
from tests.memory_windows import MemoryFileSystem
from tests.windows.hives import spec_bytes

from bootgraft.boot.chain import follow
from bootgraft.boot.search import find_windows
from bootgraft.changes import CreateDirectory, WriteFile
from bootgraft.checks.finding import Finding
from bootgraft.checks.guest import Guest
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine
from bootgraft.windows.installation import read_installation

BIOS_FILES = ("\\bootmgr", "\\Boot\\memtest.exe", "\\Boot\\Fonts\\wgl4_boot.ttf")
BOOT_SECTOR = boot_sector_bytes().replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[: 8 * 1024]
"""Of a partition that Vista or later formatted."""


def windows(*more: str, release: Release = WINDOWS_7, without: Sequence[str] = ()) -> dict[str, bytes]:
    """The files of a Windows that this is about."""
    facts = SystemFacts(release, Architecture.X64, "WIN7", (ControlSet(1),), Select(), ())
    root = "\\Windows"
    files = {
        f"{root}\\System32\\config\\SYSTEM": spec_bytes(system_hive(facts)),
        f"{root}\\System32\\config\\SOFTWARE": spec_bytes(software_hive(release, "C:\\Windows")),
        f"{root}\\Boot\\PCAT\\bootmgr": b"bootmgr" * 1000,
        f"{root}\\Boot\\PCAT\\memtest.exe": b"MZ memory",
        f"{root}\\Boot\\EFI\\bootmgfw.efi": MANAGER + bytes(2000),
        f"{root}\\Boot\\EFI\\memtest.efi": b"MZ memory",
        f"{root}\\Boot\\Fonts\\wgl4_boot.ttf": b"font",
    }
    names = ("ntoskrnl.exe", "winload.exe", "winload.efi", "winresume.exe", "winresume.efi")
    files |= dict.fromkeys((f"{root}\\System32\\{name}" for name in names), b"MZ")
    files |= dict.fromkeys(more, b"more")
    return {path: data for path, data in files.items() if not path.endswith(tuple(without) or "\0")}


def system(files: Mapping[str, bytes] | None = None, kind: FileSystemKind = FileSystemKind.NTFS) -> MemoryFileSystem:
    """A system partition with these files."""
    return MemoryFileSystem(dict(files or {}), kind=kind)


def bios(
    *volumes: MemoryFileSystem | None, active: int | None = 0, sector: bytes = BOOT_SECTOR, logical: int | None = None
) -> Machine:
    """A BIOS machine with these volumes, of which one is active."""
    parts = [
        FakePartition(each, active=index == active, boot_sector=sector if each else b"", logical=index == logical)
        for index, each in enumerate(volumes)
    ]
    return machine_of(parts)


def uefi(esp: MemoryFileSystem | None, *volumes: MemoryFileSystem) -> Machine:
    """A UEFI machine with an EFI system partition, or none, and these volumes."""
    head = [] if esp is None else [(esp, ESP_TYPE, ESP_GUID)]
    guids = (WINDOWS_GUID, *(f"{WINDOWS_GUID[:-3]}{number:03}" for number in range(100, 110)))
    return uefi_machine(*head, *((each, DATA_TYPE, guid) for each, guid in zip(volumes, guids, strict=False)))


def esp(files: Mapping[str, bytes] | None = None) -> MemoryFileSystem:
    """An EFI system partition with these files."""
    return system(files, FileSystemKind.FAT32)


def guest(machine: Machine, name: str | None = None) -> Guest:
    """What is known of a machine; ``name`` is the Windows that was named, as the volume that it lies on."""
    named = next((each for each in find_windows(machine)[0] if each.volume.name == name), None)
    installation = None if named is None else read_installation(named.volume, named.directory, default_boot=False)
    return Guest(machine, follow(machine), installation)


def put(finding: Finding, machine: Machine) -> None:
    """Make the changes of a finding to the files of a machine in memory."""
    from bootgraft.repair.apply import find_volume

    for change in finding.changes:
        if isinstance(change, CreateDirectory):
            find_volume(machine, change.file).filesystem().create_directory(change.file.path)
        elif isinstance(change, WriteFile):
            filesystem = find_volume(machine, change.file).filesystem()
            assert isinstance(filesystem, MemoryFileSystem)
            filesystem.files = {path: data for path, data in filesystem.files.items() if path != change.file.path}
            filesystem.create(change.file.path, change.data)
