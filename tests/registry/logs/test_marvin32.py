"""Marvin32 against the vectors of .NET's own tests, a literal reading of its definition, and real logs."""

import random
import struct

import pytest
from tests.registry.support import real_file

from bootgraft.registry.logs.marvin32 import marvin32

SEED = 0x004FB61A_001BDBCC
VECTORS = [
    ("", 0x30ED35C100CD3C7D),
    ("AF", 0x48E73FC77D75DDC1),
    ("E70F", 0xB5F6E1FC485DBFF8),
    ("37F495", 0xF0B07C789B8CF7E8),
    ("8642DC59", 0x7008F2E87E9CF556),
    ("153FB79826", 0xE6C08C6DA2AFA997),
    ("0932E6246C47", 0x6F04BF1A5EA24060),
    ("AB427EA8D10FC7", 0xE11847E4F0678C41),
]
"""dotnet/runtime, MarvinTests.cs: hexadecimal data and the hash under SEED."""


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_the_vectors_of_dotnet(data: str, expected: int) -> None:
    assert marvin32(bytes.fromhex(data), SEED) == expected


def literal(data: bytes, seed: int) -> int:
    """The definition word by word, with every step cut to 32 bits."""

    def turned(value: int, by: int) -> int:
        return (value << by | value >> (32 - by)) & 0xFFFFFFFF

    low, high = seed & 0xFFFFFFFF, seed >> 32
    padded = data + b"\x80"
    padded += bytes(-len(padded) % 4) + bytes(4)
    for (word,) in struct.iter_unpack("<I", padded):
        low = low + word & 0xFFFFFFFF
        high ^= low
        low = turned(low, 20) + high & 0xFFFFFFFF
        high = turned(high, 9) ^ low
        low = turned(low, 27) + high & 0xFFFFFFFF
        high = turned(high, 19)
    return high << 32 | low


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 31, 65_535, 65_536, 65_537, 70_003, 200_000])
def test_any_length(length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert marvin32(data) == marvin32(memoryview(data)) == literal(data, 0x82EF4D887A4E55C5)


def test_real_entries() -> None:
    log = real_file("hives-other/regipy-transactions/NTUSER.DAT.LOG2").read_bytes()
    (size,) = struct.unpack_from("<I", log, 512 + 4)
    assert struct.unpack_from("<QQ", log, 512 + 24) == (marvin32(log[552 : 512 + size]), marvin32(log[512:544]))
