"""Mutations of NTFS: each changes one field as somebody would who knows the format and wants to do harm.

What has an update sequence (records, index buffers, restart pages) gets it right again, so that the change is read and
not refused at once.
"""

import random
import struct
from collections.abc import Callable, Mapping, Sequence

from benchmarks.fuzz.ntfsplaces import Attribute, Kind, Place, attributes, fixed, unfixed
from bootgraft.storage.devices.overlay import Overlay

_WEIGHTS = {
    Kind.RECORD: 34,
    Kind.SYSTEM: 16,
    Kind.INDEX: 22,
    Kind.RESTART: 5,
    Kind.BOOT: 5,
    Kind.BITMAP: 2,
    Kind.UPCASE: 1,
    Kind.SECURITY: 2,
    Kind.LIST: 4,
    Kind.WOF: 6,
    Kind.CONTENT: 3,
}
_RECORD_HEAD = ((4, 2), (6, 2), (8, 8), (0x10, 2), (0x12, 2), (0x14, 2), (0x16, 2), (0x18, 4), (0x1C, 4), (0x20, 8),
                (0x28, 2), (0x2C, 4))  # fmt: skip
_ATTRIBUTE = ((0, 4), (4, 4), (4, 4), (8, 1), (9, 1), (0x0A, 2), (0x0C, 2), (0x0E, 2))
_RESIDENT = ((0x10, 4), (0x10, 4), (0x14, 2), (0x14, 2), (0x16, 1))
_ELSEWHERE = ((0x10, 8), (0x18, 8), (0x20, 2), (0x22, 1), (0x28, 8), (0x30, 8), (0x38, 8), (0x40, 8))
_INDEX_HEAD = ((4, 2), (6, 2), (0x10, 8), (0x18, 4), (0x1C, 4), (0x20, 4), (0x24, 1))
_ENTRY = ((0, 8), (6, 2), (8, 2), (8, 2), (10, 2), (12, 2), (0x10, 8), (0x38, 8), (0x40, 8), (0x48, 4), (0x4C, 4),
          (0x50, 1), (0x51, 1))  # fmt: skip
_RESTART_PAGE = ((0, 4), (4, 2), (6, 2), (0x10, 4), (0x14, 4), (0x18, 2), (0x1A, 2), (0x1C, 2))
_RESTART_AREA = ((0, 8), (8, 2), (0x0A, 2), (0x0C, 2), (0x0E, 2), (0x10, 4), (0x14, 2), (0x16, 2), (0x18, 8), (0x20, 4),
                 (0x24, 2), (0x26, 2))  # fmt: skip
_BOOT = ((0x0B, 2), (0x0D, 1), (0x0E, 2), (0x10, 1), (0x15, 1), (0x18, 2), (0x1C, 4), (0x28, 8), (0x30, 8), (0x38, 8),
         (0x40, 1), (0x44, 1), (0x48, 8))  # fmt: skip
_HEADER = 0x18

Fields = Sequence[tuple[int, int]]


def mutate(device: Overlay, places: Mapping[Kind, Sequence[Place]], chance: random.Random) -> None:
    """Change up to eight things on a volume."""
    kinds = list(places)
    weights = [_WEIGHTS[each] for each in kinds]
    for _ in range(chance.choice((1, 1, 1, 2, 2, 4, 8))):
        place = chance.choice(places[chance.choices(kinds, weights)[0]])
        data = device.read(place.offset, place.length)
        if place.kind in (Kind.RECORD, Kind.SYSTEM) and chance.random() < 0.06:
            other = chance.choice(places[place.kind])
            copy = device.read(other.offset, other.length)  # two records with one content
            changed = copy[:0x2C] + data[0x2C:0x30] + copy[0x30:]
        else:
            changed = _changed(place.kind, data, chance)
        device.write(place.offset, changed)


