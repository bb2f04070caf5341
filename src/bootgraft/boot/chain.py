r"""The boot chain: followed link by link as firmware and loader follow it, from disk 0 to the SYSTEM hive.

BIOS: MBR → the one active partition → its file system → the loader that its boot sector names (:mod:`.bios`): ntldr
with boot.ini or FreeLoader with freeldr.ini (:mod:`.ntldr`), bootmgr with a BCD store (:mod:`.bootmgr`). UEFI: GPT →
the EFI system partition → bootmgr. Then, for all: the default entry → its partition → the Windows directory. Every
link is a :class:`Step` with what was read and where. The first that does not hold ends the chain; its evidence also
says what would fit, as information: which Windows boots is decided by these links and never by what lies around.
"""

from typing import TYPE_CHECKING

from bootgraft.boot.bios.bootcode import CodeSource, none_given
from bootgraft.boot.bios.loaders import Loader, which_starts
from bootgraft.boot.bootmgr import uefi
from bootgraft.boot.bootsector import find_faults
from bootgraft.boot.ntldr import bootini
from bootgraft.boot.ntldr import chain as ntldr
from bootgraft.boot.ntldr.arc import ArcKind
from bootgraft.boot.ntldr.bootini import BootIni
from bootgraft.boot.ntldr.laststart import last_start
from bootgraft.boot.steps import BootChain, BootTarget, BrokenLinkError, DiskReference, Step, broken
from bootgraft.boot.trail import Trail
from bootgraft.machine import Disk, Firmware, Machine, Volume
from bootgraft.storage.partitions import TableKind

if TYPE_CHECKING:  # loaded only where boot.ini has a fault, or switches
    from bootgraft.boot.bootswitches import Review
    from bootgraft.boot.faults import LoaderFault
    from bootgraft.boot.menufault import MenuFault
    from bootgraft.boot.unusable import Unusable

__all__ = ["BootChain", "BootTarget", "DiskReference", "Step", "follow"]


def follow(machine: Machine, *, search_others: bool = True, given: CodeSource = none_given) -> BootChain:
    """Follow the chain of the machine's disks, given in BIOS order.

    Without ``search_others`` only the boot menu tells of other installations and no further volume is opened, as long
    as the chain holds, but the one that a BCD store names for recovery. ``given`` has the boot code of other
    installations.

    Raises:
        ImageError: a disk cannot be read.
        MissingDependencyError: a library that reads a file system is not installed.
    """
    trail = Trail(machine)
    default: BootTarget | None = None
    system: Volume | None = None
    firmware: Firmware | None = None
    understood = True
    unusable: Unusable | None = None
    try:
        disk = _partition_table(trail)
        firmware = _firmware(disk)
        system = _system_partition(trail, disk, firmware)
        if firmware is Firmware.UEFI:
            uefi.check_loader(trail, system)
            default = _follow_bootmgr(trail, system, firmware)
        else:
            default = _follow_loader(trail, system)
    except BrokenLinkError as end:
        trail.steps.append(end.step)
        understood, unusable = end.understood, end.unusable
    others, notes = _others(trail, default, everywhere=search_others or default is None)
    fault = None
    if system is not None and trail.menu is not None and unusable is None:
        fault = _menu_fault(machine, system, trail.menu, default)
    return BootChain(
        tuple(trail.steps),
        default,
        others,
        understood,
        notes,
        sector_faults=find_faults(machine, given),
        menu_fault=fault,
        review=_review(trail, system, default),
        loader_faults=_loader_faults(trail, system, firmware),
        firmware=None if trail.menu is not None else firmware,
        references=_references(trail, system),
        unusable=unusable,
    )


def _follow_loader(trail: Trail, system: Volume) -> BootTarget:
    """Follow the chain from the boot sector of the active partition to a Windows, as its loader does."""
    loader = which_starts(trail, system)
    if loader is Loader.BOOTMGR:
        _bootmgr_is_there(trail, system)
        return _follow_bootmgr(trail, system, Firmware.BIOS)
    if loader is Loader.FREELDR:
        from bootgraft.boot.ntldr import freeldr  # no Windows needs it

        freeldr.check_loader(trail, system)
        ini = freeldr.read_menu(trail, system)
        trail.menu, trail.entry = ini.menu, None if ini.default is None else ini.default.nt
        return freeldr.follow_default(trail, ini, system)
    ntldr.check_loader(trail, system)
    trail.menu = ntldr.read_menu(trail, system)
    trail.entry = trail.menu.default_entry()
    return ntldr.follow_default(trail, trail.menu, system)


def _bootmgr_is_there(trail: Trail, system: Volume) -> None:
    file = trail.file(system, f"\\{Loader.BOOTMGR}")
    if file is not None:
        evidence = f"a file of {file.size} bytes"
        where = f"{system.name}: \\{file.name}"
        trail.holds("bootmgr is on the active partition", where, evidence, "a BIOS starts it", link=file.name)


def _review(trail: Trail, system: Volume | None, default: BootTarget | None) -> "Review | None":
    if trail.menu is None or trail.entry is None or system is None or default is None or not trail.entry.switches:
        return None
    from bootgraft.boot.bootswitches import review

    return review(trail.entry, default, f"{system.name}: \\{trail.menu.file}")


def _references(trail: Trail, system: Volume | None) -> tuple[DiskReference, ...]:
    if trail.bcd is None and (system is None or trail.menu is None):
        return ()
    from bootgraft.boot import references

    if trail.bcd is not None:
        return tuple(references.in_store(trail.bcd))
    return () if system is None or trail.menu is None else tuple(references.in_boot_ini(trail.menu, system))


