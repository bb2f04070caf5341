""".reg text, in the dialects REGEDIT4 and 5.00, in and out.

What regedit reads and writes: KB310516 "How to add, modify, or delete registry subkeys and values by using a .reg
file"; ``str(n):`` is an extension of Wine and hivex. Stricter than regedit in one respect: what regedit would skip
in silence is an error here, because a line that is skipped is a driver that does not start.
"""

import codecs
import re
from enum import StrEnum

from msgspec import Struct

from bootgraft.errors import RegFileError
from bootgraft.registry.values import ValueType, text_data

SIZE_LIMIT = 64 * 2**20
"""Bytes of .reg text that are read at most."""

_ADVICE = "Correct the line, or export the key again with regedit; nothing was changed"
_LINE_END = re.compile(r"\r\n?|\n")
_BLANK = re.compile(r"(?:[ \t\r\n]+|;[^\r\n]*)*")
_REST = re.compile(r"[ \t]*(?:;[^\r\n]*)?(?=[\r\n]|\Z)")
_LINE = re.compile(r"[^\r\n]*")
_QUOTED = re.compile(r'"([^"\\]*(?:\\["\\][^"\\]*)*)')
_ESCAPE = re.compile(r"\\(.)")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_DWORD = re.compile(r"dword:([0-9a-f]{1,8})", re.IGNORECASE)
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:", re.IGNORECASE)
_STRING = re.compile(r"str(?:\(([0-9a-f]{1,8})\))?:", re.IGNORECASE)
_CONTINUATION = re.compile(r"\\[ \t]*(?:;[^\r\n]*)?(?:\r\n?|\n)")
_BYTES = re.compile(r"[0-9a-f, \t]*", re.IGNORECASE)
_BLANKS = str.maketrans("", "", " \t")
_ANSI_STRINGS = frozenset({ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_MULTI_SZ})
_WRAP = 76  # regedit ends a line of hexadecimal where it reaches this column


class RegFileDialect(StrEnum):
    """The two kinds of .reg file, by their first line."""

    REGEDIT4 = "REGEDIT4"
    VERSION_5 = "Windows Registry Editor Version 5.00"


class RegValue(Struct, frozen=True):
    """One value to set or delete; ``name`` is empty for the default value, ``data`` as it is to be stored."""

    name: str
    type: int
    data: bytes
    delete: bool = False
    line: int = 0


class RegKey(Struct, frozen=True):
    """One ``[key]`` and the values below it; ``path`` as it is written, ``delete`` for ``[-key]``."""

    path: str
    delete: bool = False
    values: tuple[RegValue, ...] = ()
    line: int = 0


class RegFile(Struct, frozen=True):
    """A whole .reg file, its keys in the order in which they stand."""

    dialect: RegFileDialect
    keys: tuple[RegKey, ...]


def parse(data: bytes, *, name: str, ansi: str = "cp1252") -> RegFile:
    """Read a .reg file: UTF-16 with BOM, UTF-8, or where it is neither the Windows code page ``ansi``.

    Strings that REGEDIT4 gives as ``hex(1)``, ``hex(2)`` and ``hex(7)`` come out as UTF-16LE. Raises RegFileError,
    whose ``where`` is "name, line N".
    """
    if len(data) > SIZE_LIMIT:
        raise RegFileError(f"more than {SIZE_LIMIT} bytes", where=f"{name}, line 1", advice=_ADVICE)
    return _Parser(_decode(data, name=name, ansi=ansi), name=name, ansi=ansi).file()


def is_sayable(path: str) -> bool:
    """Whether a line of .reg text can select this key: none of its names has a line end."""
    return not _LINE_END.search(path)


def format_key(path: str, *, delete: bool = False) -> str:
    """The line that selects a key, or deletes it. Raises RegFileError for a path that .reg text cannot say."""
    if not path or path.startswith("-") or not is_sayable(path):
        raise RegFileError(
            f"the key {path!r} cannot be written as .reg text",
            where=path,
            advice="Its name has a line end or is empty; use another way to copy it",
        )
    return f"[-{path}]" if delete else f"[{path}]"


