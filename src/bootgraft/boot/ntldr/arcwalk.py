r"""From a path of a boot menu to the Windows that it names: the part of the chain that ntldr and FreeLoader share.

Syntax and meaning of ARC paths: :mod:`.arc`; ``signature()``: Microsoft Knowledge Base Q227704.
"""

from bootgraft.boot import search
from bootgraft.boot.ntldr import bootini
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.steps import BootTarget, BrokenLinkError, broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable
from bootgraft.windows.hives import hive_path

_NTBOOTDD = "\\ntbootdd.sys"


def follow_path(walk: ChainWalk, path: str, line: str, system: Volume, menu: str) -> BootTarget:
    """Follow ``path``, which comes from the ``line`` of the file ``menu`` on the ``system`` partition, to a kernel."""
    where = f"{system.name}: \\{menu}"
    arc, directory = bootini.split_path(path)
    if arc is None:
        raise broken(
            "the default path is no ARC path with a directory",
            where,
            f"{printable(path)}; it takes the form multi(0)disk(0)rdisk(0)partition(1)\\WINDOWS",
            *walk.fitting(),
        )
    return to_windows(walk, _boot_partition(walk, arc, path, system, menu), directory, line, menu)


def volume_of(machine: Machine, arc: ArcPath) -> Volume | None:
    """The volume that an ARC path names through the BIOS; None where there is none, or more than one can be meant."""
    if arc.kind is ArcKind.SIGNATURE:
        disks = disks_signed(machine, arc)
        return machine.volume(disks[0], arc.partition) if len(disks) == 1 else None
    if arc.kind is not ArcKind.MULTI or arc.adapter or arc.disk:
        return None
    return machine.volume(arc.rdisk, arc.partition)


def disks_signed(machine: Machine, arc: ArcPath) -> tuple[int, ...]:
    """The disks with the signature of a signature() path; a signature of 0 is none."""
    return tuple(disk.index for disk in machine.disks if arc.adapter and disk.table.signature == arc.adapter)


def _boot_partition(walk: ChainWalk, arc: ArcPath, path: str, system: Volume, menu: str) -> Volume:
    where, shown = f"{system.name}: \\{menu}", printable(path)
    if arc.kind is ArcKind.SCSI:
        raise _scsi(walk, system, where, shown)
    if arc.kind is ArcKind.SIGNATURE:
        return _numbered(walk, _signed_disk(walk, arc, where, shown), arc.partition, where, menu)
    if arc.adapter or arc.disk:
        raise unknown(
            "the default entry has a multi() path whose first two numbers are not 0",
            where,
            f"{shown}; the BIOS tells disks apart by rdisk() only",
            *walk.fitting(),
        )
    return _numbered(walk, arc.rdisk, arc.partition, where, menu)


def _scsi(walk: ChainWalk, system: Volume, where: str, shown: str) -> BrokenLinkError:
    """A scsi() path goes through ntbootdd.sys, a copy of the driver of the old machine's controller."""
    driver = walk.file(system, _NTBOOTDD)
    if driver is None:
        what = "the default entry has a scsi() path, but there is no ntbootdd.sys beside ntldr, without which it fails"
        return broken(what, where, shown, f"there is no {_NTBOOTDD} on {system.name}", *walk.fitting())
    what = "the default entry has a scsi() path, which depends on the controller for which ntbootdd.sys was made"
    return unknown(what, where, shown, f"\\{driver.name} is there, {driver.size} bytes", *walk.fitting())


def _signed_disk(walk: ChainWalk, arc: ArcPath, where: str, shown: str) -> int:
    disks = disks_signed(walk.machine, arc)
    if len(disks) != 1:
        count = "no given disk has" if not disks else f"{len(disks)} of the given disks have"
        what = f"the default entry has a signature() path, and {count} the signature {arc.adapter:08x}"
        raise unknown(what, where, shown, *walk.fitting())
    (disk,) = disks
    walk.record_step(
        f"the default entry's signature() path names disk {disk}",
        f"disk {disk}, sector 0",
        f"it alone has the signature {arc.adapter:08x}, and the BIOS reaches it without ntbootdd.sys",
    )
    return disk


def _numbered(walk: ChainWalk, disk: int, number: int, where: str, menu: str) -> Volume:
    disks = walk.machine.disks
    if disk >= len(disks):
        given = "1 disk was" if len(disks) == 1 else f"{len(disks)} disks were"
        raise broken(
            f"{menu} points at disk {disk}, which was not given",
            where,
            f"rdisk({disk}) is disk {disk} in BIOS order, counted from 0; {given} given",
            *walk.fitting(),
        )
    table = f"disk {disk}, partition table"
    volume = walk.machine.volume(disk, number)
    if volume is None:
        numbers = ", ".join(f"partition({v.number})" for v in disks[disk].volumes if v.number is not None)
        raise broken(
            f"disk {disk} has no partition({number}), at which {menu} points",
            table,
            f"it has {numbers or 'no partition with a number'}",
            *walk.fitting(),
        )
    partition = volume.partition
    evidence = f"partition({number}) is slot {partition.slot}, type {partition.type}, at byte {partition.start}"
    walk.record_step(f"the default entry's ARC path names {volume.name}", table, evidence, link=volume.name)
    return volume


def to_windows(walk: ChainWalk, volume: Volume, directory: str, line: str, menu: str) -> BootTarget:
    """Follow the chain into a volume, to the Windows in ``directory`` at which ``menu`` points."""
    filesystem = walk.mount(volume, "the partition of the default entry")
    hive, kernel = hive_path(directory, "SYSTEM"), f"{directory}\\system32\\ntoskrnl.exe"
    shown = printable(directory)
    if not walk.has_directory(volume, directory):
        raise broken(
            f"{menu} points at {shown} on {volume.name}, which is not there",
            f"{volume.name}: {shown}",
            f"in the root is {walk.names_in_root(volume)}",
            *walk.fitting(),
        )
    for path, advice in (
        (hive, f"put one back, from a backup or from {shown}\\repair\\system (the state after Setup)"),
        (kernel, "put it back from the installation media of the same service pack"),
    ):
        if walk.file(volume, path) is None:
            name = path.rpartition("\\")[2]
            raise broken(
                f"the Windows that {menu} points at has no {name}",
                f"{volume.name}: {printable(path)}",
                advice,
                *walk.fitting(),
            )
    real = search.real_path(filesystem, directory)
    walk.record_step("a Windows is there", f"{volume.name}: {real}", f"{hive} and {kernel} are files", link=real)
    return BootTarget(volume, real, line)
