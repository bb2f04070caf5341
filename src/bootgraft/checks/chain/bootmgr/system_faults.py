"""What of the system partition is not there: the whole of it, its boot manager, or its store.

Judged by what lies there and not by the words of the chain; asked only where the chain arrives at no Windows, and is
one that bootgraft follows.
"""

from enum import StrEnum

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bios.bootcode import is_missing
from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.boot.bootmgr import uefi
from bootgraft.boot.bootmgr.bcd import read_store
from bootgraft.boot.bootmgr.bcd_menu import STORES, Menu, installed
from bootgraft.boot.bootmgr.boot_files import manager_target
from bootgraft.boot.bootmgr.new_store import SUFFIXES
from bootgraft.boot.steps import BootTarget
from bootgraft.checks.chain.bootmgr.lost import Lost
from bootgraft.checks.guest import Guest
from bootgraft.errors import BootConfigError, FileSystemError, HiveError, PartitionTableError
from bootgraft.machine import Disk, Firmware, Volume
from bootgraft.storage.disks.partitions import TableKind

_LOOKED_AT = 1 << 20
"""Bytes at either end of a partition in which every file system leaves something."""
_LARGEST_STORE = 16 << 20
"""Bytes: real stores have some tens of thousands."""


class StoreState(StrEnum):
    """What there is of a store."""

    SOUND = "sound"
    MISSING = "missing"
    DAMAGED = "damaged"  # beyond reading, or without a boot manager
    EMPTY = "empty"  # it has no entry of an installed Windows


class SystemFault(Struct, frozen=True):
    """``system`` is the partition that it is to be put on, None where there is none; ``active``: it is that already.

    ``menu`` is the store that lies there, where it reads. ``blank`` is an EFI system partition that was never filled.
    """

    lost: Lost
    firmware: Firmware
    disk: Disk
    system: Volume | None
    store: StoreState
    active: bool = True
    menu: Menu | None = None
    blank: Volume | None = None


def candidates(guest: Guest) -> tuple[BootTarget, ...]:
    """Each Windows that bootmgr starts, of either firmware: one that has a loader of its own."""
    return tuple(each for each in guest.chain.others if any(starts_on(each, kind) for kind in Firmware))


def starts_on(target: BootTarget, firmware: Firmware) -> bool:
    """Whether a Windows has the loader that this firmware's boot manager starts."""
    return search.has(target.volume, f"{target.directory}\\system32\\winload.{SUFFIXES[firmware]}")


def find_fault(guest: Guest, windows: BootTarget | None) -> SystemFault | None:
    """What is lost, if anything is; ``windows`` is the one that is to start, None where that is not known."""
    chain, machine = guest.chain, guest.machine
    if chain.default is not None or not chain.understood or chain.unsupported_volume is not None:
        return None
    disk = machine.disks[0]
    if disk.table.kind is TableKind.NONE:
        return None
    try:
        if disk.table.kind is TableKind.GPT or chain.firmware is Firmware.UEFI:
            return _on_uefi(guest, disk)
        return _on_bios(guest, disk, windows)
    except (FileSystemError, PartitionTableError):  # the chain says what is damaged
        return None


def _on_uefi(guest: Guest, disk: Disk) -> SystemFault | None:
    system = guest.chain.system
    if system is None:
        there = uefi.system_partitions(disk)
        blank = there[0] if len(there) == 1 and _is_blank(there[0]) else None
        if (there and blank is None) or uefi.other_disks(guest.machine):
            return None  # one that cannot be read, or another disk comes first
        return SystemFault(Lost.PARTITION, Firmware.UEFI, disk, None, StoreState.MISSING, blank=blank)
    fallback = uefi.fallback_path(system)
    if not search.has(system, uefi.BOOT_MANAGER) and (fallback is None or not search.has(system, fallback)):
        state, menu = _store_on(system, Firmware.UEFI)
        return SystemFault(Lost.MANAGER, Firmware.UEFI, disk, system, state, menu=menu)
    return _lost_store(system, Firmware.UEFI, disk)


def _on_bios(guest: Guest, disk: Disk, windows: BootTarget | None) -> SystemFault | None:
    sectors = guest.first_sectors
    if sectors is None or sectors.wanted is not None:
        return None  # another partition has all of it
    if any(each.disk for each in search.active_volumes_with(guest.machine, manager_target(Firmware.BIOS))):
        return None  # another disk comes first
    active = None if disk.table.invalid_flags else sectors.active
    if active is None or _is_blank(active):
        if any(search.has(each, f"\\{loader}") for each in disk.volumes for loader in (Loader.NTLDR, Loader.FREELDR)):
            return None  # it may be that one which started the machine
        system = _to_be_active(disk, windows)
        state, menu = (StoreState.MISSING, None) if system is None else _store_on(system, Firmware.BIOS)
        return SystemFault(Lost.PARTITION, Firmware.BIOS, disk, system, state, active=False, menu=menu)
    if active.kind not in search.OPENABLE:
        return None
    head = active.device.read(0, min(BOOT_CODE_SIZE, active.device.size))
    if active.kind is None or (named_in(head) is None and not is_missing(head, active.kind)):
        return None  # it starts something else
    filesystem = active.filesystem()
    there = [each for each in Loader if search.find_entry(filesystem, f"\\{each}") is not None]
    if Loader.BOOTMGR in there:
        return _lost_store(active, Firmware.BIOS, disk)
    if there:
        return None
    state, menu = _store_on(active, Firmware.BIOS)
    is_own = windows is not None and windows.volume is active and state is StoreState.MISSING
    return SystemFault(Lost.PARTITION if is_own else Lost.MANAGER, Firmware.BIOS, disk, active, state, menu=menu)


def _to_be_active(disk: Disk, windows: BootTarget | None) -> Volume | None:
    """The partition to put it on where none is active: one that has a boot manager, else that of the Windows."""
    primaries = [each for each in disk.volumes if not each.partition.logical and not each.partition.is_container]
    able = [each for each in primaries if search.has(each, manager_target(Firmware.BIOS))]
    if len(able) == 1:
        return able[0]
    return windows.volume if windows is not None and windows.volume in primaries else None


def _is_blank(volume: Volume) -> bool:
    """Whether a partition was made and never filled: its beginning and its end are zero."""
    size = min(_LOOKED_AT, volume.device.size)
    ends = (0, volume.device.size - size)
    return volume.kind is None and not any(any(volume.device.read(at, size)) for at in ends)


def _lost_store(system: Volume, firmware: Firmware, disk: Disk) -> SystemFault | None:
    state, menu = _store_on(system, firmware)
    return None if state is StoreState.SOUND else SystemFault(Lost.STORE, firmware, disk, system, state, menu=menu)


def _store_on(system: Volume, firmware: Firmware) -> tuple[StoreState, Menu | None]:
    path = STORES[firmware]
    entry = search.find_entry(system.filesystem(), path)
    if entry is None:
        return StoreState.MISSING, None
    if entry.is_directory or entry.size > _LARGEST_STORE:
        raise FileSystemError("it is no store", where=f"{system.name}: {path}", advice="Look at what lies there")
    try:
        store = read_store(system.hive(path))
    except (BootConfigError, HiveError):
        return StoreState.DAMAGED, None
    if store.bootmgr is None:
        return StoreState.DAMAGED, None
    menu = Menu(store, system, firmware)
    return (StoreState.SOUND if installed(store) else StoreState.EMPTY), menu
