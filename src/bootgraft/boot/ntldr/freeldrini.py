r"""freeldr.ini: the menu of FreeLoader, the loader of ReactOS (an NT 5.2).

Format: ``boot/freeldr/FREELDR.INI``, ``settings.c``, ``oslist.c`` and ``inifile`` of the ReactOS source. Names in
``[Operating Systems]`` are sections of their own, with ``BootType=`` and, for an NT, ``SystemPath=`` and ``Options=``.
Names are compared without regard to case, of equal ones the first counts, ``;`` begins a comment line.
"""

import re

from msgspec import Struct

from bootgraft.boot.ntldr import bootini
from bootgraft.boot.ntldr.bootini import BootEntry, BootIni

FILE = "freeldr.ini"
NT_TYPES = frozenset({"windows", "windows2003", "windowsnt40"})
_LOADER_SECTIONS = ("freeloader", "boot loader", "flexboot", "multiboot")
_BLANKS = " \t"
_SWITCH = re.compile(r"/\S+")


class Setting(Struct, frozen=True):
    """One ``name=value`` with the line that it stands on, counted from 1."""

    name: str
    value: str
    line: int


class FreeldrEntry(Struct, frozen=True):
    """One line of ``[Operating Systems]``: its name, the type of what it starts, and for an NT its path and switches.

    ``nt.path`` is empty where SystemPath= is missing.
    """

    name: str
    boot_type: str  # as written; "Windows" where none is
    line: int
    nt: BootEntry | None


class FreeldrIni(Struct, frozen=True):
    """What freeldr.ini says. ``default_name`` is DefaultOS=, None where there is none; ``menu`` has the NT entries."""

    default_name: str | None
    entries: tuple[FreeldrEntry, ...]
    menu: BootIni

    @property
    def default(self) -> FreeldrEntry | None:
        """What FreeLoader starts: the entry of that name, else the first one; None where there is none at all."""
        return _default(self.default_name, self.entries)


def parse(data: bytes, *, name: str) -> FreeldrIni:
    """Read freeldr.ini; ``name`` is what errors say as where. Raises BootConfigError as :func:`.bootini.parse` does."""
    text = bootini.text_of(data, name=name, file=FILE)
    lines = tuple(re.split(r"\r\n|\r|\n", text))
    sections = _sections(lines)
    loader = next((sections[each] for each in _LOADER_SECTIONS if each in sections), [])
    default_name = _value(loader, "DefaultOS")
    entries = tuple(_entry(each, sections) for each in sections.get("operating systems", []))
    default = _default(default_name, entries)
    path = default.nt.path if default is not None and default.nt is not None else None
    found = tuple(each.nt for each in entries if each.nt is not None and each.nt.path)
    menu = BootIni(None, path or None, found, (), lines, file=FILE)
    return FreeldrIni(default_name, entries, menu)


def _default(name: str | None, entries: tuple[FreeldrEntry, ...]) -> FreeldrEntry | None:
    wanted = None if name is None else name.casefold()
    return next((each for each in entries if each.name.casefold() == wanted), entries[0] if entries else None)


def _sections(lines: tuple[str, ...]) -> dict[str, list[Setting]]:
    """The settings of each section by its name in lower case; of two with one name the first counts."""
    sections: dict[str, list[Setting]] = {}
    current: list[Setting] | None = None
    for number, line in enumerate(lines, start=1):
        text = line.strip(_BLANKS)
        if not text or text.startswith(";"):
            continue
        if text.startswith("["):
            current = []
            sections.setdefault(text[1:].partition("]")[0].casefold(), current)
        elif "=" in text and current is not None:
            key, _, value = text.partition("=")
            current.append(Setting(key.strip(_BLANKS), value.strip(_BLANKS), number))
    return sections


def _value(settings: list[Setting], name: str) -> str | None:
    found = _setting(settings, name)
    return None if found is None else found.value


def _setting(settings: list[Setting], name: str) -> Setting | None:
    return next((each for each in settings if each.name.casefold() == name.casefold()), None)


def _entry(listed: Setting, sections: dict[str, list[Setting]]) -> FreeldrEntry:
    title, further = _title(listed.value)
    settings = sections.get(listed.name.casefold())
    if settings is None:  # as in boot.ini: the name is the path itself
        boot_type = "BootSector" if bootini.is_boot_sector_path(listed.name) else "Windows"
        path = Setting("SystemPath", listed.name, listed.line)
        options = further
    else:
        boot_type = _value(settings, "BootType") or "Windows"
        path = _setting(settings, "SystemPath") or Setting("SystemPath", "", listed.line)
        options = f"{_value(settings, 'Options') or ''} {further}"
    nt = None
    if boot_type.casefold() in NT_TYPES:
        arc, directory = bootini.split_path(path.value)
        nt = BootEntry(path.value, arc, directory, title, tuple(_SWITCH.findall(options)), path.line)
    return FreeldrEntry(listed.name, boot_type, listed.line, nt)


def _title(value: str) -> tuple[str, str]:
    """The name in the menu, and options behind it."""
    if not value.startswith('"'):
        return value.strip(_BLANKS), ""
    title, _, rest = value[1:].partition('"')
    return title, rest
