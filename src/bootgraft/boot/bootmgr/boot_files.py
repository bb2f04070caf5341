r"""The files that start a Windows of Vista or later, as it carries them itself in ``\Windows\Boot``, and where they go.

What bcdboot copies to a system partition: the boot manager of the firmware, what tests the memory, their texts in the
languages that this Windows has, and fonts and pictures of the menu (Microsoft, "BCDBoot Command-Line Options"; the
folders of real system partitions). Texts of languages that are not installed are left out: nobody would read them.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bootmgr import uefi
from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import Entry, FileSystem, parts, split
from bootgraft.machine import Firmware, Volume

MAX_FILES = 500
"""Files copied at most: there are some sixty."""
MAX_BYTES = 48 << 20
"""Bytes copied at most, in all: there are some ten million."""

_SOURCES = {Firmware.BIOS: "PCAT", Firmware.UEFI: "EFI"}
_TARGETS = {Firmware.BIOS: "\\Boot", Firmware.UEFI: "\\EFI\\Microsoft\\Boot"}
_MANAGERS = {Firmware.BIOS: "bootmgr", Firmware.UEFI: "bootmgfw.efi"}
_ROOT_FILES = {"bootmgr": "\\bootmgr", "bootnxt": "\\BOOTNXT"}
"""What lies in the root of a BIOS system partition and not in ``\\Boot``."""
_PICTURES = ("Fonts", "Resources")
_ALWAYS = "en-us"
_SMALLEST_MANAGER = 1024


class BootFile(Struct, frozen=True):
    """One file, from the volume of the Windows to the system partition."""

    source: str
    target: str


def manager_source(directory: str, firmware: Firmware) -> str:
    """Where a Windows in this directory carries the boot manager."""
    return f"{directory}\\Boot\\{_SOURCES[firmware]}\\{_MANAGERS[firmware]}"


def manager_target(firmware: Firmware) -> str:
    """Where the boot manager lies on a system partition."""
    return "\\bootmgr" if firmware is Firmware.BIOS else uefi.BOOT_MANAGER


def carries_manager(volume: Volume, directory: str, firmware: Firmware) -> bool:
    """Whether the Windows carries a boot manager that can be read and is one."""
    try:
        content = volume.filesystem().read(manager_source(directory, firmware), 0, uefi.MAX_LOADER)
    except FileSystemError:
        return False
    if firmware is Firmware.UEFI:
        return uefi.is_windows_manager(content) and uefi.fallback_of(content) is not None
    return len(content) >= _SMALLEST_MANAGER and len(content) < uefi.MAX_LOADER


def boot_files(volume: Volume, directory: str, firmware: Firmware) -> tuple[BootFile, ...]:
    """What there is to be copied, the boot manager first; on UEFI its copy as fallback loader too.

    Raises FileSystemError where a folder cannot be read.
    """
    filesystem = volume.filesystem()
    manager = manager_source(directory, firmware)
    found = [BootFile(manager, manager_target(firmware))]
    if firmware is Firmware.UEFI:
        fallback = uefi.fallback_of(filesystem.read(manager, 0, uefi.HEAD))
        found += [BootFile(manager, fallback)] if fallback is not None else []
    found += _further(filesystem, directory, firmware)
    return tuple(_within_limits(filesystem, found))


def _further(filesystem: FileSystem, directory: str, firmware: Firmware) -> Iterator[BootFile]:
    source, target = f"{directory}\\Boot\\{_SOURCES[firmware]}", _TARGETS[firmware]
    for entry in _list(filesystem, source):
        path = f"{source}\\{entry.name}"
        if entry.is_directory:
            if _is_spoken(filesystem, directory, entry.name):
                yield from _files_in(filesystem, path, f"{target}\\{entry.name}")
        elif entry.name.casefold() != _MANAGERS[firmware]:
            place = _ROOT_FILES.get(entry.name.casefold()) if firmware is Firmware.BIOS else None
            yield BootFile(path, place or f"{target}\\{entry.name}")
    for folder in _PICTURES:
        path = f"{directory}\\Boot\\{folder}"
        yield from _files_in(filesystem, path, f"{target}\\{folder}")
        for entry in _list(filesystem, path):
            if entry.is_directory and _is_spoken(filesystem, directory, entry.name):
                yield from _files_in(filesystem, f"{path}\\{entry.name}", f"{target}\\{folder}\\{entry.name}")


def _is_spoken(filesystem: FileSystem, directory: str, language: str) -> bool:
    """Whether the Windows has the texts of its own loader in this language."""
    if language.casefold() == _ALWAYS:
        return True
    return search.find_entry(filesystem, f"{directory}\\system32\\{language}\\winload.exe.mui") is not None


def _files_in(filesystem: FileSystem, source: str, target: str) -> Iterator[BootFile]:
    for entry in _list(filesystem, source):
        if not entry.is_directory:
            yield BootFile(f"{source}\\{entry.name}", f"{target}\\{entry.name}")


def _list(filesystem: FileSystem, path: str) -> tuple[Entry, ...]:
    entry = search.find_entry(filesystem, path)
    if entry is None or not entry.is_directory or entry.reparse_tag:
        return ()
    return filesystem.listdir(path)


def _within_limits(filesystem: FileSystem, found: list[BootFile]) -> Iterator[BootFile]:
    """As many of the files as any Windows has, each place once; the boot managers come first."""
    size = 0
    once: dict[str, BootFile] = {}
    for each in found:
        once.setdefault(each.target.casefold(), each)
    for each in tuple(once.values())[:MAX_FILES]:
        size += filesystem.stat(each.source).size
        if size > MAX_BYTES:
            return
        yield each


def missing_folders(system: FileSystem, files: tuple[str, ...]) -> tuple[str, ...]:
    """The folders that must be made before these files can be, parents first. Raises FileSystemError for damage."""
    wanted: dict[str, str] = {}
    for path in files:
        so_far = ""
        for name in parts(split(path)[0]):
            so_far = f"{so_far}\\{name}"
            wanted.setdefault(so_far.casefold(), so_far)
    return tuple(path for path in wanted.values() if search.find_entry(system, path) is None)