def format_value(name: str, type: int, data: bytes, *, delete: bool = False) -> str:  # noqa: A002 - the field's name
    """The lines that set a value, or delete it, as regedit writes them in version 5.00."""
    start = (f'"{_escape(name)}"' if name else "@") + "="
    if delete:
        return start + "-"
    if type == ValueType.REG_DWORD and len(data) == 4:
        return f"{start}dword:{int.from_bytes(data, 'little'):08x}"
    text = _plain_text(data) if type == ValueType.REG_SZ else None
    if text is not None:
        return f'{start}"{_escape(text)}"'
    return _wrap(start + ("hex:" if type == ValueType.REG_BINARY else f"hex({type:x}):"), data)


class _Parser:
    """Walks the text once; ``_at`` is the next character, ``_line`` the line it is in."""

    def __init__(self, text: str, *, name: str, ansi: str) -> None:
        self._text = text
        self._name = name
        self._ansi = ansi
        self._at = 0
        self._line = 1

    def file(self) -> RegFile:
        first = self._take(_LINE).group().rstrip(" \t")
        if first not in set(RegFileDialect):
            raise self._error(
                f"the first line must be {RegFileDialect.VERSION_5.value!r} or {RegFileDialect.REGEDIT4.value!r}"
            )
        dialect = RegFileDialect(first)
        keys = []
        self._take(_BLANK)
        while self._at < len(self._text):
            keys.append(self._key(dialect))
        return RegFile(dialect, tuple(keys))

    def _key(self, dialect: RegFileDialect) -> RegKey:
        line = self._line
        if self._text[self._at] != "[":
            raise self._error("there is no key that this line could belong to")
        path = self._key_path()
        delete = path.startswith("-")
        path = path.removeprefix("-")
        if not path:
            raise self._error("the key has no name")
        self._take(_BLANK)
        values = []
        while self._at < len(self._text) and self._text[self._at] != "[":
            if delete:
                raise self._error("a value below a key that is deleted")
            values.append(self._value(dialect))
            self._take(_BLANK)
        return RegKey(path, delete, tuple(values), line)

    def _key_path(self) -> str:
        """The text between ``[`` and the last ``]`` of the line: key names may hold brackets."""
        line = self._peek(_LINE)
        end = line.rfind("]")
        if end < 0:
            raise self._error("the key is not closed by ']'")
        rest = line[end + 1 :].strip(" \t")
        if rest and not rest.startswith(";"):
            raise self._error(f"unexpected text behind the key: {rest[:40]!r}")
        self._at += len(line)
        return line[1:end]

    def _value(self, dialect: RegFileDialect) -> RegValue:
        line = self._line
        if self._text[self._at] == "@":
            self._at += 1
            name = ""
        elif self._text[self._at] == '"':
            name = self._quoted()
        else:
            raise self._error(f"this is neither a key nor a value: {self._peek(_LINE)[:40]!r}")
        if self._accept(_EQUALS) is None:
            raise self._error(f"there is no '=' behind the name {name[:40]!r}")
        delete = self._text.startswith("-", self._at)
        if delete:
            self._at += 1
        kind, data = (ValueType.REG_NONE, b"") if delete else self._data(dialect)
        if self._accept(_REST) is None:
            raise self._error(f"the data of {name[:40]!r} cannot be understood: {self._peek(_LINE)[:40]!r}")
        return RegValue(name, kind, data, delete, line)

    def _data(self, dialect: RegFileDialect) -> tuple[int, bytes]:
        if self._text.startswith('"', self._at):
            return ValueType.REG_SZ, text_data(self._quoted())
        if (found := self._accept(_DWORD)) is not None:
            return ValueType.REG_DWORD, int(found[1], 16).to_bytes(4, "little")
        if (found := self._accept(_HEX)) is not None:
            kind = ValueType.REG_BINARY if found[1] is None else int(found[1], 16)
            data = self._bytes()
            return kind, self._to_utf16(data) if dialect is RegFileDialect.REGEDIT4 and kind in _ANSI_STRINGS else data
        if (found := self._accept(_STRING)) is not None and self._text.startswith('"', self._at):
            return ValueType.REG_SZ if found[1] is None else int(found[1], 16), text_data(self._quoted())
        raise self._error(f"the data cannot be understood: {self._peek(_LINE)[:40]!r}")

    def _quoted(self) -> str:
        """The string that begins here; line ends in it are part of it, as regedit exports them."""
        start = self._line
        found = self._take(_QUOTED)
        if not self._text.startswith('"', self._at):
            if self._at == len(self._text):
                self._line = start
                raise self._error("the string is not closed")
            raise self._error("a backslash in a string must be doubled")
        self._at += 1
        return _ESCAPE.sub(r"\1", found[1])

    def _bytes(self) -> bytes:
        lines = [self._take(_BYTES).group()]
        while self._accept(_CONTINUATION) is not None:
            lines.append(self._take(_BYTES).group())
        items = "".join(lines).translate(_BLANKS).split(",")
        if not items[-1]:
            items.pop()
        if not all(1 <= len(item) <= 2 for item in items):
            raise self._error("bytes must be one or two hexadecimal digits, separated by commas")
        return bytes.fromhex("".join(item if len(item) == 2 else "0" + item for item in items))

    def _to_utf16(self, data: bytes) -> bytes:
        try:
            return data.decode(self._ansi).encode("utf-16-le")
        except UnicodeDecodeError as error:
            raise self._error(f"the string has bytes that code page {self._ansi} does not know") from error

    def _peek(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        return found.group() if found else ""

    def _accept(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._line += len(_LINE_END.findall(found.group()))
        return found

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Accept a pattern that fits anywhere, if only as nothing."""
        found = self._accept(pattern)
        if found is None:
            raise self._error("this line cannot be understood")
        return found

    def _error(self, what: str) -> RegFileError:
        return RegFileError(what, where=f"{self._name}, line {self._line}", advice=_ADVICE)


def _decode(data: bytes, *, name: str, ansi: str) -> str:
    encodings = [("utf-8", "strict"), (ansi, "strict")]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = [("utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be", "surrogatepass")]
        data = data[2:]
    elif data.startswith(codecs.BOM_UTF8):
        encodings = [("utf-8", "strict")]
        data = data[3:]
    elif data[1:2] == b"\0":
        encodings = [("utf-16-le", "surrogatepass")]
    line = 1
    for encoding, errors in encodings:
        try:
            return data.decode(encoding, errors)
        except UnicodeDecodeError as error:
            line = len(data[: error.start].split(b"\n"))
    raise RegFileError(
        f"the text is not {encodings[-1][0]}",
        where=f"{name}, line {line}",
        advice="Save the file as Unicode (UTF-16 with BOM), as regedit 5.00 does",
    )


def _plain_text(data: bytes) -> str | None:
    """The text of a REG_SZ that quotes can say: whole characters, exactly one NUL, at the end, and no line ends."""
    if len(data) % 2 or data[-2:] != b"\0\0":
        return None
    try:
        text = data[:-2].decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or _LINE_END.search(text) else text


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _wrap(start: str, data: bytes) -> str:
    """Hexadecimal bytes behind ``start``, continued on lines that regedit would make."""
    pieces = [start]
    column = len(start)
    for byte in data[:-1]:
        pieces.append(f"{byte:02x},")
        column += 3
        if column >= _WRAP:
            pieces.append("\\\n  ")
            column = 2
    return "".join(pieces) + (f"{data[-1]:02x}" if data else "")
