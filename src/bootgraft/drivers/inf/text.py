"""The text of an INF file: sections, lines, fields and ``%strings%``, as setupapi reads them.

Microsoft, "General Syntax Rules for INF Files" and "INF Strings Section" (Windows driver documentation); where they
are silent, as ReactOS and Wine read it (``setupapi/parser.c``). Nothing is interpreted here. Files are hostile input:
sizes and counts are bounded, and strings are put in where a line is asked for, not before.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from bootgraft.errors import DriverSourceError

MAX_SIZE = 8 * 2**20
"""Bytes of one INF: the longest that Windows itself brings have some 3 MiB."""
MAX_LINES = 200_000
MAX_TOKENS = 1_500_000
MAX_TEXT = 4096
"""Characters of one field, before and after its strings are put in: setupapi's own bound."""

_ENGLISH = ("strings.0409", "strings.0009")
_ADVICE = "Take the driver package from another source"

_BLANK = re.compile(r"[ \t\f\v\xa0\r\n]+|;[^\r\n]*")  # or a comment
_SECTION = re.compile(r"\[([^\]\r\n]*)(\])?")
_TOKEN = re.compile(
    rf"""(?P<end>\r\n?|\n|\Z)
      | (?P<continued>\\[\\ \t]*(?:;[^\r\n]*)?(?:\r\n?|\n|\Z)[ \t]*)
      | (?P<comment>;[^\r\n]*)
      | "(?P<quoted>[^"\r\n]*(?:""[^"\r\n]*){{0,{MAX_TEXT + 1}}})"?
      | (?P<comma>,)
      | (?P<equals>=)
      | (?P<plain>[^",;=\\\r\n]+|\\)""",
    re.VERBOSE,
)
_STRING = re.compile(r"%([^%]*)%")
_ORDINARY = re.compile(r"([^;\r\n]+)(?:\r\n?|\n|\Z)")
_QUOTED_VALUE = re.compile(r'([^",;=\\\r\n]+)=[ \t]*"([^"\r\n]*)"[ \t]*(?:\r\n?|\n|\Z)')
"""``key = "text"``, as most strings are written."""


class InfLine(Struct, frozen=True):
    """One line: ``key = field, field``. ``key`` is None where there is no ``=``; ``number`` counts from 1."""

    key: str | None
    fields: tuple[str, ...]
    number: int

    def field(self, index: int) -> str:
        """One field behind the ``=``; empty where there are not so many."""
        return self.fields[index] if index < len(self.fields) else ""


class InfFile(Struct, frozen=True, dict=True):
    """One INF file; ``name`` is what errors say as where. Sections of one name are one section, in file order."""

    name: str
    raw: Mapping[str, tuple[InfLine, ...]]  # by name in lower case, strings not put in

    def has(self, section: str) -> bool:
        """Whether there is such a section, be it an empty one."""
        return section.casefold() in self.raw

    def section(self, name: str) -> tuple[InfLine, ...]:
        """The lines of a section with their strings put in; none where there is no such section.

        Raises:
            DriverSourceError: a string becomes too long.
        """
        return tuple(map(self._expanded, self.raw.get(name.casefold(), ())))

    def values(self, section: str, key: str) -> Iterator[InfLine]:
        """The lines of a section with this key, in any case."""
        wanted = key.casefold()
        for line in self.raw.get(section.casefold(), ()):
            if line.key is not None and self._text(line.key, line.number).casefold() == wanted:
                yield self._expanded(line)

    def value(self, section: str, key: str, index: int = 0) -> str:
        """A field of the first line with this key; empty where there is none."""
        line = next(self.values(section, key), None)
        return "" if line is None else line.field(index)

    def error(self, what: str, line: int | None = None) -> DriverSourceError:
        """An error about this file."""
        return _error(what, self.name, line)

    @cached_property
    def _strings(self) -> Mapping[str, str]:
        """Every string: Windows takes one section by the user's language; bootgraft English, then whatever there is."""
        localized = sorted(name for name in self.raw if name.startswith("strings.") and name not in _ENGLISH)
        strings: dict[str, str] = {}
        for name in (*_ENGLISH, "strings", *localized):
            for line in self.raw.get(name, ()):
                if line.key is not None:
                    strings.setdefault(line.key.casefold(), line.field(0))
        return strings

    def _expanded(self, line: InfLine) -> InfLine:
        key = None if line.key is None else self._text(line.key, line.number)
        return InfLine(key, tuple(self._text(each, line.number) for each in line.fields), line.number)

    def _text(self, text: str, line: int) -> str:
        """Put strings in; what is no string (``%12%``, a directory) stays, and ``%%`` is one ``%``."""
        if "%" not in text:
            return text
        length = len(text)

        def put(match: re.Match[str]) -> str:
            nonlocal length
            name = match[1]
            value = self._strings.get(name.casefold(), match[0]) if name else "%"
            length += len(value)
            if length > 2 * MAX_TEXT:
                raise self.error(f"a field has more than {MAX_TEXT} characters once its strings are put in", line)
            return value

        return _STRING.sub(put, text)


def parse_inf(data: bytes, name: str) -> InfFile:
    """Read an INF file. ``name`` is what errors say as where.

    Raises:
        DriverSourceError: it is no INF, or setupapi would not take it. Text before the first section is skipped:
            vendors leave some in packages that Microsoft has signed.
    """
    sections: dict[str, list[InfLine]] = {}
    current: list[InfLine] | None = None
    scanner = _Scanner(decode_inf(data, name), name)
    count = 0
    while scanner.more():
        section = scanner.section()
        if section is not None:
            current = sections.setdefault(section.casefold(), [])
            continue
        line = scanner.line()
        if line is None:
            continue
        if current is not None:
            current.append(line)
        count += 1
        if count > MAX_LINES:
            raise _error(f"it has more than {MAX_LINES} lines, more than any INF", name)
    if not sections:
        raise _error("there is no [section] in it: this is no INF file", name)
    return InfFile(name, {section: tuple(lines) for section, lines in sections.items()})


