"""Names on FAT: the 8.3 name in the OEM code page, and the VFAT long name beside it.

Source: fatgen103, "FAT Long Directory Entries" and "Name Limits and Character Sets". The two bits by which the NT
driver keeps an 8.3 name in lower case without a long name are in no specification; Windows NT and later, Linux and
mtools read them alike.
"""

from collections.abc import Callable

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.fat.boot import OEM_CODE_PAGE

LONG_NAME_UNITS = 255
"""Most UTF-16 units in a long name."""

LONG_NAME_PART = 13
"""UTF-16 units in one slot of a long name."""

LOWER_BASE = 0x08
LOWER_EXTENSION = 0x10

_SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))
_FORBIDDEN = frozenset('"*/:<>?\\|') | frozenset(map(chr, range(32))) | _SURROGATES
_FORBIDDEN_SHORT = _FORBIDDEN | frozenset("+,;=[]. \x7f")
_DELETED = 0xE5
_DELETED_SUBSTITUTE = 0x05
_TAILS = 0x10001  # a directory has no more entries than that


class NewName(Struct, frozen=True):
    """How a name is going to be stored."""

    short: bytes  # 11 bytes: base and extension, padded with spaces
    case_bits: int
    long: str | None  # None where the short name says it all

    @property
    def slots(self) -> int:
        """How many directory slots it takes: one for the short name, one for each 13 UTF-16 units of the long one."""
        return 1 if self.long is None else 1 + -(-len(self.long.encode("utf-16-le")) // (2 * LONG_NAME_PART))


def fold(name: str) -> str:
    """Return the name in the case it is compared in: each character by itself, as Windows does it."""
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := char.upper()) == 1 else char for char in name)


def short_text(raw: bytes, case_bits: int = 0) -> str:
    """Return the 8.3 name in the 11 bytes ``raw`` as Windows shows it."""
    if raw[0] == _DELETED_SUBSTITUTE:
        raw = bytes([_DELETED]) + raw[1:]
    base = raw[:8].decode(OEM_CODE_PAGE).rstrip(" ")
    extension = raw[8:11].decode(OEM_CODE_PAGE).rstrip(" ")
    if case_bits & LOWER_BASE:
        base = base.lower()
    if case_bits & LOWER_EXTENSION:
        extension = extension.lower()
    return f"{base}.{extension}" if extension else base


def checksum(raw: bytes) -> int:
    """Return the checksum of the 11 bytes of a short name, by which long entries know theirs."""
    total = 0
    for byte in raw:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    return total


def is_valid(name: str) -> bool:
    """Whether a long name may have these characters and this length."""
    return not _FORBIDDEN.intersection(name) and 0 < len(name.encode("utf-16-le")) <= LONG_NAME_UNITS * 2


def new_name(name: str, is_taken: Callable[[str], bool], *, where: str) -> NewName:
    """Choose how to store ``name`` in a directory where ``is_taken`` tells which folded names there are.

    Raises:
        FileSystemError: no file on Windows can have this name.
    """
    if not is_valid(name) or name.endswith((" ", ".")):
        raise FileSystemError(
            f"no file can be called {name!r}",
            where=where,
            advice='Choose a name of at most 255 characters without any of "*/:<>?\\| and no space or dot at its end',
        )
    base, _, extension = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
    short = _exact_short(base, extension)
    if short is not None:
        case_bits = _case_bits(base, extension)
        if case_bits is not None:
            return NewName(short, case_bits, None)
        return NewName(short, 0, name)
    return NewName(_numbered(base, extension, is_taken, where=where), 0, name)


def _exact_short(base: str, extension: str) -> bytes | None:
    """Return the short name where it differs from the name in nothing but case."""
    if not base or _FORBIDDEN_SHORT.intersection(base + extension):
        return None
    raw_base, raw_extension = _encode(fold(base)), _encode(fold(extension))
    if raw_base is None or raw_extension is None or len(raw_base) > 8 or len(raw_extension) > 3:
        return None
    return _join(raw_base, raw_extension)


def _case_bits(base: str, extension: str) -> int | None:
    """Return the bits that make a short name read like this, None where no bits can."""
    bits = 0
    for part, bit in ((base, LOWER_BASE), (extension, LOWER_EXTENSION)):
        if part == fold(part):
            continue
        if not part.isascii() or part != part.lower():
            return None
        bits |= bit
    return bits


def _numbered(base: str, extension: str, is_taken: Callable[[str], bool], *, where: str) -> bytes:
    """Return the first of ``BASE~1.EXT``, ``BASE~2.EXT`` … that is not taken."""
    raw_base, raw_extension = _basis(base), _basis(extension)[:3]
    for number in range(1, _TAILS):
        tail = b"~%d" % number
        short = _join(raw_base[: 8 - len(tail)] + tail, raw_extension)
        if not is_taken(fold(short_text(short))):
            return short
    raise FileSystemError(
        f"all short names for {base}.{extension} are taken",
        where=where,
        advice="Delete files that are not needed from this directory",
    )


def _basis(part: str) -> bytes:
    """Return upper-case OEM characters for a part of a name, ``_`` for what a short name cannot hold."""
    kept = (char for char in fold(part) if char not in " .")
    return b"".join((None if char in _FORBIDDEN_SHORT else _encode(char)) or b"_" for char in kept)


def _encode(text: str) -> bytes | None:
    try:
        return text.encode(OEM_CODE_PAGE)
    except UnicodeEncodeError:
        return None


def _join(base: bytes, extension: bytes) -> bytes:
    raw = base.ljust(8) + extension.ljust(3)
    return bytes([_DELETED_SUBSTITUTE]) + raw[1:] if raw[0] == _DELETED else raw
