"""Archives with a driver package: what libarchive reads is mutated, and every member is read as a source of drivers.

What would refuse a change at once is made right again: the checksums of a cabinet's blocks and of 7z's headers.
"""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from tests.machines.cabinets import cabinet, lzx_cabinet
from tests.machines.tools import run

from bootgraft.drivers.archives.archive import open_archive_bytes, read_each
from bootgraft.errors import BootgraftError

_INF = b'[Version]\r\nSignature="$Chicago$"\r\nClass=SCSIAdapter\r\n' * 40
_HEADER = 512
"""Bytes at either end of an archive where most of its structure lies."""
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_CABINET_FIELDS = ((8, 4), (16, 4), (26, 2), (28, 2), (30, 2), (36, 4), (40, 2), (42, 2))
_VOLUME_DESCRIPTORS = range(16 * 2048, 20 * 2048, 2048)


class ArchiveSeed(Struct, frozen=True):
    """A sound archive."""

    name: str
    data: bytes


def seeds(folder: Path) -> list[ArchiveSeed]:
    """One archive of each kind, by other people's tools."""
    return [ArchiveSeed(name, data) for name, data in _made(folder)]


def _made(folder: Path) -> Iterator[tuple[str, bytes]]:
    chance = random.Random(7)
    binary = chance.randbytes(3000) + b"a driver's text " * 400
    files = {"driver.inf": _INF, "amd64/driver.sys": binary, "Grüße.txt": b"hello"}
    tree = folder / "tree"
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    yield "cabinet", cabinet(files)
    yield "LZX cabinet", lzx_cabinet("driver.sys", binary)
    run("genisoimage", "-quiet", "-input-charset", "utf-8", "-J", "-r", "-o", folder / "a.iso", tree)
    run("zip", "-q", "-r", folder / "a.zip", ".", cwd=tree)
    run("7z", "a", "-bd", folder / "a.7z", ".", cwd=tree)
    run("7z", "a", "-bd", "-mhc=off", "-m0=BCJ", "-m1=LZMA2", folder / "b.7z", ".", cwd=tree)
    for name in ("a.iso", "a.zip", "a.7z", "b.7z"):
        yield name, (folder / name).read_bytes()


def mutated(seed: ArchiveSeed, chance: random.Random) -> ArchiveSeed:
    """The seed with up to eight things changed."""
    data = bytearray(seed.data)
    for _ in range(chance.choice((1, 1, 2, 2, 4, 8))):
        chance.choice(_CHANGES)(data, chance)
    if chance.random() < 0.03:
        del data[chance.randrange(len(data)) :]
    if chance.random() < 0.8:
        _sealed(data)
    return ArchiveSeed(seed.name, bytes(data))


def _put(data: bytearray, at: int, size: int, chance: random.Random) -> None:
    if not 0 <= at <= len(data) - size:
        return
    now, top = int.from_bytes(data[at : at + size], "little"), (1 << 8 * size) - 1
    near = (now + 1, now - 1, now * 2, now ^ (1 << chance.randrange(8 * size)))
    extremes = (0, 1, 0x7F, 0x80, top, top >> 1)
    number = chance.choice((*extremes, *near, chance.randrange(len(data)), chance.getrandbits(8 * size)))
    data[at : at + size] = (number & top).to_bytes(size, "little")


def _field(data: bytearray, chance: random.Random) -> None:
    """A number where the format has its headers."""
    if data[:4] == b"MSCF":
        offset, size = chance.choice(_CABINET_FIELDS)
        _put(data, offset, size, chance)
    elif data[:6] == _SEVEN_ZIP:
        _put(data, chance.choice((6, 12, 20, _end_header(data) + chance.randrange(64))), chance.choice((1, 8)), chance)
    elif data[:2] == b"PK":
        places = [at for mark in (b"PK\3\4", b"PK\1\2", b"PK\5\6") for at in _all(data, mark)]
        _put(data, chance.choice(places or [0]) + chance.randrange(4, 46), chance.choice((1, 2, 4)), chance)
    else:
        _put(data, chance.choice(_VOLUME_DESCRIPTORS) + chance.randrange(190), chance.choice((1, 2, 4)), chance)


def _front(data: bytearray, chance: random.Random) -> None:
    _put(data, chance.randrange(_HEADER), chance.choice((1, 2, 4)), chance)


def _back(data: bytearray, chance: random.Random) -> None:
    _put(data, len(data) - 1 - chance.randrange(_HEADER), 1, chance)


def _anywhere(data: bytearray, chance: random.Random) -> None:
    _put(data, chance.randrange(max(1, len(data))), chance.choice((1, 1, 2, 4)), chance)


def _copy(data: bytearray, chance: random.Random) -> None:
    length = chance.choice((4, 16, 64))
    source, target = (chance.randrange(max(1, len(data) - length)) for _ in range(2))
    data[target : target + length] = data[source : source + length]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _field,
    _field,
    _field,
    _front,
    _back,
    _anywhere,
    _copy,
)


def _all(data: bytearray, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _end_header(data: bytearray) -> int:
    return 32 + int(struct.unpack_from("<Q", data, 12)[0]) if len(data) >= 32 else 0


def _sealed(data: bytearray) -> None:
    """Make checksums right, or say that there is none."""
    if data[:6] == _SEVEN_ZIP and len(data) >= 32:
        start, length = struct.unpack_from("<QQ", data, 12)
        if 32 + start + length <= len(data):
            struct.pack_into("<I", data, 28, zlib.crc32(data[32 + start : 32 + start + length]))
        struct.pack_into("<I", data, 8, zlib.crc32(data[12:32]))
    elif data[:4] == b"MSCF" and len(data) >= 44:
        at, count = struct.unpack_from("<IH", data, 36)
        for _ in range(count):
            if at + 8 > len(data):
                return
            struct.pack_into("<I", data, at, 0)  # a block without a checksum
            at += 8 + int.from_bytes(data[at + 4 : at + 6], "little")


def attempt(seed: ArchiveSeed) -> str:
    """List the archive and read every member; how that ended. Raises whatever is a bug."""
    try:
        archive = open_archive_bytes(seed.data, seed.name)
        members = archive.members()
    except BootgraftError:
        return "refused"
    try:
        read = sum(1 for _ in read_each(archive, (each.path for each in members)))
    except BootgraftError:
        return "refused in part"
    return "read" if read else "empty"
