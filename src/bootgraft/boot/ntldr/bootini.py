"""boot.ini: the menu of ntldr, Windows NT 4 to Server 2003.

Format: Microsoft, "Boot Options in a Boot.ini File" and the NT 4 Resource Kit, "Contents and Purpose of Boot.ini".
A line-oriented text in the OEM code page. Nothing is thrown away: :attr:`BootIni.lines` holds every line as it was,
and what ntldr would not understand is listed as a problem with its line number.
"""

import re

from msgspec import Struct

from bootgraft.boot.ntldr.arc import ArcPath, parse_arc
from bootgraft.errors import BootConfigError

MAX_SIZE = 64 * 1024
"""Bytes of boot.ini read at most: ntldr reads far less, and no menu needs more."""

ENCODING = "cp437"
"""The OEM code page of the loader's text mode. It gives each of the 256 bytes its own character: nothing gets lost."""

_DRIVE = re.compile(r"[A-Za-z]:\\", re.ASCII)
_BLANKS = " \t"  # what Python strips by itself includes bytes that are letters in some code page
_END_OF_TEXT = re.compile(r"[\0\x1a]")


class BootEntry(Struct, frozen=True):
    r"""One line of ``[operating systems]``."""

    path: str  # the left side, as written
    arc: ArcPath | None  # None for a boot sector file (C:\...) and for what cannot be understood
    directory: str  # "\WINDOWS", without a trailing backslash; empty where arc is None
    description: str
    switches: tuple[str, ...]  # "/fastdetect", as written
    line: int  # counted from 1

    @property
    def is_boot_sector(self) -> bool:
        r"""Whether it starts another system's boot sector from a file on the system partition (``C:\BOOTSECT.DOS``)."""
        return is_boot_sector_path(self.path)


class BootIni(Struct, frozen=True):
    """What boot.ini says. ``timeout`` is in seconds (-1 waits for ever), None where it says none."""

    timeout: int | None
    default: str | None  # the path as written; None where there is no such line
    entries: tuple[BootEntry, ...]
    problems: tuple[str, ...]
    lines: tuple[str, ...]  # without line ends
    default_line: int | None = None  # where the default stands, counted from 1
    loader_line: int | None = None  # where the section [boot loader] begins
    file: str = "boot.ini"  # FreeLoader's freeldr.ini gives a menu of the same shape

    def default_entry(self) -> BootEntry | None:
        """Return the entry whose path is the default one; None where there is none, or no default."""
        if self.default is None:
            return None
        return next((entry for entry in self.entries if same_path(entry.path, self.default)), None)


NO_FILE = BootIni(None, None, (), ("there is no boot.ini",), ())
"""What a menu says that is not there."""


def parse(data: bytes, *, name: str) -> BootIni:
    """Read boot.ini; ``name`` is what errors say as where.

    Raises:
        BootConfigError: it is larger than MAX_SIZE, or text in UTF-16, which ntldr cannot read.
    """
    return _Parser().parse(text_of(data, name=name, file="boot.ini"))