def _changed(kind: Kind, data: bytes, chance: random.Random) -> bytes:
    has_sequence = kind in _SEQUENCED
    block = bytearray(unfixed(data) if has_sequence else data)
    _CHANGES.get(kind, _any)(block, chance)
    return fixed(bytes(block)) if has_sequence and chance.random() < 0.98 else bytes(block)


def _number(data: bytearray, at: int, size: int, chance: random.Random) -> int:
    """What a field of ``size`` bytes may become: an extreme, or near to what it is."""
    now = int.from_bytes(data[at : at + size], "little")
    bits = 8 * size
    extremes = (0, 1, 2, 7, 8, 0x10, 0x18, 0x7F, 0x80, 0xFF, 0x1FF, 0x200, 0x3FF, 0x400, 0xFFF, 0x1000, 0xFFFF)
    return chance.choice(
        (chance.choice(extremes), now + chance.choice((-8, -4, -2, -1, 1, 2, 4, 8, 0x10, 0x1000)), now * 2, now ^ 1,
         now ^ (1 << chance.randrange(bits)), (1 << bits) - 1, 1 << (bits - 1), (1 << (bits - 1)) - 1,
         (1 << bits) - chance.choice((8, 0x18, 0x1000)), chance.getrandbits(bits))
    ) & ((1 << bits) - 1)  # fmt: skip


def _set(data: bytearray, at: int, size: int, chance: random.Random) -> None:
    if 0 <= at <= len(data) - size:
        data[at : at + size] = _number(data, at, size, chance).to_bytes(size, "little")


def _field(data: bytearray, base: int, fields: Fields, chance: random.Random) -> None:
    offset, size = chance.choice(fields)
    _set(data, base + offset, size, chance)


def _any(data: bytearray, chance: random.Random) -> None:
    """A number anywhere, more often in front."""
    size = chance.choice((1, 1, 2, 4, 8))
    end = chance.choice((16, 64, 256, len(data)))
    _set(data, chance.randrange(0, max(1, min(end, len(data)) - size)), size, chance)


def _boot(data: bytearray, chance: random.Random) -> None:
    _field(data, 0, _BOOT, chance)


def _record(data: bytearray, chance: random.Random) -> None:
    found = list(attributes(data))
    if not found or chance.random() < 0.12:
        _field(data, 0, _RECORD_HEAD, chance)
        return
    one = chance.choice(found)
    what = chance.random()
    if what < 0.3:
        _field(data, one.at, _ATTRIBUTE, chance)
    elif what < 0.36:
        _copied(data, one, chance.choice(found))
    elif what < 0.4:
        data[one.at : one.at + 4] = b"\xff\xff\xff\xff"
    elif one.non_resident:
        if what < 0.65:
            _field(data, one.at, _ELSEWHERE, chance)
        else:
            _runlist(data, one, chance)
    elif what < 0.5:
        _field(data, one.at, _RESIDENT, chance)
    else:
        _value(data, one, chance)


def _copied(data: bytearray, one: Attribute, other: Attribute) -> None:
    """One attribute's bytes over another's: a value where clusters are expected, two of a kind."""
    length = min(one.length, other.length)
    data[one.at + 8 : one.at + length] = data[other.at + 8 : other.at + length]


def _runlist(data: bytearray, one: Attribute, chance: random.Random) -> None:
    at = one.at + int.from_bytes(data[one.at + 0x20 : one.at + 0x22], "little")
    end = one.at + one.length
    if not one.at < at < end:
        return
    if chance.random() < 0.6:
        _set(data, chance.randrange(at, end), 1, chance)
        return
    made = b"".join(_run(chance) for _ in range(chance.randrange(1, 6)))[: end - at - 1] + b"\0"
    data[at : at + len(made)] = made


