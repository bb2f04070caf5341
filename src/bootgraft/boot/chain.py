r"""The boot chain: followed link by link as firmware and loader follow it, from disk 0 to the SYSTEM hive.

BIOS: MBR → the one active partition → its file system → the loader that its boot sector names (:mod:`.bios`): ntldr
with boot.ini or FreeLoader with freeldr.ini (:mod:`.ntldr`), bootmgr with a BCD store (:mod:`.bootmgr`). UEFI: GPT →
the EFI system partition → bootmgr. Then, for all: the default entry → its partition → the Windows directory. Every
link is a :class:`Step` with what was read and where. The first that does not hold ends the chain; its evidence also
says what would fit, as information: which Windows boots is decided by these links and never by what lies around.
"""

from typing import TYPE_CHECKING

from bootgraft.boot.bios.loaders import Loader, require_plain, which_starts
from bootgraft.boot.ntldr import chain as ntldr
from bootgraft.boot.steps import BootChain, BootTarget, BrokenLinkError, Step, broken
from bootgraft.boot.walk import ChainWalk
from bootgraft.machine import Disk, Firmware, Machine, Volume
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.text import counted

if TYPE_CHECKING:  # most volumes can be read
    from bootgraft.boot.unsupported_volume import UnsupportedVolume

__all__ = ["BootChain", "BootTarget", "Step", "follow"]


def follow(machine: Machine, *, search_others: bool = True) -> BootChain:
    """Follow the chain of the machine's disks, given in BIOS order.

    Without ``search_others`` only the boot menu tells of other installations and no further volume is opened, as long
    as the chain holds, but the one that a BCD store names for recovery.

    Raises:
        ImageError: a disk cannot be read.
        MissingDependencyError: a library that reads a file system is not installed.
    """
    walk = ChainWalk(machine)
    default: BootTarget | None = None
    system: Volume | None = None
    firmware: Firmware | None = None
    understood = True
    unsupported_volume: UnsupportedVolume | None = None
    try:
        disk = _partition_table(walk)
        firmware = _firmware(disk)
        system = _system_partition(walk, disk, firmware)
        follow_loader = _follow_uefi if firmware is Firmware.UEFI else _follow_loader
        default = follow_loader(walk, system)
    except BrokenLinkError as end:
        walk.steps.append(end.step)
        understood, unsupported_volume = end.understood, end.unsupported_volume
    others, notes = _others(walk, default, everywhere=search_others or default is None)
    return BootChain(
        tuple(walk.steps),
        default,
        others,
        understood,
        notes,
        firmware=None if walk.menu is not None else firmware,
        system=system,
        menu=walk.menu,
        entry=walk.entry,
        store=walk.store,
        unsupported_volume=unsupported_volume,
    )


def _follow_loader(walk: ChainWalk, system: Volume) -> BootTarget:
    """Follow the chain from the boot sector of the active partition to a Windows, as its loader does."""
    loader = which_starts(walk, system)
    if loader is Loader.BOOTMGR:
        _bootmgr_is_there(walk, system)
        return _follow_bootmgr(walk, system, Firmware.BIOS)
    if loader is Loader.FREELDR:
        from bootgraft.boot.ntldr import freeldr  # no Windows needs it

        freeldr.check_loader(walk, system)
        ini = freeldr.read_menu(walk, system)
        walk.menu, walk.entry = ini.menu, None if ini.default is None else ini.default.nt
        return freeldr.follow_default(walk, ini, system)
    ntldr.check_loader(walk, system)
    walk.menu = ntldr.read_menu(walk, system)
    walk.entry = walk.menu.default_entry()
    return ntldr.follow_default(walk, walk.menu, system)


def _bootmgr_is_there(walk: ChainWalk, system: Volume) -> None:
    file = walk.file(system, f"\\{Loader.BOOTMGR}")
    if file is not None:
        require_plain(system, file)
        evidence = f"a file of {file.size} bytes"
        where = f"{system.name}: \\{file.name}"
        walk.record_step("bootmgr is on the active partition", where, evidence, "a BIOS starts it", link=file.name)


