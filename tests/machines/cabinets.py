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
    """A cabinet of the kind LZX (window of 32 KiB) with one file of at most 32 KiB.

    Layout: [MS-CAB] 2 and [MS-PATCH] 2; cabextract unpacks it, which the tests see to.
    """
    block = _lzx_stream(data)
    file = struct.pack("<IIHHHH", len(data), 0, 0, 0x3A21, 0x6000, 0x20) + name.encode() + b"\0"
    data_at = 36 + 8 + len(file)
    folder = struct.pack("<IHH", data_at, 1, 0x0F03)
    total = data_at + 8 + len(block)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, total, 0, 44, 0, 3, 1, 1, 1, 0, 0x1234, 0)
    return head + folder + file + struct.pack("<IHH", 0, len(block), len(data)) + block


def _lzx_stream(data: bytes) -> bytes:
    """wimlib's LZX with the two headers that a cabinet has instead; where it does not do, one uncompressed block."""
    from tests.filesystems.ntfs.wof_images import lzx

    packed = lzx(data)
    if len(packed) < len(data):
        bits = _bits(packed)
        kind, rest = bits[:3], bits[4:]
        size = 32768
        if bits[3] == "0":
            size, rest = int(rest[:16], 2), rest[16:]
        if size == len(data):  # else further blocks follow, with headers of their own
            return _packed(f"1{12_000_000:032b}{kind}{size:024b}{rest}")
    header = _packed(f"0011{len(data):024b}")
    return header + struct.pack("<3I", 1, 1, 1) + data + b"\0" * (len(data) % 2)


def _bits(data: bytes) -> str:
    """The bits of 16-bit words, each from its highest on."""
    return "".join(f"{word:016b}" for (word,) in struct.iter_unpack("<H", data + b"\0" * (len(data) % 2)))


def _packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 16)
    return b"".join(struct.pack("<H", int(bits[at : at + 16], 2)) for at in range(0, len(bits), 16))
