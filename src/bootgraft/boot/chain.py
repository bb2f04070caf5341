r"""The boot chain: followed link by link as firmware and loader follow it, from disk 0 to the SYSTEM hive.

MBR → the one active partition → its file system → ntldr, NTDETECT.COM, boot.ini → the default entry → the disk and
partition that its ARC path names → the Windows directory. Every link is a :class:`Step` with what was read and where.
The first that does not hold ends the chain; its evidence also says what would fit, as information: which Windows boots
is decided by these links and never by what lies around.
"""

from typing import TYPE_CHECKING

from bootgraft.boot import ntldr
from bootgraft.boot.bootini import BootIni
from bootgraft.boot.bootsector import find_faults
from bootgraft.boot.steps import BootChain, BootTarget, BrokenLinkError, Step, broken, unknown
from bootgraft.boot.trail import Trail
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.storage.partitions import TableKind

if TYPE_CHECKING:  # loaded only where boot.ini has a fault
    from bootgraft.boot.menufault import MenuFault

__all__ = ["BootChain", "BootTarget", "Step", "follow"]

_BOOT_CODE_SIZE = 8192
"""Bytes at the start of a volume that hold boot code: 16 sectors on NTFS, fewer on FAT."""


def follow(machine: Machine, *, search_others: bool = True) -> BootChain:
    """Follow the chain of the machine's disks, given in BIOS order.

    Without ``search_others`` only boot.ini tells of other installations and no further volume is opened, as long as
    the chain holds.

    Raises:
        ImageError: a disk cannot be read.
        MissingDependencyError: a library that reads a file system is not installed.
    """
    trail = Trail(machine)
    default: BootTarget | None = None
    system: Volume | None = None
    menu: BootIni | None = None
    understood = True
    try:
        system = _active_partition(trail, _partition_table(trail))
        trail.mount(system, "the active partition")
        _choose_loader(trail, system)
        ntldr.check_loader(trail, system)
        menu = ntldr.read_menu(trail, system)
        default = ntldr.follow_default(trail, menu, system)
    except BrokenLinkError as end:
        trail.steps.append(end.step)
        understood = end.understood
    others, notes = _others(trail, menu, default, everywhere=search_others or default is None)
    fault = None if system is None or menu is None else _menu_fault(machine, system, menu, default)
    return BootChain(tuple(trail.steps), default, others, understood, notes, find_faults(machine), fault)


def _menu_fault(machine: Machine, system: Volume, menu: BootIni, default: BootTarget | None) -> "MenuFault | None":
    if default is not None and menu.default_entry() is not None:
        return None
    from bootgraft.boot.menufault import find_fault

    return find_fault(machine, system, menu)


def _others(
    trail: Trail, menu: BootIni | None, default: BootTarget | None, *, everywhere: bool
) -> tuple[tuple[BootTarget, ...], tuple[str, ...]]:
    """List every other installation once, and the volumes that could not be searched."""
    found, notes = trail.found_windows if everywhere else ((), ())
    targets = [] if menu is None else list(ntldr.menu_targets(trail.machine, menu))
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
    if table.kind is TableKind.GPT:
        what = "disk 0 has a GPT: Windows starts from it through UEFI and BCD, which bootgraft does not follow yet"
        raise unknown(what, where, f"GPT with {_count(len(table.partitions))}", *table.problems)
    evidence = f"MBR with disk signature {table.signature or 0:08x} and {_count(len(table.partitions))}"
    trail.holds("disk 0 has a partition table", where, evidence, *table.problems)
    return disk


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"


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
        raise broken("disk 0 has no active partition", where, evidence, *trail.other_loaders())
    volume = active[0]
    trail.holds("disk 0 has one active partition", where, f"slot {volume.partition.slot}: {volume.name}")
    return volume


def _choose_loader(trail: Trail, system: Volume) -> None:
    """Leave the chain where the loader is bootmgr: where both are there, the boot sector says which it starts."""
    bootmgr = trail.file(system, "\\bootmgr")
    if bootmgr is None:
        return
    is_beside_ntldr = trail.file(system, "\\ntldr") is not None
    if is_beside_ntldr and _boot_code_names(system, "NTLDR"):
        return
    raise unknown(
        "the active partition has bootmgr: its boot menu is a BCD store, which bootgraft does not follow yet",
        f"{system.name}: \\{bootmgr.name}",
        "ntldr is beside it, but the boot sector does not name it" if is_beside_ntldr else "Windows Vista or later",
    )


def _boot_code_names(volume: Volume, loader: str) -> bool:
    """Whether the boot code of the volume looks for this file: NTFS boot code spells it in UTF-16, FAT's in ASCII."""
    code = volume.device.read(0, min(_BOOT_CODE_SIZE, volume.device.size))
    return loader.encode("utf-16-le") in code or loader.encode("ascii").ljust(11) in code
