r"""The part of the boot chain that ntldr walks, Windows NT 4 to Server 2003: from boot.ini to the Windows directory.

Behaviour: Microsoft, "Boot Process" in the Windows NT 4.0 and 2000 Resource Kits; Knowledge Base Q102873. What ntldr
does without a menu: Windows XP says "Invalid BOOT.INI file, Booting from C:\windows\" and takes that directory on the
first partition of the first disk (neosmart.net/wiki/invalid-boot-ini-file); NT 4 and 2000 take \WINNT there, and NT 4
does so without a line default= too (itprotoday.com, JSI tip 2745). Which of the two directories it is depends on the
release of ntldr, which no file tells: it is followed only where the Windows itself tells it.
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bios.loaders import require_plain
from bootgraft.boot.ntldr import bootini, bootsectorfile
from bootgraft.boot.ntldr.arcwalk import follow_path, to_windows, volume_of
from bootgraft.boot.ntldr.bootini import BootIni
from bootgraft.boot.steps import BootTarget, BrokenLinkError, broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.errors import BootConfigError, FileSystemError
from bootgraft.machine import Machine, Volume
from bootgraft.text import counted, printable
from bootgraft.windows.hives import hive_path
from bootgraft.windows.product import find_product

_FIRST_WITH_WINDOWS = (5, 1)
"""Up to 2000, Setup calls the directory WINNT, and so does the ntldr of that release; XP and 2003 call it WINDOWS."""

_DIRECTORIES = ("\\WINDOWS", "\\WINNT")
_FALLBACK = r"multi(0)disk(0)rdisk(0)partition(1)\WINDOWS (\WINNT in NT 4 and 2000)"


def check_loader(walk: ChainWalk, system: Volume) -> None:
    """Follow the chain over ntldr and NTDETECT.COM in the root of the system partition."""
    ntldr = walk.file(system, "\\ntldr")
    if ntldr is None:
        raise broken(
            "there is no ntldr on the active partition",
            f"{system.name}: \\ntldr",
            f"in the root is {walk.names_in_root(system)}",
            *walk.other_loaders(),
        )
    where = f"{system.name}: \\{ntldr.name}"
    require_plain(system, ntldr)
    walk.record_step("ntldr is on the active partition", where, f"a file of {ntldr.size} bytes", link=ntldr.name)
    ntdetect = walk.file(system, "\\NTDETECT.COM")
    if ntdetect is None:
        raise broken(
            "there is no NTDETECT.COM beside ntldr",
            f"{system.name}: \\NTDETECT.COM",
            "ntldr stops without it ('NTDETECT failed'); copy it from another machine with the same Windows",
        )
    walk.record_step(
        "NTDETECT.COM is beside it", f"{system.name}: \\{ntdetect.name}", f"a file of {ntdetect.size} bytes"
    )


def read_menu(walk: ChainWalk, system: Volume) -> BootIni:
    """Read boot.ini; where there is none, the menu says so. Neither is a link of its own: what ntldr then does is."""
    where = f"{system.name}: \\boot.ini"
    if walk.file(system, "\\boot.ini") is None:
        return bootini.NO_FILE
    try:
        menu = bootini.parse(system.filesystem().read("\\boot.ini", 0, bootini.MAX_SIZE + 1), name=where)
    except (BootConfigError, FileSystemError) as error:
        raise broken("boot.ini cannot be read", where, f"{error.what}. {error.advice}") from error
    if menu.entries:
        count = len(menu.entries)
        walk.record_step("boot.ini is there", where, counted(count, "entry", "entries"), *menu.problems)
    return menu


def follow_default(walk: ChainWalk, menu: BootIni, system: Volume) -> BootTarget:
    """Follow the chain from boot.ini's default entry, or from what ntldr has in its place, to the kernel."""
    if menu is bootini.NO_FILE:
        return _built_in(walk, system, menu, "there is no boot.ini")
    if not menu.entries:
        return _built_in(walk, system, menu, "boot.ini lists no operating system")
    if not menu.default:
        return _built_in(walk, system, menu, "boot.ini names no default entry")
    where = f"{system.name}: \\boot.ini"
    path, line = _default_entry(walk, menu, where)
    if bootini.is_boot_sector_path(path):
        raise _boot_sector(walk, system, path, line)
    return follow_path(walk, path, line, system, "boot.ini")


