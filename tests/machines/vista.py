r"""Machines of Windows Vista and later: bootmgr and a BCD store, on BIOS and on UEFI.

Layouts as Setup makes them: loader and Windows on one partition (Vista), System Reserved and Windows (7 and later),
EFI system partition, MSR, Windows and recovery (UEFI). Every BCD element can be replaced.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tests.machines import bcd
from tests.machines.spec import (
    SECTOR,
    Architecture,
    Content,
    Disk,
    File,
    FileSystem,
    Guids,
    Hive,
    Loader,
    MachineSpec,
    Partition,
    PortableExecutable,
    Volume,
)
from tests.machines.windows_files import windows_files
from tests.machines.windows_hives import (
    WINDOWS_7,
    ControlSet,
    GptLetter,
    Letter,
    Release,
    Select,
    SystemFacts,
    software_hive,
    system_hive,
)

SIGNATURE, SECOND_SIGNATURE = 0x3B7A19C4, 0x3B7A19C5
DISK_GUID = "6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8A11"
ESP_GUID, MSR_GUID = "0D2B7E51-8C40-4B67-8F00-51E2A0C3D001", "0D2B7E51-8C40-4B67-8F00-51E2A0C3D002"
WINDOWS_GUID, RECOVERY_GUID = "0D2B7E51-8C40-4B67-8F00-51E2A0C3D003", "0D2B7E51-8C40-4B67-8F00-51E2A0C3D004"
ESP_TYPE, MSR_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "E3C9E316-0B5C-4DB8-817D-F92DF00215AE"
DATA_TYPE, RECOVERY_TYPE = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"

DEFAULT, SECOND = "5189b25d-0000-4bf2-bca4-289b11bd2901", "5189b25d-0000-4bf2-bca4-289b11bd2902"
RESUME, RECOVERY_ENTRY, OPTIONS = (f"5189b25d-0000-4bf2-bca4-289b11bd290{digit}" for digit in "345")
MEMTEST = "b2721d73-1db4-4c62-bf78-c548a880142d"
WIM = r"\Recovery\WindowsRE\Winre.wim"
_ALIGNMENT = 2048
_MIB = 2048
_NTFS, _FAT_LBA = 0x07, 0x0C


class Place(Struct, frozen=True):
    """Where a partition lies on a disk: first sector and number of sectors."""

    start: int
    sectors: int

    @property
    def offset(self) -> int:
        """Bytes from the start of the disk."""
        return self.start * SECTOR


RESERVED, WINDOWS, SECOND_WINDOWS = (
    Place(_ALIGNMENT, 16 * _MIB),
    Place(_ALIGNMENT + 16 * _MIB, 32 * _MIB),
    Place(_ALIGNMENT + 48 * _MIB, 32 * _MIB),
)
ALONE = Place(_ALIGNMENT, 32 * _MIB)
ESP, MSR = Place(_ALIGNMENT, 16 * _MIB), Place(_ALIGNMENT + 16 * _MIB, _MIB)
UEFI_WINDOWS, RECOVERY = Place(_ALIGNMENT + 17 * _MIB, 32 * _MIB), Place(_ALIGNMENT + 49 * _MIB, 8 * _MIB)


def installation(
    *,
    loader: str | None = "winload.exe",
    directory: str = "Windows",
    without: tuple[str, ...] = (),
    release: Release = WINDOWS_7,
    registry: str = "",
    letters: tuple[Letter | GptLetter, ...] = (),
) -> tuple[File, ...]:
    """Windows 7 below this directory, or another release, with its loader.

    ``without`` names files by the end of their paths; ``registry`` is further .reg text of its SYSTEM hive.
    """
    sets = (ControlSet(1), ControlSet(2))
    facts = SystemFacts(release, Architecture.X64, "WIN7", sets, Select(last_known_good=2), letters)
    files = list(
        windows_files(
            directory,
            release,
            Architecture.X64,
            system=Hive(system_hive(facts).text + registry, release.minor),
            software=software_hive(release, rf"C:\{directory}"),
        )
    )
    if loader is not None:
        binary = PortableExecutable(loader, Architecture.X64, version=release.binaries)
        files.append(File(rf"\{directory}\system32\{loader}", binary))
    return tuple(file for file in files if not file.path.casefold().endswith(tuple(map(str.casefold, without)) or "\0"))


def carried(
    directory: str = "Windows",
    *,
    template: Content | None = None,
    manager: bytes = b"stands for the boot manager\r\n" * 9000,
    efi_manager: Content | None = None,
) -> tuple[File, ...]:
    """What a Windows has to start itself with: both boot managers, memory tests, texts, fonts and pictures."""
    boot = rf"\{directory}\Boot"
    binary = PortableExecutable("bootmgfw.efi", Architecture.X64, version=(6, 1, 7601, 17514))
    files = [
        File(rf"{boot}\PCAT\bootmgr", manager),
        File(rf"{boot}\PCAT\bootnxt", b"1"),
        File(rf"{boot}\PCAT\memtest.exe", b"MZ" * 300),
        File(rf"{boot}\PCAT\en-US\bootmgr.exe.mui", b"texts" * 100),
        File(rf"{boot}\PCAT\de-DE\bootmgr.exe.mui", b"Texte" * 100),
        File(rf"{boot}\EFI\bootmgfw.efi", efi_manager or binary),
        File(rf"{boot}\EFI\memtest.efi", b"MZ" * 300),
        File(rf"{boot}\EFI\en-US\bootmgfw.efi.mui", b"texts" * 100),
        File(rf"{boot}\Fonts\segmono_boot.ttf", b"font" * 500),
        File(rf"{boot}\Resources\bootres.dll", b"MZ" * 200),
    ]
    if template is not None:
        files.append(File(rf"\{directory}\system32\config\BCD-Template", template))
    return tuple(files)


def bios_loader(store: Content | None) -> tuple[File, ...]:
    """What the system partition of a BIOS machine holds."""
    files = (File(r"\bootmgr", b"stands for the boot manager\r\n" * 9000), File(r"\Boot\memtest.exe", b"MZ" * 300))
    return files if store is None else (*files, File(r"\Boot\BCD", store))


def uefi_loader(
    store: Content | None, *, manager: bool = True, fallback: Content | None = None, has_fallback: bool = True
) -> tuple[File, ...]:
    """What the EFI system partition holds; ``fallback`` is another loader in the place of the copy."""
    binary = PortableExecutable("bootmgfw.efi", Architecture.X64, version=(6, 1, 7601, 17514))
    files = [File(r"\EFI\Microsoft\Boot\memtest.efi", b"MZ" * 300)]
    if manager:
        files.append(File(r"\EFI\Microsoft\Boot\bootmgfw.efi", binary))
    if has_fallback:
        files.append(File(r"\EFI\Boot\bootx64.efi", fallback or binary))
    if store is not None:
        files.append(File(r"\EFI\Microsoft\Boot\BCD", store))
    return tuple(files)


def bios_store(place: Place, *, system: Place = RESERVED, **elements: Any) -> Hive:
    """A store whose default entry starts the Windows on this partition; keywords as for ``bcd.loader``."""
    device = elements.pop("device", bcd.mbr_device(SIGNATURE, place.offset))
    entry = bcd.loader(DEFAULT, device, **elements)
    return bcd.store(bcd.bootmgr(bcd.mbr_device(SIGNATURE, system.offset), DEFAULT, (DEFAULT,)), entry)


def uefi_store(**elements: Any) -> Hive:
    """The same for the Windows of the UEFI machine."""
    device = elements.pop("device", bcd.gpt_device(DISK_GUID, WINDOWS_GUID))
    elements.setdefault("path", r"\Windows\system32\winload.efi")
    entry = bcd.loader(DEFAULT, device, **elements)
    return bcd.store(bcd.bootmgr(bcd.gpt_device(DISK_GUID, ESP_GUID), DEFAULT, (DEFAULT,)), entry)


def full_store(system: bytes, windows: bytes, recovery: bytes, *, uefi: bool = False) -> Hive:
    """A store with all that Setup makes: boot manager, loader, resume, recovery, its options, memory test."""
    suffix, memtest = ("efi", r"\EFI\Microsoft\Boot\memtest.efi") if uefi else ("exe", r"\Boot\memtest.exe")
    manager = bcd.bootmgr(system, DEFAULT, (DEFAULT,))
    manager.elements.update({0x23000006: f"{{{RESUME}}}", 0x24000010: (MEMTEST,)})
    loader = bcd.loader(DEFAULT, windows, path=rf"\Windows\system32\winload.{suffix}")
    loader.elements.update({0x23000003: f"{{{RESUME}}}", 0x14000008: (RECOVERY_ENTRY,), 0x16000009: b"\x01"})
    ram = bcd.ramdisk_device(recovery, WIM, OPTIONS)
    resume: dict[int, str | bytes | tuple[str, ...]] = {
        0x11000001: windows,
        0x12000002: rf"\Windows\system32\winresume.{suffix}",
        0x21000001: windows,
        0x21000026: windows,
        0x22000002: r"\hiberfil.sys",
    }
    path = rf"\windows\system32\winload.{suffix}"
    return bcd.store(
        manager,
        loader,
        bcd.Entry(RESUME, resume, bcd.RESUME),
        bcd.loader(RECOVERY_ENTRY, ram, path=path, root=r"\windows", title="Recovery"),
        bcd.Entry(OPTIONS, {0x31000003: recovery, 0x32000004: r"\Recovery\WindowsRE\boot.sdi"}, 0x30000000),
        bcd.Entry(MEMTEST, {0x11000001: system, 0x12000002: memtest}, 0x10200005),
    )


def recovery_files() -> tuple[File, ...]:
    """The recovery environment."""
    return File(WIM, b"MSWIM\0\0\0" * 100), File(r"\Recovery\WindowsRE\boot.sdi", b"$SDI" * 100)


def with_resume(suffix: str = "exe") -> tuple[File, ...]:
    """Windows with both its loaders."""
    files = installation(loader=f"winload.{suffix}")
    loader = next(file for file in files if file.path.endswith(f"winload.{suffix}"))
    return (*files, File(loader.path.replace("winload", "winresume"), loader.content))


def one_partition(
    store: Content | None = None,
    *,
    name: str = "vista",
    files: tuple[File, ...] | None = None,
    loader: tuple[File, ...] | None = None,
) -> MachineSpec:
    """Loader and Windows on the one, active partition."""
    system = bios_loader(store or bios_store(ALONE, system=ALONE)) if loader is None else loader
    content = (*system, *(files or installation()))
    return _mbr(name, _mbr_partition(ALONE, content, active=True))


def system_reserved(
    store: Content | None = None,
    *,
    name: str = "win7",
    files: tuple[File, ...] | None = None,
    loader: tuple[File, ...] | None = None,
    second: tuple[File, ...] | None = None,
    filesystem: FileSystem = FileSystem.NTFS,
) -> MachineSpec:
    """System Reserved with the loader, Windows on the next partition, and ``second`` on one more."""
    system = bios_loader(store or bios_store(WINDOWS)) if loader is None else loader
    partitions = [
        _mbr_partition(RESERVED, system, active=True, filesystem=filesystem),
        _mbr_partition(WINDOWS, files if files is not None else installation()),
    ]
    if second is not None:
        partitions.append(_mbr_partition(SECOND_WINDOWS, second))
    return _mbr(name, *partitions)


def uefi(
    store: Content | None = None,
    *,
    name: str = "win7-uefi",
    files: tuple[File, ...] | None = None,
    loader: tuple[File, ...] | None = None,
    recovery: tuple[File, ...] | None = None,
    types: Mapping[str, str] | None = None,
) -> MachineSpec:
    """EFI system partition, MSR, Windows and recovery; ``types`` replaces type GUIDs by the partition's own."""
    system = uefi_loader(store or uefi_store()) if loader is None else loader
    windows = installation(loader="winload.efi") if files is None else files
    winre = (File(WIM, b"MSWIM\0\0\0" * 100),) if recovery is None else recovery
    rows: tuple[tuple[Place, str, str, Volume | None], ...] = (
        (ESP, ESP_TYPE, ESP_GUID, Volume(FileSystem.FAT16, system, "SYSTEM", loader=Loader.BOOTMGR)),
        (MSR, MSR_TYPE, MSR_GUID, None),
        (UEFI_WINDOWS, DATA_TYPE, WINDOWS_GUID, _ntfs(windows)),
        (RECOVERY, RECOVERY_TYPE, RECOVERY_GUID, _ntfs(winre)),
    )
    partitions = tuple(
        Partition(place.start, place.sectors, 0, volume, guids=Guids((types or {}).get(own, kind), own))
        for place, kind, own, volume in rows
    )
    end = RECOVERY.start + RECOVERY.sectors + _MIB
    return MachineSpec(name, (Disk(end, 0, partitions, DISK_GUID),))


def _ntfs(files: tuple[File, ...]) -> Volume:
    return Volume(FileSystem.NTFS, files, loader=Loader.BOOTMGR)


def _mbr_partition(
    place: Place, files: tuple[File, ...], *, active: bool = False, filesystem: FileSystem = FileSystem.NTFS
) -> Partition:
    volume = Volume(filesystem, files, loader=Loader.BOOTMGR)
    kind = _NTFS if filesystem is FileSystem.NTFS else _FAT_LBA
    return Partition(place.start, place.sectors, kind, volume, active=active)


def _mbr(name: str, *partitions: Partition) -> MachineSpec:
    end = max(each.start + each.sectors for each in partitions) + _MIB
    return MachineSpec(name, (Disk(end, SIGNATURE, partitions),))
