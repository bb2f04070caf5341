"""Mutations of hives and logs: of the base block, bins, cells and records, and of log entries, sealed again or not."""

import random
import struct
from collections.abc import Callable

from tests.registry.log_writer import sealed

from benchmarks.fuzz.corpus import Seed
from bootgraft.registry.logs.marvin32 import marvin32

_BASE = 4096
_ENTRY = 512
_FIELDS = (4, 8, 12, 20, 24, 28, 32, 36, 40, 44, 144)
"""Offsets of the base block's fields."""
_SIGNATURES = (b"nk", b"vk", b"sk", b"lf", b"lh", b"li", b"ri", b"db")
_RECORD = 80
"""Bytes of a record in which its fields lie."""


def mutated(seed: Seed, chance: random.Random) -> Seed:
    """The seed with up to four things changed."""
    hive = bytearray(seed.hive)
    logs = {name: bytearray(log) for name, log in seed.logs.items()}
    for _ in range(chance.choice((1, 1, 1, 2, 2, 4))):
        log = logs[chance.choice(sorted(logs))] if logs and chance.random() < 0.6 else None
        if log:
            chance.choice(_LOG)(log, chance)
        else:
            chance.choice(_HIVE)(hive, chance)
    if chance.random() < 0.9 and len(hive) >= _ENTRY:
        hive[:_ENTRY] = sealed(hive[:_ENTRY])
    return Seed(seed.name, bytes(hive), {name: bytes(log) for name, log in logs.items()})


def _word(data: bytearray, chance: random.Random) -> int:
    """A number that somebody who wants to do harm would write."""
    return chance.choice(
        (0, 1, 4, 8, 0x20, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000005, 0xFFFFFFF8, 0xFFFFFFFF, len(data),
         len(data) - _BASE, chance.randrange(0, max(8, len(data)), 8), chance.getrandbits(32))
    )  # fmt: skip


def _put(data: bytearray, at: int, number: int) -> None:
    if at + 4 <= len(data):
        struct.pack_into("<I", data, at, number & 0xFFFFFFFF)


def _base_block(data: bytearray, chance: random.Random) -> None:
    _put(data, chance.choice(_FIELDS), _word(data, chance))


def _bin(data: bytearray, chance: random.Random) -> None:
    bins = [at for at in range(_BASE, len(data), 4096) if data[at : at + 4] == b"hbin"]
    if bins:
        _put(data, chance.choice(bins) + chance.choice((0, 4, 8, 20, 28)), _word(data, chance))


def _cell(data: bytearray, chance: random.Random) -> None:
    """A cell's size, found as the word before a record."""
    at = _record(data, chance)
    if at:
        _put(data, at - 4, _word(data, chance))


def _field(data: bytearray, chance: random.Random) -> None:
    at = _record(data, chance)
    if at:
        _put(data, at + chance.randrange(0, _RECORD, 4), _word(data, chance))


def _half(data: bytearray, chance: random.Random) -> None:
    at = _record(data, chance) + chance.randrange(0, _RECORD, 2)
    if at + 2 <= len(data):
        struct.pack_into("<H", data, at, chance.choice((0, 1, 2, 0x20, 0x2C, 0x7FFF, 0xFFFF)))


def _record(data: bytearray, chance: random.Random) -> int:
    """The place of some record, 0 where none is near a place taken at random."""
    if len(data) <= _BASE:
        return 0
    return max(0, data.find(chance.choice(_SIGNATURES), chance.randrange(_BASE, len(data))))


def _bit(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _copy(data: bytearray, chance: random.Random) -> None:
    """One record over another one: two owners of the same cells, keys that are their own children."""
    source, target = _record(data, chance), _record(data, chance)
    if source and target:
        data[target : target + _RECORD] = data[source : source + _RECORD]


def _cut(data: bytearray, chance: random.Random) -> None:
    if data:
        del data[chance.randrange(len(data)) :]


def _log_word(data: bytearray, chance: random.Random) -> None:
    if len(data) > 4:
        _put(data, chance.randrange(0, min(len(data) - 4, 4096), 4), _word(data, chance))


def _log_base(data: bytearray, chance: random.Random) -> None:
    _base_block(data, chance)
    if len(data) >= _ENTRY:
        data[:_ENTRY] = sealed(data[:_ENTRY])


def _log_entry(data: bytearray, chance: random.Random) -> None:
    """A number of a log entry, with right checksums again: what comes behind them is read only so."""
    at = data.find(b"HvLE", _ENTRY)
    if at < 0 or at + 48 > len(data):
        return
    _put(data, at + chance.choice((4, 8, 12, 16, 20, 40, 44)), _word(data, chance))
    size = struct.unpack_from("<I", data, at + 4)[0]
    if 40 <= size <= len(data) - at:
        struct.pack_into("<Q", data, at + 24, marvin32(bytes(data[at + 40 : at + size])))
        struct.pack_into("<Q", data, at + 32, marvin32(bytes(data[at : at + 32])))


def _log_exchange(data: bytearray, chance: random.Random) -> None:
    """Two sectors exchanged."""
    sectors = len(data) // _ENTRY
    if sectors > 1:
        one, other = chance.randrange(sectors) * _ENTRY, chance.randrange(sectors) * _ENTRY
        first, second = data[one : one + _ENTRY], data[other : other + _ENTRY]
        data[one : one + _ENTRY], data[other : other + _ENTRY] = second, first


_Mutation = Callable[[bytearray, random.Random], None]
_HIVE: tuple[_Mutation, ...] = (
    _base_block,
    _bin,
    _cell,
    _cell,
    _field,
    _field,
    _field,
    _half,
    _half,
    _bit,
    _copy,
    _cut,
)
_LOG: tuple[_Mutation, ...] = (_log_word, _log_base, _log_entry, _log_entry, _log_exchange, _bit, _cut)
