"""The first sector of a transaction log: a copy of the hive's base block that says what kind of log it is.

Format: https://github.com/msuhanov/regf, "Format of transaction log files".
"""

import struct
from enum import StrEnum

from msgspec import Struct

from bootgraft.registry.baseblock import CHECKSUM_AT, MINOR_VERSIONS, PAGE, SECTOR, checksum
from bootgraft.registry.pages import Storage

LOG_LIMIT = 128 * 2**20
"""Bytes of pending pages that are replayed at most; Windows writes its logs back long before (3 MB is a large one)."""
_FIELDS = struct.Struct("<4sIIQIIIIIII")
_LARGEST_HIVE = 0x7FFF_F000


class LogFormat(StrEnum):
    """Which Windows wrote a log: up to 8 the old format, from 8.1 on the new one."""

    OLD = "old"
    NEW = "new"


FORMATS = {1: LogFormat.OLD, 2: LogFormat.OLD, 6: LogFormat.NEW}
"""By file type: 1 since Windows XP, 2 up to Windows 2000, 6 since Windows 8.1."""


class LogFault(Struct, frozen=True):
    """Why a log, or a part of it, cannot be used; completes a sentence that begins with the log's name."""

    what: str


class LogHeader(Struct, frozen=True):
    """What a log says of itself.

    ``sequence`` is its number: that of its first entry in the new format. ``bins_size`` (bytes) is that of the hive
    when the log was begun, ``sector_size`` (bytes) what its parts are aligned to, ``block`` its first 512 bytes.
    """

    format: LogFormat
    sequence: int
    timestamp: int
    bins_size: int
    sector_size: int
    block: bytes


def read_header(log: Storage) -> LogHeader | LogFault:
    """Read a log's base block, or say why there is none that Windows would accept."""
    size = log.size
    if size == 0:
        return LogFault("is empty")
    block = log.read(0, SECTOR)
    if len(block) < SECTOR or size <= SECTOR:
        return LogFault(f"has only {size} bytes")
    signature, primary, secondary, timestamp, major, minor, kind, _, _, bins_size, cluster = _FIELDS.unpack_from(block)
    if signature != b"regf":
        return LogFault("is no log: it does not begin with 'regf'")
    if checksum(block) != int.from_bytes(block[CHECKSUM_AT : CHECKSUM_AT + 4], "little"):
        return LogFault("has a base block with a wrong checksum")
    if kind not in FORMATS or major != 1 or minor not in MINOR_VERSIONS:
        return LogFault(f"is of an unknown kind (file type {kind}, version {major}.{minor})")
    if primary != secondary:
        return LogFault(f"was never finished (sequence numbers {primary} and {secondary})")
    if bins_size == 0 or bins_size % PAGE or bins_size > _LARGEST_HIVE or not 1 <= cluster <= PAGE // SECTOR:
        return LogFault(f"has a damaged base block ({bins_size} bytes of bins, clustering factor {cluster})")
    # Since Windows 8 all is aligned to 512 bytes, whatever the disk has ("Sector size and clustering factor").
    sector_size = SECTOR if FORMATS[kind] is LogFormat.NEW else cluster * SECTOR
    return LogHeader(FORMATS[kind], primary, timestamp, bins_size, sector_size, block)


def is_newer(one: int, other: int) -> bool:
    """Whether a 32-bit sequence number comes after another, across an overflow too."""
    return 0 < (one - other) & 0xFFFFFFFF < 0x8000_0000
