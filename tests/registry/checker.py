"""A strict reader of whole hives, written for the tests from the public specification alone.

It shares no code with bootgraft: https://github.com/msuhanov/regf. ``faults`` lists what Windows would reject or
lose; ``unreachable`` the cells in use that no key leads to, which is what a leak looks like.
"""

import struct
import sys
from collections import Counter

from msgspec import Struct, field

NIL = 0xFFFFFFFF
SEGMENT = 16344


class Report(Struct):
    faults: list[str] = field(default_factory=list)
    reached: Counter[int] = field(default_factory=Counter)
    users: Counter[int] = field(default_factory=Counter)
    unreachable: set[int] = field(default_factory=set)
    free_bytes: int = 0
    leaves: Counter[bytes] = field(default_factory=Counter)


class Checker:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.report = Report()
        self.cells: dict[int, int] = {}
        self.minor = self.word(24)
        self.bins_size = self.word(40)

    def word(self, at: int) -> int:
        return int(struct.unpack_from("<I", self.data, at)[0])

    def half(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.data, at)[0])

    def fault(self, text: str) -> None:
        self.report.faults.append(text)

    def run(self) -> Report:
        self.base_block()
        self.bins()
        self.key(self.word(36), None, 0)
        self.ring()
        for offset in self.report.reached:
            if self.report.reached[offset] != 1:
                self.fault(f"cell {offset:#x} has {self.report.reached[offset]} owners")
        self.report.unreachable = set(self.cells) - set(self.report.reached)
        return self.report

    def base_block(self) -> None:
        total = 0
        for at in range(0, 508, 4):
            total ^= self.word(at)
        if self.word(508) != {0: 1, NIL: NIL - 1}.get(total, total):
            self.fault("checksum")
        if self.word(4) != self.word(8):
            self.fault("sequence numbers")
        if 4096 + self.bins_size > len(self.data):
            self.fault("bins beyond the end of the file")

    def bins(self) -> None:
        at = 0
        while at < self.bins_size:
            start = 4096 + at
            size = self.word(start + 8)
            if self.data[start : start + 4] != b"hbin" or self.word(start + 4) != at or size % 4096 or not size:
                self.fault(f"bin {at:#x}")
                return
            cell = at + 32
            while cell < at + size:
                length = struct.unpack_from("<i", self.data, 4096 + cell)[0]
                if length == 0 or length % 8:
                    self.fault(f"cell {cell:#x} size {length}")
                    return
                if length < 0:
                    self.cells[cell] = -length - 4
                else:
                    self.report.free_bytes += length
                cell += abs(length)
            if cell != at + size:
                self.fault(f"cells of bin {at:#x} do not fill it")
            at += size

    def take(self, offset: int, need: int, what: str) -> int:
        """Note that something leads to a cell; the file offset of its data, 0 where there is no such cell."""
        self.report.reached[offset] += 1
        if self.cells.get(offset, -1) < need:
            self.fault(f"{what} at {offset:#x}: no cell of {need} bytes")
            return 0
        return 4096 + offset + 4

    def key(self, offset: int, parent: int | None, depth: int) -> str:
        at = self.take(offset, 76, "key")
        if not at or self.data[at : at + 2] != b"nk":
            self.fault(f"no key at {offset:#x}")
            return ""
        flags, length = self.half(at + 2), self.half(at + 72)
        raw = self.data[at + 76 : at + 76 + length]
        name = raw.decode("latin-1") if flags & 0x20 else raw.decode("utf-16-le", "surrogatepass")
        if self.cells[offset] < 76 + length:
            self.fault(f"name of {name} leaves its cell")
        if parent is None:
            if not flags & 4:
                self.fault("root not marked")
        elif self.word(at + 16) != parent:
            self.fault(f"{name} has another parent")
        security = self.word(at + 44)
        self.report.users[security] += 1
        if self.word(at + 48) != NIL:
            self.take(self.word(at + 48), self.half(at + 74), "class")
        self.values(at, name)
        self.children(at, offset, name, depth)
        return name

    def values(self, key: int, name: str) -> None:
        count = self.word(key + 36)
        if not count:
            if self.word(key + 40) != NIL:
                self.fault(f"{name} has a list but no values")
            return
        listed = self.take(self.word(key + 40), 4 * count, "value list")
        for index in range(count if listed else 0):
            offset = self.word(listed + 4 * index)
            at = self.take(offset, 20, "value")
            if not at or self.data[at : at + 2] != b"vk":
                self.fault(f"no value at {offset:#x}")
                continue
            length, flags = self.half(at + 2), self.half(at + 16)
            if (2 * length > self.word(key + 60) and flags & 1) or length > self.word(key + 60):
                self.fault(f"{name}: longest value name is wrong")
            self.value_data(at, key, name)

    def value_data(self, at: int, key: int, name: str) -> None:
        size = self.word(at + 4)
        if (size & 0x7FFFFFFF) > self.word(key + 64):
            self.fault(f"{name}: longest value data is wrong")
        if size & 0x80000000 or not size:
            if size & 0x7FFFFFFF > 4:
                self.fault(f"{name}: long inline data")
            return
        if size <= SEGMENT or self.minor < 4:
            self.take(self.word(at + 8), size, "data")
            return
        record = self.take(self.word(at + 8), 8, "big data")
        count = self.half(record + 2)
        if not record or self.data[record : record + 2] != b"db" or count != -(-size // SEGMENT):
            self.fault(f"{name}: big data record")
            return
        listed = self.take(self.word(record + 4), 4 * count, "segment list")
        for index in range(count):
            rest = min(SEGMENT, size - index * SEGMENT)
            self.take(self.word(listed + 4 * index), rest, "segment")

    def children(self, key: int, offset: int, name: str, depth: int) -> None:
        count = self.word(key + 20)
        if not count:
            if self.word(key + 28) != NIL:
                self.fault(f"{name} has a list but no sub-keys")
            return
        at = self.take(self.word(key + 28), 4, "list")
        leaves = [self.word(key + 28)]
        if self.data[at : at + 2] == b"ri":
            self.report.leaves[b"ri"] += 1
            leaves = [self.word(at + 4 + 4 * index) for index in range(self.half(at + 2))]
            for leaf in leaves:
                self.take(leaf, 4, "leaf")
        names = [child for leaf in leaves for child in self.leaf(leaf, offset, depth)]
        if len(names) != count:
            self.fault(f"{name} says {count} sub-keys, has {len(names)}")
        upper = [child.upper() for child in names if child.isascii()]
        if upper != sorted(set(upper)):
            self.fault(f"sub-keys of {name} are not in order")
        if max(len(child.encode("utf-16-le", "surrogatepass")) for child in names) > self.half(key + 52):
            self.fault(f"{name}: longest sub-key name is wrong")

    def leaf(self, offset: int, parent: int, depth: int) -> list[str]:
        at = 4096 + offset + 4
        kind, count = self.data[at : at + 2], self.half(at + 2)
        self.report.leaves[kind] += 1
        step = 4 if kind == b"li" else 8
        if kind not in (b"li", b"lf", b"lh") or not count or self.cells[offset] < 4 + step * count:
            self.fault(f"leaf {offset:#x}")
            return []
        names = []
        for index in range(count):
            entry = at + 4 + step * index
            name = self.key(self.word(entry), parent, depth + 1)
            names.append(name)
            if kind == b"lh" and name.isascii() and self.word(entry + 4) != ascii_hash(name):
                self.fault(f"hash of {name}")
            if kind == b"lf" and name.isascii() and self.data[entry + 4 : entry + 8].rstrip(b"\0") != name[:4].encode():
                self.fault(f"hint of {name}")
        return names

    def ring(self) -> None:
        """Follow the security cells from the root's; each must count exactly the keys that use it."""
        first = at = self.word(4096 + self.word(36) + 4 + 44)
        seen: set[int] = set()
        while at not in seen and at != NIL:
            seen.add(at)
            place = self.take(at, 20, "security")
            if not place or self.data[place : place + 2] != b"sk":
                self.fault(f"no security at {at:#x}")
                return
            if self.word(place + 12) != self.report.users[at]:
                self.fault(f"security {at:#x} counts {self.word(place + 12)}, used by {self.report.users[at]}")
            following = self.word(place + 4)
            if self.word(4096 + following + 4 + 8) != at:
                self.fault(f"ring broken behind {at:#x}")
            at = following
        if at != first:
            self.fault("the ring does not close")
        if set(self.report.users) - seen:
            self.fault("a key's security is not in the ring")


def ascii_hash(name: str) -> int:
    result = 0
    for char in name.upper():
        result = (37 * result + ord(char)) % 2**32
    return result


def check(data: bytes) -> Report:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 4000))  # keys may be 512 deep
    try:
        return Checker(data).run()
    finally:
        sys.setrecursionlimit(limit)
