"""A large SYSTEM hive: a small one with filler under a key of its own, written by hivex.

Twenty sub-keys to a key, four deep, with some eight values each: numbers, texts and blobs in sizes that are usual in
Enum, Class and DriverDatabase. hivex is called through ctypes, as in its manual.
"""

import ctypes
import os
import random
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

_WRITABLE = 4  # HIVEX_OPEN_WRITE
_SZ, _BINARY, _DWORD = 1, 3, 4
_FAN_OUT, _DEPTH = 20, 4
_BYTES_TO_A_LEAF = 1095
"""What a leaf takes with its values and its share of the lists above it."""


class HiveValue(ctypes.Structure):
    """``struct hive_set_value`` of hivex.h."""

    _fields_ = (
        ("key", ctypes.c_char_p),
        ("t", ctypes.c_int),
        ("len", ctypes.c_size_t),
        ("value", ctypes.c_char_p),
    )


def fill_hive(path: Path, size: int) -> None:
    """Make the hive about ``size`` bytes large; what it holds stays.

    Raises OSError where hivex fails.
    """
    library = _library()
    handle = _checked(library.hivex_open(os.fsencode(path), _WRITABLE))
    made: dict[tuple[int, ...], int] = {(): _child(library, handle, library.hivex_root(handle), "Filler")}
    chance = random.Random(size)  # the same filler each time
    for branch in islice(product(range(_FAN_OUT), repeat=_DEPTH), (size - path.stat().st_size) // _BYTES_TO_A_LEAF):
        for depth in range(1, _DEPTH + 1):
            if branch[:depth] not in made:
                name = f"Device {chance.randrange(1 << 40):010x}"
                made[branch[:depth]] = _child(library, handle, made[branch[: depth - 1]], name)
        values = (HiveValue * 8)(*_values(chance))
        _succeeded(library.hivex_node_set_values(handle, made.pop(branch), len(values), values, 0))
    _succeeded(library.hivex_commit(handle, None, 0))
    _succeeded(library.hivex_close(handle))


def _values(chance: random.Random) -> Iterator[HiveValue]:
    for number in range(3):
        yield _value(f"Number{number}", _DWORD, chance.randbytes(4))
    for number in range(3):
        text = "".join(chance.choices("ABCDEFabcdef0123456789 _&\\", k=chance.randrange(20, 90)))
        yield _value(f"Text{number}", _SZ, (text + "\0").encode("utf-16-le"))
    for number in range(2):
        yield _value(f"Blob{number}", _BINARY, chance.randbytes(chance.randrange(16, 200)))


def _value(name: str, kind: int, data: bytes) -> HiveValue:
    return HiveValue(name.encode(), kind, len(data), data)


def _child(library: ctypes.CDLL, handle: int, parent: int, name: str) -> int:
    return _checked(library.hivex_node_add_child(handle, parent, name.encode()))


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libhivex.so.0", use_errno=True)
    handle, node, text, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int
    for name, result, arguments in (
        ("hivex_open", handle, (text, number)),
        ("hivex_root", node, (handle,)),
        ("hivex_node_add_child", node, (handle, node, text)),
        ("hivex_node_set_values", number, (handle, node, ctypes.c_size_t, ctypes.POINTER(HiveValue), number)),
        ("hivex_commit", number, (handle, text, number)),
        ("hivex_close", number, (handle,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _checked(result: int | None) -> int:
    if not result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "libhivex")
    return result


def _succeeded(status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "libhivex")