def menu_targets(machine: Machine, menu: BootIni) -> Iterator[BootTarget]:
    """The entries of boot.ini that lead to a Windows, the default one among them."""
    for entry in menu.entries:
        volume = None if entry.arc is None else volume_of(machine, entry.arc)
        if volume is None or volume.kind not in search.OPENABLE:
            continue
        try:
            filesystem = volume.filesystem()
            if search.has_system_hive(filesystem, entry.directory):
                yield BootTarget(volume, search.real_path(filesystem, entry.directory), _line(menu, entry.line))
        except FileSystemError:  # damage is told where the chain itself or the search of the volumes meets it
            continue


def _line(menu: BootIni, number: int) -> str:
    return printable(menu.lines[number - 1].strip())


def _default_entry(walk: ChainWalk, menu: BootIni, where: str) -> tuple[str, str]:
    """Return the default path and the line of boot.ini that it comes from."""
    entry = menu.default_entry()
    if entry is None:
        line = f"default={printable(menu.default or '')}"
        remark = "no line of [operating systems] has this path; ntldr starts it all the same"
        walk.record_step("boot.ini names a default path", where, line, remark, link="boot.ini default path")
        return menu.default or "", line
    line = _line(menu, entry.line)
    walk.record_step("boot.ini names a default entry", where, f"line {entry.line}: {line}", link="boot.ini default")
    return entry.path, line


def _boot_sector(walk: ChainWalk, system: Volume, path: str, line: str) -> BrokenLinkError:
    """The step at which ntldr hands over to a boot sector that it reads from a file of the system partition."""
    name = bootsectorfile.file_of(path)
    where = f"{system.name}: {printable(name)}"
    if path.strip()[:1].upper() != "C":
        return unknown("the default entry starts a boot sector from a file on another drive than C:", where, line)
    file = walk.file(system, name)
    if file is None:
        return broken("the default entry starts a boot sector from a file that is not there", where, line)
    try:
        data = system.filesystem().read(name, 0, bootsectorfile.MAX_SIZE)
    except FileSystemError as error:
        return broken("the boot sector of the default entry cannot be read", where, f"{error.what}. {error.advice}")
    started = bootsectorfile.what_starts(data)
    if not started.system:
        what = "the default entry starts a boot sector from a file, and what that starts is not known"
        return unknown(what, where, line, f"a file of {file.size} bytes that names no loader")
    what = f"the default entry starts {started.system}, not a Windows of its own"
    return unknown(what, where, line, f"the boot sector in that file looks for {started.name}")


def _built_in(walk: ChainWalk, system: Volume, menu: BootIni, what: str) -> BootTarget:
    """Follow ntldr to what it starts where boot.ini tells it nothing."""
    where = f"{system.name}: \\boot.ini"
    volume = walk.machine.volume(0, 1)
    problems = menu.problems if menu is not bootini.NO_FILE else ()
    if volume is None or volume.kind not in search.OPENABLE:
        raise unknown(what, where, *problems, f"ntldr then tries {_FALLBACK}, which cannot be read", *walk.fitting())
    here = [each for each in _DIRECTORIES if walk.file(volume, hive_path(each, "SYSTEM")) is not None]
    if not here:
        end = (
            unknown if menu.entries else broken
        )  # what a release later than NT 4 does with entries is not written down
        raise end(what, where, *problems, f"ntldr then tries {_FALLBACK}, and there is none", *walk.fitting())
    product = find_product(volume, here[0])
    newer = product is not None and product.starts_by_ntldr and product.version >= _FIRST_WITH_WINDOWS
    if here[0] != _DIRECTORIES[0] or not newer or not _menu_agrees(walk.machine, menu, volume):
        raise unknown(what, where, *problems, f"ntldr then tries {_FALLBACK}", *walk.fitting())
    walk.record_step(
        f"{what}, and ntldr starts {_DIRECTORIES[0]} on the first partition of the first disk",
        where,
        *problems,
        f"the Windows in it is NT {product.version[0]}.{product.version[1]}" if product else "",
        link="ntldr's own default",
    )
    return to_windows(walk, volume, _DIRECTORIES[0], "", "ntldr")


def _menu_agrees(machine: Machine, menu: BootIni, volume: Volume) -> bool:
    """Whether no entry of a menu without a default names anything else: which rule ntldr follows is then the same."""
    named = [(volume_of(machine, each.arc) if each.arc else None, each.directory.casefold()) for each in menu.entries]
    return all(each == (volume, _DIRECTORIES[0].casefold()) for each in named)
