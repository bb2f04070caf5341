"""A boot.ini for the only Windows that ntldr can be meant to start.

Offered only where it is certain: where exactly one Windows on the given disks is one that ntldr starts, and every
volume could be searched. Format: Microsoft, "Overview of the Boot.ini File"; ``/fastdetect`` is what Setup writes since
Windows 2000.
"""

from bootgraft.boot import search
from bootgraft.boot.ntldr import bootini
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.search import FoundWindows
from bootgraft.machine import Machine
from bootgraft.text import printable
from bootgraft.windows.product import Product, find_product

_FIRST_WITH_FASTDETECT = (5, 0)
_NAME = 60
"""Characters of a description: a line of ntldr's menu has 80 columns."""


def only_windows(machine: Machine) -> tuple[tuple[FoundWindows, Product] | None, tuple[str, ...]]:
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


def new_menu(windows: FoundWindows, product: Product) -> bytes:
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
