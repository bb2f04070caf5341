"""Registry values: their types, and what their bytes mean to Windows.

Types are those of winnt.h (https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types). A value's type
is only a label: data of any length may stand under any of them, so reading gives None where bytes and type do not
go together instead of failing.
"""

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct


class ValueType(IntEnum):
    """The types that have a name; others occur (device properties use 0xFFFF0000 and up)."""

    REG_NONE = 0
    REG_SZ = 1
    REG_EXPAND_SZ = 2
    REG_BINARY = 3
    REG_DWORD = 4
    REG_DWORD_BIG_ENDIAN = 5
    REG_LINK = 6
    REG_MULTI_SZ = 7
    REG_RESOURCE_LIST = 8
    REG_FULL_RESOURCE_DESCRIPTOR = 9
    REG_RESOURCE_REQUIREMENTS_LIST = 10
    REG_QWORD = 11


_TEXT = frozenset({ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_LINK})


def text_data(text: str) -> bytes:
    """Encode a REG_SZ or REG_EXPAND_SZ: UTF-16LE with one NUL behind it."""
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


def dword_data(number: int) -> bytes:
    """Encode a REG_DWORD. Raises OverflowError outside 0 … 2³²-1."""
    return number.to_bytes(4, "little")


def multi_data(items: Iterable[str]) -> bytes:
    """Encode a REG_MULTI_SZ: each string with its NUL, and one more NUL. Raises ValueError for an empty string."""
    strings = tuple(items)
    if not all(strings):
        raise ValueError("an empty string would end the list")
    return b"".join(map(text_data, strings)) + b"\0\0"


def decode_utf16(data: bytes) -> str:
    """Decode UTF-16LE as leniently as Windows: a half character at the end is dropped, lone surrogates stay."""
    return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")


class Value(Struct, frozen=True):
    """One value; ``name`` is empty for a key's default value, ``type`` a ValueType or any other 32-bit number."""

    name: str
    type: int
    data: bytes

    def text(self) -> str | None:
        """The string of a REG_SZ, REG_EXPAND_SZ or REG_LINK up to its first NUL; None for other types."""
        if self.type not in _TEXT:
            return None
        return decode_utf16(self.data).partition("\0")[0]

    def dword(self) -> int | None:
        """The number of a REG_DWORD or REG_DWORD_BIG_ENDIAN; None for other types or a length other than 4."""
        if len(self.data) != 4:
            return None
        if self.type == ValueType.REG_DWORD:
            return int.from_bytes(self.data, "little")
        if self.type == ValueType.REG_DWORD_BIG_ENDIAN:
            return int.from_bytes(self.data, "big")
        return None

    def multi(self) -> tuple[str, ...] | None:
        """The strings of a REG_MULTI_SZ up to the first empty one, with or without final NULs; else None."""
        if self.type != ValueType.REG_MULTI_SZ:
            return None
        strings = []
        for string in decode_utf16(self.data).split("\0"):
            if not string:
                break
            strings.append(string)
        return tuple(strings)