def _loader_faults(trail: Trail, system: Volume | None, firmware: Firmware | None) -> "tuple[LoaderFault, ...]":
    found: tuple[LoaderFault, ...] = ()
    if system is not None and firmware is Firmware.UEFI:
        from bootgraft.boot.fallbackfault import fallback_faults

        found = fallback_faults(system)
    if trail.bcd is None:
        return found
    from bootgraft.boot import loaderfault, storefault
    from bootgraft.boot.bootmgr.chain import default_entry

    devices = loaderfault.wrong_devices(trail.machine, trail.bcd, default_entry(trail.bcd))
    return (*found, *devices, *storefault.store_faults(trail.machine, trail.bcd))


def _menu_fault(machine: Machine, system: Volume, menu: BootIni, default: BootTarget | None) -> "MenuFault | None":
    if menu.entries and menu.default and not bootini.is_boot_sector_path(menu.default):
        if default is not None and menu.default_entry() is not None and _leads_home(menu.default, default):
            return None
        from bootgraft.boot.menufault import find_fault

        return find_fault(machine, system, menu)
    if menu.file != "boot.ini":  # FreeLoader has no rule of its own for what is missing
        return None
    from bootgraft.boot import menurebuild

    if not menu.entries:
        return menurebuild.missing_menu(machine, system, menu)
    if not menu.default:
        return menurebuild.missing_default(machine, system, menu)
    return menurebuild.boots_other(system, menu)


def _leads_home(path: str, default: BootTarget) -> bool:
    """Whether a path of boot.ini goes by the numbers of disk and partition, and its Windows last started from there.

    A Windows that does not say where it last started from has nothing against it.
    """
    arc, _ = bootini.split_path(path)
    if arc is None or arc.kind is not ArcKind.MULTI:
        return False
    return last_start(default.volume, default.directory) in (None, arc)


def _others(
    trail: Trail, default: BootTarget | None, *, everywhere: bool
) -> tuple[tuple[BootTarget, ...], tuple[str, ...]]:
    """List every other installation once, and the volumes that could not be searched."""
    found, notes = trail.found_windows if everywhere else ((), ())
    menu = trail.menu
    targets = list(trail.menu_targets()) if menu is None else list(ntldr.menu_targets(trail.machine, menu))
    targets += [BootTarget(each.volume, each.directory, "") for each in found]
    places: dict[tuple[int, int, str], BootTarget] = {}
    for target in targets:
        places.setdefault(target.place, target)
    if default is not None:
        places.pop(default.place, None)
    return tuple(places.values()), notes


def _partition_table(trail: Trail) -> Disk:
    if not trail.machine.disks:
        raise broken("no disk was given", "the machine", "the firmware has nothing to start from")
    disk = trail.machine.disks[0]
    table = disk.table
    where = f"{disk.name}, sector 0"
    if table.kind is TableKind.NONE:
        raise broken("disk 0 has no partition table", where, *table.problems, *trail.other_loaders())
    own = f"signature {table.signature or 0:08x}" if table.kind is TableKind.MBR else f"GUID {{{table.disk_guid}}}"
    evidence = f"{table.kind.value.upper()} with disk {own} and {_count(len(table.partitions))}"
    trail.holds("disk 0 has a partition table", where, evidence, *table.problems, link=table.kind.value.upper())
    return disk


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"


def _firmware(disk: Disk) -> Firmware:
    """Which firmware starts from the disk: of an MBR a BIOS, unless only UEFI firmware finds something to start."""
    if disk.table.kind is TableKind.GPT:
        return Firmware.UEFI
    has_active = any(partition.active for partition in disk.table.partitions) or disk.table.invalid_flags
    return Firmware.UEFI if not has_active and uefi.starts_mbr(disk) else Firmware.BIOS


def _system_partition(trail: Trail, disk: Disk, firmware: Firmware) -> Volume:
    """Follow the chain to the mounted partition that holds the loader."""
    if firmware is Firmware.UEFI:
        return uefi.system_partition(trail, disk)
    system = _active_partition(trail, disk)
    trail.mount(system, "the active partition")
    return system


def _follow_bootmgr(trail: Trail, system: Volume, firmware: Firmware) -> BootTarget:
    from bootgraft.boot.bootmgr import chain as bootmgr  # the chain of NT 4 to 2003 reads no BCD store

    menu = bootmgr.read_menu(trail, system, firmware)
    trail.bcd = menu
    trail.menu_targets = lambda: bootmgr.menu_targets(trail.machine, menu)
    return bootmgr.follow_default(trail, menu)


def _active_partition(trail: Trail, disk: Disk) -> Volume:
    where = f"{disk.name}, sector 0"
    if disk.table.invalid_flags:
        slots = ", ".join(str(slot) for slot in disk.table.invalid_flags)
        raise broken(f"the active flag in slot {slots} is neither 0x80 nor 0x00", where, *disk.table.problems)
    active = [volume for volume in disk.volumes if volume.partition.active]
    if len(active) > 1:
        names = ", ".join(volume.name for volume in active)
        raise broken("disk 0 has more than one active partition", where, f"active are {names}; one must be")
    if not active:
        found = ", ".join(f"{each.name} (type {each.partition.type})" for each in disk.volumes)
        evidence = f"it has {found or 'no partition at all'}"
        hints = (*trail.other_loaders(), *uefi.on_mbr(trail.machine))
        raise broken("disk 0 has no active partition", where, evidence, *hints)
    volume = active[0]
    evidence = f"slot {volume.partition.slot}: {volume.name}"
    trail.holds("disk 0 has one active partition", where, evidence, link=f"active {volume.name}")
    return volume