def decode_inf(data: bytes, name: str) -> str:
    """The text up to a Ctrl-Z. Windows tells UTF-16 by its mark or its look; all else is in the machine's code page.

    Raises:
        DriverSourceError: this is no text, or there is too much of it.
    """
    if len(data) > MAX_SIZE:
        raise _error(f"it has more than {MAX_SIZE >> 20} MiB, more than any INF", name)
    if data.startswith(codecs.BOM_UTF8):
        text = data[3:].decode("utf-8", "replace")
    elif data.startswith(codecs.BOM_UTF16_LE) or data[1:2] == b"\0":
        text = data.decode("utf-16-le", "replace")
    elif data.startswith(codecs.BOM_UTF16_BE) or data[:1] == b"\0":
        text = data.decode("utf-16-be", "replace")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    text = text.removeprefix("\ufeff").partition("\x1a")[0]
    if "\0" in text:
        raise _error("it holds NUL characters: this is no INF file", name)
    return text


class _Scanner:
    """Goes through the text once, line by line."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._number = 1
        self._tokens = 0

    def more(self) -> bool:
        """Skip blank lines and comments; whether anything is left."""
        while (blank := _BLANK.match(self._text, self._at)) is not None:
            self._take(blank)
        return self._at < len(self._text)

    def section(self) -> str | None:
        """The name of the section that begins here, if one does."""
        match = _SECTION.match(self._text, self._at)
        if match is None:
            return None
        if match[2] is None:
            raise _error("a [section] lacks its closing bracket", self._name, self._number)
        self._take(match)
        return match[1].strip()

    def line(self) -> InfLine | None:
        """The line that begins here, with those that continue it; None where it says nothing."""
        number = self._number
        ordinary = self._ordinary_line()
        if ordinary is not None:
            return ordinary
        reading = _Fields()
        while True:
            token = _TOKEN.match(self._text, self._at)
            if token is None:  # cannot be: the pattern takes any character
                raise ValueError(self._text[self._at : self._at + 1])
            self._take(token)
            self._tokens += 1
            if self._tokens > MAX_TOKENS:
                raise _error("it has more words than any INF", self._name, number)
            if token.lastgroup == "end":
                return reading.line(number)
            reading.take(token)
            if reading.length > MAX_TEXT:
                raise _error(f"a field has more than {MAX_TEXT} characters", self._name, number)

    def _ordinary_line(self) -> InfLine | None:
        """The line that begins here where no word of it needs a closer look: the same fields, many times faster."""
        key: str | None
        fields: tuple[str, ...]
        match = _QUOTED_VALUE.match(self._text, self._at)
        if match is not None:
            key, fields = match[1], (match[2],)
        else:
            match = _ORDINARY.match(self._text, self._at)
            bare = "" if match is None else _without_quotes(match[1])
            if match is None or not bare:
                return None
            key, fields = _split(bare)
        if match.end() - match.start() > MAX_TEXT:
            return None
        line = InfLine(key and key.strip(), fields, self._number)
        self._take(match)
        self._tokens += 2 * len(fields)
        return line

    def _take(self, match: re.Match[str]) -> None:
        taken = match[0]
        self._number += taken.count("\n") + taken.count("\r") - taken.count("\r\n")
        self._at = match.end()


def _without_quotes(line: str) -> str:
    """A line without the quotes in it, where these change nothing else; empty where they do, or where it goes on."""
    if line.rstrip(" \t").endswith("\\"):
        return ""
    if '"' not in line:
        return line.strip()
    if '""' in line or line.count('"') % 2:
        return ""
    quoted = line.split('"')[1::2]
    plain = not any("," in text or "=" in text or text != text.strip() for text in quoted)
    return line.replace('"', "") if plain else ""


def _split(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The key and the fields of a line without quotes; an ``=`` behind a comma is text."""
    key, equals, rest = text.partition("=")
    if not equals or "," in key:
        return None, tuple(map(str.strip, text.split(",")))
    return key, tuple(map(str.strip, rest.split(",")))


class _Fields:
    """The fields of one line as they are read; blanks around a field count only in quotes."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._fields: list[str] = []
        self._pieces: list[tuple[str, bool]] = []  # text, whether it was in quotes
        self._anything = False
        self.length = 0  # characters of the field that is being read

    def take(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "comma":
                self._anything = True
                self._fields.append(self._field())
            case "equals" if self._key is None and not self._fields:
                self._anything = True
                self._key = self._field()
            case "equals" | "plain":
                self._add(token[0], quoted=False)
            case "quoted":
                self._anything = True
                self._add(token["quoted"].replace('""', '"'), quoted=True)

    def line(self, number: int) -> InfLine | None:
        last = self._field()
        if not (self._anything or last):
            return None
        return InfLine(self._key, (*self._fields, last), number)

    def _add(self, text: str, *, quoted: bool) -> None:
        self._pieces.append((text, quoted))
        self.length += len(text)

    def _field(self) -> str:
        pieces, self._pieces, self.length = self._pieces, [], 0
        if pieces and not pieces[0][1]:
            pieces[0] = (pieces[0][0].lstrip(), False)
        if pieces and not pieces[-1][1]:
            pieces[-1] = (pieces[-1][0].rstrip(), False)
        return "".join(text for text, _ in pieces)


def _error(what: str, name: str, line: int | None = None) -> DriverSourceError:
    where = name if line is None else f"{name}, line {line}"
    return DriverSourceError(what, where=where, advice=_ADVICE)