def _others(
    walk: ChainWalk, default: BootTarget | None, *, everywhere: bool
) -> tuple[tuple[BootTarget, ...], tuple[str, ...]]:
    """List every other installation once, and the volumes that could not be searched."""
    found, notes = walk.found_windows if everywhere else ((), ())
    menu = walk.menu
    targets = list(walk.menu_targets()) if menu is None else list(ntldr.menu_targets(walk.machine, menu))
    targets += [BootTarget(each.volume, each.directory, "") for each in found]
    places: dict[tuple[int, int, str], BootTarget] = {}
    for target in targets:
        places.setdefault(target.place, target)
    if default is not None:
        places.pop(default.place, None)
    return tuple(places.values()), notes


def _partition_table(walk: ChainWalk) -> Disk:
    if not walk.machine.disks:
        raise broken("no disk was given", "the machine", "the firmware has nothing to start from")
    disk = walk.machine.disks[0]
    table = disk.table
    where = f"{disk.name}, sector 0"
    if table.kind is TableKind.NONE:
        raise broken("disk 0 has no partition table", where, *table.problems, *walk.other_loaders())
    own = f"signature {table.signature or 0:08x}" if table.kind is TableKind.MBR else f"GUID {{{table.disk_guid}}}"
    evidence = f"{table.kind.value.upper()} with disk {own} and {counted(len(table.partitions), 'partition')}"
    walk.record_step("disk 0 has a partition table", where, evidence, *table.problems, link=table.kind.value.upper())
    return disk


def _firmware(disk: Disk) -> Firmware:
    """Which firmware starts from the disk: of an MBR a BIOS, unless only UEFI firmware finds something to start."""
    if disk.table.kind is TableKind.GPT:
        return Firmware.UEFI
    has_active = any(partition.active for partition in disk.table.partitions) or disk.table.invalid_flags
    return Firmware.BIOS if has_active or not _has_fallback_loader(disk) else Firmware.UEFI


def _has_fallback_loader(disk: Disk) -> bool:
    from bootgraft.boot.bootmgr import uefi  # most MBR disks have an active partition

    return uefi.starts_mbr(disk)


def _system_partition(walk: ChainWalk, disk: Disk, firmware: Firmware) -> Volume:
    """Follow the chain to the mounted partition that holds the loader."""
    if firmware is Firmware.UEFI:
        from bootgraft.boot.bootmgr import uefi

        return uefi.system_partition(walk, disk)
    system = _active_partition(walk, disk)
    walk.mount(system, "the active partition")
    return system


def _follow_uefi(walk: ChainWalk, system: Volume) -> BootTarget:
    from bootgraft.boot.bootmgr import uefi

    uefi.check_loader(walk, system)
    return _follow_bootmgr(walk, system, Firmware.UEFI)


def _follow_bootmgr(walk: ChainWalk, system: Volume, firmware: Firmware) -> BootTarget:
    from bootgraft.boot.bootmgr import chain as bootmgr  # the chain of NT 4 to 2003 reads no BCD store

    menu = bootmgr.read_menu(walk, system, firmware)
    walk.store = menu
    walk.menu_targets = lambda: bootmgr.menu_targets(walk.machine, menu)
    return bootmgr.follow_default(walk, menu)


def _active_partition(walk: ChainWalk, disk: Disk) -> Volume:
    where = f"{disk.name}, sector 0"
    if disk.table.invalid_flags:
        slots = ", ".join(str(slot) for slot in disk.table.invalid_flags)
        raise broken(f"the active flag in slot {slots} is neither 0x80 nor 0x00", where, *disk.table.problems)
    active = [volume for volume in disk.volumes if volume.partition.active]
    if len(active) > 1:
        names = ", ".join(volume.name for volume in active)
        raise broken("disk 0 has more than one active partition", where, f"active are {names}; one must be")
    if not active:
        from bootgraft.boot.bootmgr import uefi

        found = ", ".join(f"{each.name} (type {each.partition.type})" for each in disk.volumes)
        evidence = f"it has {found or 'no partition at all'}"
        hints = (*walk.other_loaders(), *uefi.on_mbr(walk.machine))
        raise broken("disk 0 has no active partition", where, evidence, *hints)
    volume = active[0]
    evidence = f"slot {volume.partition.slot}: {volume.name}"
    walk.record_step("disk 0 has one active partition", where, evidence, link=f"active {volume.name}")
    return volume
