r"""A boot.ini that names nothing to start, or another system, and the text that it should have where that is certain.

It is certain where exactly one Windows on the given disks is one that ntldr starts, and every volume could be searched.
Format: Microsoft, "Overview of the Boot.ini File"; ``/fastdetect`` is what Setup writes since Windows 2000. Attributes
do not matter to ntldr ("Boot Options in a Boot.ini File").
"""

import hashlib
from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.menufault import MenuFault, MenuFaultKind
from bootgraft.boot.ntldr import arcwalk, bootini, bootsectorfile, menuedit
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
from bootgraft.boot.search import FoundWindows
from bootgraft.changes import FileId, WriteFile
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable
from bootgraft.windows.product import Product, find_product

_PATH = "\\boot.ini"
_FIRST_WITH_FASTDETECT = (5, 0)
_NAME = 60
"""Characters of a description: a line of ntldr's menu has 80 columns."""


def missing_menu(machine: Machine, system: Volume, menu: BootIni) -> MenuFault:
    """The fault of a boot.ini that is not there or lists nothing.

    Raises FileSystemError where a boot.ini that is there cannot be read again.
    """
    file = search.find_entry(system.filesystem(), _PATH)
    what = "there is no boot.ini" if file is None else "boot.ini lists no operating system"
    certain, evidence = _only_windows(machine)
    place = f"{system.name}: {_PATH}"
    shown = (f"{place} is not there",) if file is None else (place, *menu.problems)
    shown = (*shown, *evidence)
    if certain is None:
        return MenuFault(MenuFaultKind.MISSING, what, shown, None)
    data = _new_menu(*certain)
    old = b"" if file is None else system.filesystem().read(_PATH)
    change = _write(system, data, None if file is None else old, "a new boot.ini for the only Windows on the disks")
    return MenuFault(MenuFaultKind.MISSING, what, shown, change)


def missing_default(machine: Machine, system: Volume, menu: BootIni) -> MenuFault:
    """The fault of a boot.ini that has entries and no default. Raises FileSystemError where it cannot be read again."""
    what = "boot.ini has entries but no default"
    place = f"{system.name}: {_PATH}"
    certain, evidence = _only_windows(machine)
    leading = [each for each in menu.entries if certain and _leads_to(machine, each, certain[0])]
    shown = tuple(_entry_lines(menu, tuple(each for each in menu.entries if each.arc)))
    if not leading:
        return MenuFault(MenuFaultKind.NO_DEFAULT, what, (place, *shown, *evidence), None, _by_hand(menu))
    old = system.filesystem().read(_PATH)
    data = menuedit.with_default(old, menu, leading[0].path)
    change = _write(system, data, old, "boot.ini as it is, with a default")
    return MenuFault(MenuFaultKind.NO_DEFAULT, what, (place, *shown, *evidence), change)


def boots_other(system: Volume, menu: BootIni) -> MenuFault:
    """The fault of a boot.ini whose default is the boot sector of another system, in a file. It may well be meant."""
    file = bootsectorfile.file_of(menu.default or "")
    evidence = (
        f"{system.name}: {_PATH}: default={printable(menu.default or '')}, which is the file {printable(file)}",
        *_entry_lines(menu, tuple(each for each in menu.entries if each.arc)),
    )
    what = "the default of boot.ini is no Windows, but a boot sector in a file"
    return MenuFault(MenuFaultKind.BOOTS_OTHER, what, evidence, None, _by_hand(menu))


def _by_hand(menu: BootIni) -> str:
    """What to write by hand, where one entry alone is a Windows."""
    paths = list(dict.fromkeys(printable(each.path) for each in menu.entries if each.arc))
    if len(paths) == 1:
        where = f"in line {menu.default_line}" if menu.default_line else "below [boot loader]"
        return f" To start its only Windows by default, put {paths[0]} behind default= {where} of boot.ini."
    return " To start a Windows by default, put the path of its entry behind default= below [boot loader]."


def _only_windows(machine: Machine) -> tuple[tuple[FoundWindows, Product] | None, tuple[str, ...]]:
    """The one Windows that ntldr can be meant to start, None where that is not certain, and what was found."""
    windows, notes = search.find_windows(machine)
    known = [(each, find_product(each.volume, each.directory)) for each in windows]
    fitting = [(each, product) for each, product in known if product is not None and product.starts_by_ntldr]
    doubts = [
        f"of which release {printable(str(each))} is cannot be read" for each, product in known if product is None
    ]
    listed = ", ".join(f"{printable(str(each))} (NT {p.version[0]}.{p.version[1]})" for each, p in fitting)
    evidence = (f"on the given disks is {listed or 'no Windows that ntldr starts'}", *doubts, *notes)
    certain = len(fitting) == 1 and not doubts and not notes and fitting[0][0].volume.number is not None
    return (fitting[0] if certain else None), evidence


def _leads_to(machine: Machine, entry: BootEntry, windows: FoundWindows) -> bool:
    volume = None if entry.arc is None else arcwalk.volume_of(machine, entry.arc)
    if volume is not windows.volume:
        return False
    try:
        return search.real_path(windows.volume.filesystem(), entry.directory) == windows.directory
    except (FileSystemError, PartitionTableError):
        return False


def _new_menu(windows: FoundWindows, product: Product) -> bytes:
    """A boot.ini with one entry, as Setup writes it."""
    number = windows.volume.number
    if number is None:
        raise ValueError(windows)
    path = f"{ArcPath(ArcKind.MULTI, 0, 0, windows.volume.disk, number)}{windows.directory}"
    name = product.written_name[:_NAME]
    if not name or not name.isascii() or not name.isprintable() or '"' in name:
        name = f"Windows NT {product.version[0]}.{product.version[1]}"
    switches = " /fastdetect" if product.version >= _FIRST_WITH_FASTDETECT else ""
    lines = ("[boot loader]", "timeout=30", f"default={path}", "[operating systems]", f'{path}="{name}"{switches}', "")
    return "\r\n".join(lines).encode(bootini.ENCODING)


def _write(system: Volume, data: bytes, old: bytes | None, origin: str) -> WriteFile:
    name = "boot.ini" if old is None else system.filesystem().stat(_PATH).name
    file = FileId(system.disk, system.partition.start, system.name, f"\\{name}")
    before = None if old is None else hashlib.sha256(old).hexdigest()
    return WriteFile(file, data, before, origin, old=old or b"")


def _entry_lines(menu: BootIni, entries: tuple[BootEntry, ...]) -> Iterator[str]:
    return (f"line {each.line}: {printable(menu.lines[each.line - 1].strip())}" for each in entries)
