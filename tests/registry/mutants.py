"""Hives that are edited, and hives that are damaged, at random."""

import random
import struct
from collections.abc import Sequence

from bootgraft.registry.hive import Hive

PAGE = 4096
_SIZES = (0, 3, 4, 9, 700, 20_000)


def damaged(data: bytes, chance: random.Random, pages: Sequence[int] = ()) -> bytes:
    """A hive with one or two places changed: bits, words, references, or records copied over others.

    ``pages`` are those of the file that are hit; all of the bins where there are none.
    """
    changed = bytearray(data)
    bins = struct.unpack_from("<I", data, 40)[0]
    words = (0, 1, 4, 0x20, 0xFFFFFFFF, 0x80000004, 0x7FFFFFFF, bins, bins - 8)
    for _ in range(chance.randint(1, 2)):
        at = _place(changed, chance, pages)
        (old,) = struct.unpack_from("<I", changed, at)
        elsewhere = chance.randrange(PAGE, PAGE + bins - 96, 8)
        match chance.randrange(5):
            case 0:
                changed[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
            case 1:
                struct.pack_into("<I", changed, at, chance.choice(words))
            case 2:
                struct.pack_into("<I", changed, at, (old + chance.choice((-8, 8, -1, 1))) & 0xFFFFFFFF)
            case 3:
                changed[at : at + 4] = changed[elsewhere : elsewhere + 4]
            case _:
                length = min(chance.choice((8, 16, 76, 80)), len(changed) - at)
                changed[at : at + length] = changed[elsewhere : elsewhere + length]
    return bytes(changed)


def _place(data: bytes | bytearray, chance: random.Random, pages: Sequence[int]) -> int:
    while True:
        page = chance.choice(pages) if pages else chance.randrange(1, len(data) // PAGE)
        at = page * PAGE + chance.randrange(0, PAGE, 4)
        if any(data[at : at + 4]):
            return at


def edit(hive: Hive, chance: random.Random) -> None:
    """A few edits of all kinds."""
    paths = [key.path for key in hive.root.walk()]
    for _ in range(chance.randint(1, 5)):
        key = hive.key(chance.choice(paths))
        if key is None:
            continue
        names = [value.name for value in key.values()]
        data = chance.randbytes(chance.choice(_SIZES))
        match chance.randrange(5):
            case 0:
                hive.create_key(rf"{key.path}\new {chance.randrange(50)}\below")
            case 1:
                hive.set_value(key.path, f"new {chance.randrange(9)}", 3, data)
            case 2 if names:
                hive.set_value(key.path, chance.choice(names), 3, data)
            case 3 if names:
                hive.delete_value(key.path, chance.choice(names))
            case 4 if key.path:
                hive.delete_key(key.path)
