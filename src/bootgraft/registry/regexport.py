r""".reg files as regedit writes them: version 5.00 in UTF-16LE with a byte order mark, or REGEDIT4 in a code page.

What regedit loses without a word in REGEDIT4 (a character that the code page has not) is an error here. Layout:
KB310516, and files that regedit of XP and 10 exported.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator

from bootgraft.errors import RegFileError
from bootgraft.registry.hive import Key
from bootgraft.registry.regfile import RegFileDialect, RegKey, format_key, format_value, is_sayable
from bootgraft.registry.values import Value, ValueType, decode_utf16

_STRINGS = frozenset({ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_MULTI_SZ})
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def _ignored(_path: str) -> None:
    """Take the name of a key that nobody asks for."""


def export(
    key: Key, name: str, *, ansi: str | None = None, leave_out: Callable[[str], object] = _ignored
) -> Iterator[bytes]:
    r"""The .reg file of a key and everything below it, piece by piece.

    ``name`` is what the key is called in full (``HKEY_LOCAL_MACHINE\SYSTEM\Select``); ``ansi`` asks for REGEDIT4 in
    this code page. A key with a line end in its name cannot be said: there is no way to escape it, and regedit
    would write a file that it does not read. It is left out with all that is below it, a comment in its place, and its
    name given to ``leave_out``. Raises RegFileError for what the code page does not have, HiveError for damage.
    """
    skipped: str | None = None
    dialect = RegFileDialect.VERSION_5 if ansi is None else RegFileDialect.REGEDIT4
    yield b"" if ansi else codecs.BOM_UTF16_LE
    yield _encode(f"{dialect.value}\r\n\r\n", name, ansi)
    for each in key.walk():
        if skipped is not None and each.path.startswith(skipped):
            continue
        rest = each.path[len(key.path) :].lstrip("\\")
        path = f"{name}\\{rest}" if rest else name
        if not is_sayable(path):
            skipped = f"{each.path}\\"
            leave_out(path)
            shown = path.encode("ascii", "backslashreplace").decode().translate(_CONTROLS)
            yield _encode(f"; left out with all that is below it: {shown}\r\n\r\n", path, ansi)
            continue
        lines = [format_key(path)]
        lines.extend(_value_text(value, path, ansi) for value in each.values())
        yield _encode("\r\n".join([*lines, "", ""]), path, ansi)


def export_keys(keys: Iterable[RegKey], *, ansi: str | None = None) -> bytes:
    """A .reg file of keys and values that are to be set or deleted.

    ``ansi`` asks for REGEDIT4 in this code page. Raises RegFileError for what the file cannot say.
    """
    dialect = RegFileDialect.VERSION_5 if ansi is None else RegFileDialect.REGEDIT4
    pieces = [b"" if ansi else codecs.BOM_UTF16_LE, _encode(f"{dialect.value}\r\n\r\n", "", ansi)]
    for key in keys:
        lines = [format_key(key.path, delete=key.delete)]
        for value in key.values:
            if value.delete:
                lines.append(format_value(value.name, value.type, b"", delete=True))
            else:
                lines.append(_value_text(Value(value.name, value.type, value.data), key.path, ansi))
        pieces.append(_encode("\r\n".join([*lines, "", ""]), key.path, ansi))
    return b"".join(pieces)


def _value_text(value: Value, path: str, ansi: str | None) -> str:
    data = value.data
    if ansi is not None and value.type in _STRINGS:
        text = format_value(value.name, value.type, data)
        if value.type == ValueType.REG_SZ and not text.startswith("hex(1):", len(_name(value.name))):
            return text
        data = _ansi_data(value, path, ansi)
    text = format_value(value.name, value.type, data)
    start = len(_name(value.name))  # a line end in the name is part of it
    return text[:start] + text[start:].replace("\n", "\r\n")


def _name(name: str) -> str:
    return format_value(name, 0, b"", delete=True).removesuffix("-")


def _ansi_data(value: Value, path: str, ansi: str) -> bytes:
    if len(value.data) % 2:
        raise _unsayable(path, value.name, "is no whole number of characters")
    try:
        return decode_utf16(value.data).encode(ansi)
    except UnicodeEncodeError as error:
        raise _unsayable(path, value.name, f"has characters that {ansi} does not know") from error


def _encode(text: str, path: str, ansi: str | None) -> bytes:
    if ansi is None:
        return text.encode("utf-16-le", "surrogatepass")
    try:
        return text.encode(ansi)
    except UnicodeEncodeError as error:
        raise _unsayable(path, text[max(0, error.start - 20) : error.end], f"cannot be written in {ansi}") from error


def _unsayable(path: str, name: str, what: str) -> RegFileError:
    return RegFileError(
        f"{name!r} {what}",
        where=path,
        advice="Export without --ansi: version 5.00 can say everything",
    )
