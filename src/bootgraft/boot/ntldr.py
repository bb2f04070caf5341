r"""The part of the boot chain that ntldr walks, Windows NT 4 to Server 2003: from boot.ini to the Windows directory.

Behaviour: Microsoft, "Boot Process" in the Windows NT 4.0 and 2000 Resource Kits; Knowledge Base Q102873. Where ntldr
falls back on built-in guesses (no boot.ini, no default), the chain is not followed: it may boot, but what, only a look
at the running machine tells.
"""

from collections.abc import Iterator

from bootgraft.boot import bootini, search
from bootgraft.boot.arc import ArcKind, ArcPath
from bootgraft.boot.bootini import BootIni
from bootgraft.boot.steps import BootTarget, broken, printable, unknown
from bootgraft.boot.trail import Trail
from bootgraft.errors import BootConfigError, FileSystemError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine, Volume

_COMPRESSED = 0x800
"""FILE_ATTRIBUTE_COMPRESSED: the boot sector of an NTFS volume cannot read such a file."""

_FALLBACK = r"multi(0)disk(0)rdisk(0)partition(1)\WINDOWS (\WINNT in NT 4 and 2000)"


def check_loader(trail: Trail, system: Volume) -> None:
    """Follow the chain over ntldr and NTDETECT.COM in the root of the system partition."""
    ntldr = trail.file(system, "\\ntldr")
    if ntldr is None:
        raise broken(
            "there is no ntldr on the active partition",
            f"{system.name}: \\ntldr",
            f"in the root is {trail.names_in_root(system)}",
            *trail.other_loaders(),
        )
    where = f"{system.name}: \\{ntldr.name}"
    if system.kind is FileSystemKind.NTFS and ntldr.attributes & _COMPRESSED:
        raise broken("ntldr is compressed", where, "the boot sector stops there with 'NTLDR is compressed'")
    trail.holds("ntldr is on the active partition", where, f"a file of {ntldr.size} bytes")
    ntdetect = trail.file(system, "\\NTDETECT.COM")
    if ntdetect is None:
        raise broken(
            "there is no NTDETECT.COM beside ntldr",
            f"{system.name}: \\NTDETECT.COM",
            "ntldr stops without it ('NTDETECT failed'); copy it from another machine with the same Windows",
        )
    trail.holds("NTDETECT.COM is beside it", f"{system.name}: \\{ntdetect.name}", f"a file of {ntdetect.size} bytes")


def read_menu(trail: Trail, system: Volume) -> BootIni:
    """Follow the chain to boot.ini."""
    where = f"{system.name}: \\boot.ini"
    if trail.file(system, "\\boot.ini") is None:
        raise unknown("there is no boot.ini", where, f"ntldr then tries {_FALLBACK}", *trail.fitting())
    try:
        menu = bootini.parse(system.filesystem().read("\\boot.ini", 0, bootini.MAX_SIZE + 1), name=where)
    except (BootConfigError, FileSystemError) as error:
        raise broken("boot.ini cannot be read", where, f"{error.what}. {error.advice}") from error
    if not menu.entries:
        raise unknown("boot.ini lists no operating system", where, *menu.problems, *trail.fitting())
    count = len(menu.entries)
    trail.holds("boot.ini is there", where, f"{count} entr{'ies' if count != 1 else 'y'}", *menu.problems)
    return menu


def follow_default(trail: Trail, menu: BootIni, system: Volume) -> BootTarget:
    """Follow the chain from boot.ini's default entry to the kernel."""
    where = f"{system.name}: \\boot.ini"
    path, line = _default_entry(trail, menu, where)
    arc, directory = _arc_path(trail, path, where)
    volume = _boot_partition(trail, arc, where)
    return _windows(trail, volume, directory, line)


def menu_targets(machine: Machine, menu: BootIni) -> Iterator[BootTarget]:
    """The entries of boot.ini that lead to a Windows, the default one among them."""
    for entry in menu.entries:
        volume = None if entry.arc is None else _named_volume(machine, entry.arc)
        if volume is None or volume.kind not in search.OPENABLE:
            continue
        try:
            filesystem = volume.filesystem()
            if search.has_system_hive(filesystem, entry.directory):
                yield BootTarget(volume, search.real_path(filesystem, entry.directory), _line(menu, entry.line))
        except FileSystemError:  # damage is told where the chain itself or the search of the volumes meets it
            continue