def text_of(data: bytes, *, name: str, file: str) -> str:
    """The text of a boot menu up to its end mark; ``file`` is what errors call it, ``name`` where it lies.

    Raises:
        BootConfigError: it is larger than MAX_SIZE, or text in UTF-16, which the loader cannot read.
    """
    if len(data) > MAX_SIZE:
        raise BootConfigError(
            f"{file} has more than {MAX_SIZE} bytes",
            where=name,
            advice=f"The loader reads only the beginning of a file that large; write a {file} of a few lines in its "
            "place",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BootConfigError(
            f"{file} is saved as UTF-16 text, which the loader cannot read",
            where=name,
            advice="Save it as plain (ANSI) text with the same content",
        )
    return _END_OF_TEXT.split(data.decode(ENCODING), maxsplit=1)[0]


def split_path(path: str) -> tuple[ArcPath | None, str]:
    r"""Split a path of boot.ini into the ARC path and the directory (``\WINDOWS``); (None, "") where it has none."""
    parsed = parse_arc(path.strip(_BLANKS))
    if parsed is None:
        return None, ""
    arc, rest = parsed
    directory = rest.rstrip("\\" + _BLANKS)
    return (arc, directory) if directory.startswith("\\") else (None, "")


def is_boot_sector_path(path: str) -> bool:
    r"""Whether a path is one of a file on a drive (``C:\BOOTSECT.DOS``) or of the drive's own boot sector (``C:\``)."""
    return bool(_DRIVE.match(path.strip(_BLANKS)))


def same_path(one: str, other: str) -> bool:
    """Whether two paths of boot.ini are one to ntldr."""
    return _comparable(one) == _comparable(other)


def _comparable(path: str) -> str:
    return path.strip(_BLANKS).rstrip("\\").casefold()


class _Parser:
    """The state while the lines are gone through once."""

    def __init__(self) -> None:
        self.section = ""
        self.sections: set[str] = set()
        self.timeout: int | None = None
        self.default: str | None = None
        self.default_line: int | None = None
        self.loader_line: int | None = None
        self.entries: list[BootEntry] = []
        self.problems: list[str] = []

    def parse(self, text: str) -> BootIni:
        lines = tuple(re.split(r"\r\n|\r|\n", text))
        for number, line in enumerate(lines, start=1):
            self._line(number, line.strip(_BLANKS))
        for section in ("boot loader", "operating systems"):
            if section not in self.sections:
                self.problems.append(f"there is no [{section}] section")
        entries, problems = tuple(self.entries), tuple(self.problems)
        return BootIni(self.timeout, self.default, entries, problems, lines, self.default_line, self.loader_line)

    def _line(self, number: int, line: str) -> None:
        if not line or line.startswith(";"):
            return
        if line.startswith("["):
            self._header(number, line)
        elif self.section == "boot loader":
            self._key(number, line)
        elif self.section == "operating systems":
            self._entry(number, line)
        elif not self.section:
            self.problems.append(f"line {number} stands before the first section")

    def _header(self, number: int, line: str) -> None:
        name, closing, _ = line[1:].partition("]")
        self.section = name.strip(_BLANKS).casefold()
        self.sections.add(self.section)
        if self.section == "boot loader" and self.loader_line is None:
            self.loader_line = number
        if not closing:
            self.problems.append(f"line {number}: the section name lacks its closing bracket")
        if self.section not in ("boot loader", "operating systems"):
            self.problems.append(f"line {number}: ntldr knows no section of this name")

    def _key(self, number: int, line: str) -> None:
        key, equals, value = (part.strip(_BLANKS) for part in line.partition("="))
        if not equals:
            self.problems.append(f"line {number} has no '='")
        elif key.casefold() == "default" and self.default is None:
            self.default, self.default_line = value, number
        elif key.casefold() == "timeout" and self.timeout is None:
            if re.fullmatch(r"-1|\d{1,9}", value, re.ASCII):
                self.timeout = int(value)
            else:
                self.problems.append(f"line {number}: the timeout is not a number of seconds")
        elif key.casefold() in ("default", "timeout"):
            self.problems.append(f"line {number}: '{key.casefold()}' is there already; the first one counts")

    def _entry(self, number: int, line: str) -> None:
        path, equals, rest = line.partition("=")
        if not equals:  # switches may follow a path that has no description
            path, slash, rest = line.partition("/")
            rest = slash + rest
        path = path.strip(_BLANKS)
        description, switches, problem = _split_description(rest.strip(_BLANKS))
        arc, directory = split_path(path)
        entry = BootEntry(path, arc, directory, description, switches, number)
        self.entries.append(entry)
        if problem:
            self.problems.append(f"line {number}: {problem}")
        if arc is None and not entry.is_boot_sector:
            self.problems.append(
                f"line {number}: the path is neither an ARC path with a directory nor a file on a drive"
            )


def _split_description(text: str) -> tuple[str, tuple[str, ...], str]:
    """Split what follows the ``=`` into the description, the switches and what is wrong with it (mostly nothing)."""
    problem = ""
    if text.startswith('"'):
        description, closing, rest = text[1:].partition('"')
        if not closing:
            return description.strip(_BLANKS), (), "the description lacks its closing quotation mark"
    else:
        description, slash, rest = text.partition("/")
        rest = slash + rest
    switches = tuple("/" + each.strip(_BLANKS) for each in rest.split("/")[1:] if each.strip(_BLANKS))
    return description.strip(_BLANKS), switches, problem