def _run(chance: random.Random) -> bytes:
    """One run of any length to anywhere, or a hole."""
    size, delta_size = chance.choice((1, 1, 2, 3, 8)), chance.choice((0, 1, 2, 3, 8))
    length = chance.choice((0, 1, 2, 16, 0x7F, chance.getrandbits(8 * size))) & ((1 << 8 * size) - 1)
    delta = chance.choice((0, 1, 4, chance.getrandbits(8 * delta_size))) & ((1 << 8 * delta_size) - 1)
    return bytes([size | delta_size << 4]) + length.to_bytes(size, "little") + delta.to_bytes(delta_size, "little")


def _value(data: bytearray, one: Attribute, chance: random.Random) -> None:
    """A number in a resident value; in an index root, a field of an entry as well."""
    length, offset = struct.unpack_from("<IH", data, one.at + 0x10)
    start, end = one.at + offset, min(one.at + offset + length, len(data))
    if one.type == 0x90 and chance.random() < 0.7:
        _index_entry(data, start + 0x10, chance)
    elif start + 2 < end:
        size = chance.choice((1, 2, 2, 4, 8))
        _set(data, chance.randrange(start, end), size, chance)


def _index(data: bytearray, chance: random.Random) -> None:
    if data[:4] != b"INDX" or chance.random() < 0.25:
        _field(data, 0, _INDEX_HEAD, chance)
    else:
        _index_entry(data, _HEADER, chance)


def _index_entry(data: bytearray, header: int, chance: random.Random) -> None:
    """A field of one entry of the index whose header (entries' offset, length, …) lies at ``header``."""
    if header + 16 > len(data):
        return
    first, length = struct.unpack_from("<II", data, header)
    at, found = header + first, []
    while at + 16 <= min(header + length, len(data)):
        found.append(at)
        step = int.from_bytes(data[at + 8 : at + 10], "little")
        if step < 16:
            break
        at += step
    if not found or chance.random() < 0.1:
        _field(data, header, ((0, 4), (4, 4), (8, 4), (12, 1)), chance)
        return
    entry = chance.choice(found)
    step = int.from_bytes(data[entry + 8 : entry + 10], "little")
    if chance.random() < 0.15:  # a block below it: itself, the first, none there is
        data[entry + 12] |= 1
        child = chance.choice((0, 1, 2, 3, chance.getrandbits(64)))
        if entry + step <= len(data) and step >= 24:
            struct.pack_into("<Q", data, entry + step - 8, child)
    elif chance.random() < 0.15 and step > 16:
        _set(data, chance.randrange(entry, min(entry + step, len(data))), chance.choice((1, 2)), chance)
    else:
        _field(data, entry, _ENTRY, chance)


def _restart(data: bytearray, chance: random.Random) -> None:
    area = int.from_bytes(data[0x18:0x1A], "little")
    clients = area + int.from_bytes(data[area + 0x16 : area + 0x18], "little") if area + 0x18 < len(data) else 0
    what = chance.random()
    if what < 0.4:
        _field(data, 0, _RESTART_PAGE, chance)
    elif what < 0.8:
        _field(data, area, _RESTART_AREA, chance)
    else:
        _field(data, clients, ((0, 8), (8, 8), (0x10, 2), (0x12, 2), (0x14, 2), (0x1C, 4)), chance)


def _list(data: bytearray, chance: random.Random) -> None:
    """A field of an entry of an attribute list."""
    at = 0
    while chance.random() < 0.7 and (step := int.from_bytes(data[at + 4 : at + 6], "little")) and at + step < len(data):
        at += step
    _field(data, at, ((0, 4), (4, 2), (6, 1), (7, 1), (8, 8), (0x10, 8), (0x16, 2), (0x18, 2)), chance)


_CHANGES: dict[Kind, Callable[[bytearray, random.Random], None]] = {
    Kind.RECORD: _record,
    Kind.SYSTEM: _record,
    Kind.INDEX: _index,
    Kind.RESTART: _restart,
    Kind.BOOT: _boot,
    Kind.LIST: _list,
}
_SEQUENCED = (Kind.RECORD, Kind.SYSTEM, Kind.INDEX, Kind.RESTART)
"""What has an update sequence."""
