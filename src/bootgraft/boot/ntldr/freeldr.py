r"""The part of the boot chain that FreeLoader walks (ReactOS): from freeldr.ini to the directory of ReactOS.

Behaviour: ``boot/freeldr`` of the ReactOS source. The boot sector starts ``\freeldr.sys``; ``SystemPath=`` is an ARC
path, or a directory on the partition that FreeLoader itself was started from.
"""

from bootgraft.boot.ntldr import bootini, freeldrini
from bootgraft.boot.ntldr.arcwalk import follow_path, to_windows
from bootgraft.boot.ntldr.freeldrini import FreeldrIni
from bootgraft.boot.steps import BootTarget, broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.errors import BootConfigError, FileSystemError
from bootgraft.machine import Volume
from bootgraft.text import counted, printable

LOADER = "\\freeldr.sys"


def check_loader(walk: ChainWalk, system: Volume) -> None:
    """Follow the chain over freeldr.sys in the root of the system partition."""
    loader = walk.file(system, LOADER)
    where = f"{system.name}: {LOADER}"
    if loader is None:
        evidence = f"in the root is {walk.names_in_root(system)}"
        raise broken("there is no freeldr.sys on the active partition", where, evidence, *walk.other_loaders())
    walk.record_step(
        "freeldr.sys is on the active partition", where, f"a file of {loader.size} bytes", link="freeldr.sys"
    )


def read_menu(walk: ChainWalk, system: Volume) -> FreeldrIni:
    """Follow the chain to freeldr.ini."""
    where = f"{system.name}: \\{freeldrini.FILE}"
    if walk.file(system, f"\\{freeldrini.FILE}") is None:
        raise broken("there is no freeldr.ini", where, "FreeLoader stops without it", *walk.fitting())
    try:
        data = system.filesystem().read(f"\\{freeldrini.FILE}", 0, bootini.MAX_SIZE + 1)
        ini = freeldrini.parse(data, name=where)
    except (BootConfigError, FileSystemError) as error:
        raise broken("freeldr.ini cannot be read", where, f"{error.what}. {error.advice}") from error
    if not ini.entries:
        raise broken("freeldr.ini lists no operating system", where, *walk.fitting())
    count = len(ini.entries)
    walk.record_step("freeldr.ini is there", where, counted(count, "entry", "entries"))
    return ini


def follow_default(walk: ChainWalk, ini: FreeldrIni, system: Volume) -> BootTarget:
    """Follow the chain from freeldr.ini's default entry to the kernel."""
    default = ini.default
    if default is None:
        raise ValueError(ini)
    where = f"{system.name}: \\{freeldrini.FILE}"
    named = (ini.default_name or "").casefold() == default.name.casefold()
    remark = "" if named else "; the first one, as DefaultOS= names none of them"
    what = "freeldr.ini names a default entry" if named else "freeldr.ini has a first entry"
    shown = f"line {default.line}: {printable(default.name)}, {printable(default.boot_type)}{remark}"
    walk.record_step(what, where, shown, link="freeldr.ini default")
    if default.nt is None:
        shown = f"{printable(default.name)} has BootType={printable(default.boot_type)}"
        raise unknown("the default entry of freeldr.ini starts no installed NT", where, shown, *walk.fitting())
    path, line = default.nt.path, printable(ini.menu.lines[default.nt.line - 1].strip())
    if path and ")" not in path:  # relative to where FreeLoader itself is
        directory = "\\" + path.strip("\\")
        if directory == "\\":
            raise unknown("the SystemPath= of the default entry is the root of a volume", where, line)
        return to_windows(walk, system, directory, line, freeldrini.FILE)
    return follow_path(walk, path, line, system, freeldrini.FILE)
