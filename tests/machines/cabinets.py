"""Cabinets made by gcab, which packs with MSZIP, and the one kind that no tool of Debian makes: LZX."""

import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.machines.tools import run


def cabinet(files: Mapping[str, bytes]) -> bytes:
    """A cabinet (MSZIP) with these files, in order; ``/`` in a name makes a folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, "in", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        run("gcab", "--create", "--zip", "../made.cab", *files, cwd=Path(folder, "in"))
        return Path(folder, "made.cab").read_bytes()


def lzx_cabinet(name: str, data: bytes) -> bytes:
    """A cabinet of the kind LZX (window of 32 KiB) with one file of at most 32 KiB in one uncompressed block.

    Layout: [MS-CAB] 2, and [MS-PATCH] 2.4 for the block; cabextract unpacks it, which the tests see to.
    """
    header = 0b0011 << 28 | len(data) << 4  # no translation of calls, block type 3, 24 bits of length, alignment
    block = struct.pack("<HH3I", header >> 16, header & 0xFFFF, 1, 1, 1) + data + b"\0" * (len(data) % 2)
    file = struct.pack("<IIHHHH", len(data), 0, 0, 0x3A21, 0x6000, 0x20) + name.encode() + b"\0"
    data_at = 36 + 8 + len(file)
    folder = struct.pack("<IHH", data_at, 1, 0x0F03)
    total = data_at + 8 + len(block)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, total, 0, 44, 0, 3, 1, 1, 1, 0, 0x1234, 0)
    return head + folder + file + struct.pack("<IHH", 0, len(block), len(data)) + block
