"""The base block: the first 4096 bytes of a hive, of which 512 matter.

Format: "Windows registry file format specification" (https://github.com/msuhanov/regf), "Base block".
"""

import struct

from msgspec import Struct

from bootgraft.errors import DirtyHiveError, HiveError

BASE_SIZE = 4096
"""Bytes before the first hive bin; every cell offset counts from here."""
SECTOR = 512
PAGE = 4096
FIRST_BIN_TIMESTAMP = BASE_SIZE + 20
"""File offset of the copy of the last-written timestamp in the first bin's header."""
CHECKSUM_AT = 508
MINOR_VERSIONS = range(2, 7)

_FIELDS = struct.Struct("<4sIIQIIIIIII")
DAMAGED_ADVICE = (
    "Restore this hive from a backup or from the copy that Windows keeps (in \\WINDOWS\\repair up to Server 2003, in "
    "config\\RegBack later); bootgraft writes nothing into a damaged hive"
)
_PENDING = (
    "Boot the source machine once, shut it down cleanly and convert it again, so that Windows writes its log into "
    "the hive; until then nothing here can be trusted"
)


class BaseBlock(Struct, frozen=True):
    """What the base block says; ``root`` and ``bins_size`` are bytes from and in the hive bins' data."""

    primary: int
    secondary: int
    timestamp: int
    minor: int
    root: int
    bins_size: int


def checksum(sector: bytes) -> int:
    """XOR of the first 127 words of the base block's first sector, with 0 and 2³²-1 avoided as Windows does."""
    result = 0
    for word in struct.unpack_from("<127I", sector):
        result ^= word
    if result == 0:
        return 1
    return 0xFFFFFFFE if result == 0xFFFFFFFF else result


def parse(sector: bytes, *, file_size: int, name: str) -> BaseBlock:
    """Check the base block of a primary file and return what it says.

    Raises:
        DirtyHiveError: a write was not finished: the checksum is wrong or the two sequence numbers differ.
        HiveError: it is not a hive that any Windows would load.
    """
    if len(sector) < SECTOR or file_size < BASE_SIZE + PAGE:
        raise _damaged(f"{file_size} bytes are too few for a registry hive", name)
    signature, primary, secondary, timestamp, major, minor, kind, form, root, bins_size, _ = _FIELDS.unpack_from(sector)
    if signature != b"regf":
        raise _damaged("this is not a registry hive: it does not begin with 'regf'", name)
    if checksum(sector) != int.from_bytes(sector[CHECKSUM_AT : CHECKSUM_AT + 4], "little"):
        raise DirtyHiveError(
            "the checksum of the hive's base block is wrong: the last write to it was cut short",
            where=name,
            advice=_PENDING,
        )
    if major != 1 or minor not in MINOR_VERSIONS:
        raise _damaged(f"hive version {major}.{minor} is unknown", name)
    if kind != 0 or form != 1:
        raise _damaged(f"the base block says file type {kind}, format {form}: this is no primary hive file", name)
    if primary != secondary:
        raise DirtyHiveError(
            f"transactions are pending in the hive's logs (sequence numbers {primary} and {secondary})",
            where=name,
            advice=_PENDING,
        )
    if bins_size == 0 or bins_size % PAGE or bins_size > file_size - BASE_SIZE:
        raise _damaged(f"the base block says {bins_size} bytes of bins; the file holds {file_size - BASE_SIZE}", name)
    if root % 8 or not 32 <= root < bins_size:
        raise _damaged(f"the root key's offset 0x{root:x} lies outside the bins", name)
    return BaseBlock(primary, secondary, timestamp, minor, root, bins_size)


def seal(sector: bytes, *, sequence: int, timestamp: int, bins_size: int) -> bytes:
    """The 512 bytes of a finished write: both sequence numbers equal, everything unknown kept, checksum right."""
    sealed = bytearray(sector[:SECTOR])
    struct.pack_into("<IIQ", sealed, 4, sequence, sequence, timestamp)
    struct.pack_into("<I", sealed, 40, bins_size)
    struct.pack_into("<I", sealed, CHECKSUM_AT, checksum(bytes(sealed)))
    return bytes(sealed)


def _damaged(what: str, name: str) -> HiveError:
    return HiveError(what, where=name, advice=DAMAGED_ADVICE)