def _named_volume(machine: Machine, arc: ArcPath) -> Volume | None:
    if arc.kind is not ArcKind.MULTI or arc.adapter or arc.disk:
        return None
    return machine.volume(arc.rdisk, arc.partition)


def _line(menu: BootIni, number: int) -> str:
    return printable(menu.lines[number - 1].strip())


def _default_entry(trail: Trail, menu: BootIni, where: str) -> tuple[str, str]:
    """Return the default path and the line of boot.ini that it comes from."""
    if not menu.default:
        raise unknown("boot.ini names no default entry", where, "it has no line default=", *trail.fitting())
    entry = menu.default_entry()
    if entry is None:
        line = f"default={printable(menu.default)}"
        remark = "no line of [operating systems] has this path; ntldr starts it all the same"
        trail.holds("boot.ini names a default path", where, line, remark)
        return menu.default, line
    line = _line(menu, entry.line)
    trail.holds("boot.ini names a default entry", where, f"line {entry.line}: {line}")
    return entry.path, line


def _arc_path(trail: Trail, path: str, where: str) -> tuple[ArcPath, str]:
    shown = printable(path)
    if bootini.is_boot_sector_path(path):
        raise unknown(
            "the default entry starts a boot sector from a file, which bootgraft does not follow", where, shown
        )
    arc, directory = bootini.split_path(path)
    if arc is None:
        raise broken(
            "the default path is no ARC path with a directory",
            where,
            f"{shown}; it takes the form multi(0)disk(0)rdisk(0)partition(1)\\WINDOWS",
            *trail.fitting(),
        )
    if arc.kind is not ArcKind.MULTI:
        raise unknown(
            f"the default entry has a {arc.kind.value}() path, which bootgraft does not follow yet",
            where,
            shown,
            *trail.fitting(),
        )
    if arc.adapter or arc.disk:
        raise unknown(
            "the default entry has a multi() path whose first two numbers are not 0",
            where,
            f"{shown}; the BIOS tells disks apart by rdisk() only",
            *trail.fitting(),
        )
    return arc, directory


def _boot_partition(trail: Trail, arc: ArcPath, where: str) -> Volume:
    disks = trail.machine.disks
    if arc.rdisk >= len(disks):
        given = "1 disk was" if len(disks) == 1 else f"{len(disks)} disks were"
        raise broken(
            f"boot.ini points at disk {arc.rdisk}, which was not given",
            where,
            f"rdisk({arc.rdisk}) is disk {arc.rdisk} in BIOS order, counted from 0; {given} given",
            *trail.fitting(),
        )
    table = f"disk {arc.rdisk}, partition table"
    volume = trail.machine.volume(arc.rdisk, arc.partition)
    if volume is None:
        numbers = ", ".join(f"partition({v.number})" for v in disks[arc.rdisk].volumes if v.number is not None)
        raise broken(
            f"disk {arc.rdisk} has no partition({arc.partition}), at which boot.ini points",
            table,
            f"it has {numbers or 'no partition with a number'}",
            *trail.fitting(),
        )
    partition = volume.partition
    evidence = f"partition({arc.partition}) is slot {partition.slot}, type {partition.type}, at byte {partition.start}"
    trail.holds(f"the default entry's ARC path names {volume.name}", table, evidence)
    return volume


def _windows(trail: Trail, volume: Volume, directory: str, line: str) -> BootTarget:
    filesystem = trail.mount(volume, "the partition of the default entry")
    hive, kernel = search.system_hive(directory), f"{directory}\\system32\\ntoskrnl.exe"
    shown = printable(directory)
    if not trail.has_directory(volume, directory):
        raise broken(
            f"boot.ini points at {shown} on {volume.name}, which is not there",
            f"{volume.name}: {shown}",
            f"in the root is {trail.names_in_root(volume)}",
            *trail.fitting(),
        )
    for path, advice in (
        (hive, f"put one back, from a backup or from {shown}\\repair\\system (the state after Setup)"),
        (kernel, "put it back from the installation media of the same service pack"),
    ):
        if trail.file(volume, path) is None:
            name = path.rpartition("\\")[2]
            raise broken(
                f"the Windows that boot.ini points at has no {name}",
                f"{volume.name}: {printable(path)}",
                advice,
                *trail.fitting(),
            )
    real = search.real_path(filesystem, directory)
    trail.holds("a Windows is there", f"{volume.name}: {real}", f"{hive} and {kernel} are files")
    return BootTarget(volume, real, line)
