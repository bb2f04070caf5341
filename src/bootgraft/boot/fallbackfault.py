"""The fallback loader of UEFI firmware: missing, another system's, or older than the boot manager it is a copy of."""

from collections.abc import Iterator

from bootgraft.boot.bcd_meaning import has_file
from bootgraft.boot.bootmgr import uefi
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.changes import Change, CreateDirectory, FileId, WriteFile
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Volume


def fallback_faults(system: Volume) -> tuple[LoaderFault, ...]:
    """What is wrong with the fallback loader of an EFI system partition that can be read."""
    try:
        return tuple(_faults(system))
    except (FileSystemError, PartitionTableError):  # the chain says what is damaged
        return ()


def _faults(system: Volume) -> Iterator[LoaderFault]:
    path = uefi.fallback_path(system)
    if path is None or not has_file(system, uefi.BOOT_MANAGER):
        return
    if not has_file(system, path):
        yield _missing(system, path)
        return
    present, own = uefi.read_loader(system, path), uefi.read_loader(system, uefi.BOOT_MANAGER)
    if not uefi.is_windows_manager(present):
        yield _other(system, path)
        return
    here, there = uefi.file_version(present), uefi.file_version(own)
    if here is not None and there is not None and here < there:
        evidence = f"{system.name}: {path} has version {_text(here)}, {uefi.BOOT_MANAGER} {_text(there)}"
        what = f"the fallback loader {path} is older than Windows' boot manager"
        yield LoaderFault(LoaderFaultKind.OLDER_FALLBACK, what, (evidence,), ())


def _missing(system: Volume, path: str) -> LoaderFault:
    what = f"the EFI system partition has no fallback loader {path}"
    data = uefi.read_loader(system, uefi.BOOT_MANAGER)
    if not uefi.is_windows_manager(data) or len(data) == uefi.MAX_LOADER:
        reason = f"{system.name}: {uefi.BOOT_MANAGER} is not Windows' boot manager"
        return LoaderFault(LoaderFaultKind.FALLBACK, what, (reason,), (), stops=True)
    changes: list[Change] = []
    if not has_file(system, uefi.FALLBACK_DIRECTORY):
        changes.append(CreateDirectory(_file(system, uefi.FALLBACK_DIRECTORY)))
    changes.append(WriteFile(_file(system, path), data, None, f"{system.name}: {uefi.BOOT_MANAGER}"))
    reason = f"{system.name}: {uefi.BOOT_MANAGER} is there and can be copied, {len(data)} bytes"
    return LoaderFault(LoaderFaultKind.FALLBACK, what, (reason,), tuple(changes), stops=True)


def _other(system: Volume, path: str) -> LoaderFault:
    what = f"the fallback loader {path} is not Windows' boot manager"
    evidence = f"{system.name}: {path} does not call itself bootmgfw.efi; {uefi.BOOT_MANAGER} is there"
    return LoaderFault(LoaderFaultKind.OTHER_FALLBACK, what, (evidence,), ())


def _file(volume: Volume, path: str) -> FileId:
    return FileId(volume.disk, volume.partition.start, volume.name, path)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
