r"""Where Windows NT 4 keeps its drive letters: the value ``Information`` of ``SYSTEM\DISK``.

A header (version 3, offsets) before a list of disks, each a signature with its partitions; all packed to 4 bytes.
Layout: ``DISK_CONFIG_HEADER``, ``DISK_REGISTRY``, ``DISK_DESCRIPTION`` and ``DISK_PARTITION`` in the header ntddft.h
of the NT driver kits. No hive of a real machine with this value was at hand, so nothing is ever written here.
"""

import struct

from bootgraft.registry.hive import Hive

_HEADER = struct.Struct("<II4xII")  # version, checksum, dirty mark, offset and size of the list of disks
_DISKS, _DISK = struct.Struct("<HH"), struct.Struct("<HHI")
_PARTITION_SIZE = 52
_VERSION, MAX_DISKS = 3, 256


def read_disk_signatures(hive: Hive) -> tuple[int, ...]:
    """The signatures of the disks that it lists; empty where the value is missing or not as the header file says.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    key = hive.key("DISK")
    value = None if key is None else key.value("Information")
    return () if value is None else parse_disk_signatures(value.data)


def parse_disk_signatures(data: bytes) -> tuple[int, ...]:
    """The same from the value's bytes."""
    if len(data) < _HEADER.size:
        return ()
    version, _checksum, at, size = _HEADER.unpack_from(data)
    end = at + size
    if version != _VERSION or end > len(data) or size < _DISKS.size:
        return ()
    count, _ = _DISKS.unpack_from(data, at)
    at += _DISKS.size
    signatures = []
    for _index in range(min(count, MAX_DISKS)):
        if at + _DISK.size > end:
            return ()
        partitions, _, signature = _DISK.unpack_from(data, at)
        signatures.append(signature)
        at += _DISK.size + partitions * _PARTITION_SIZE
    return tuple(signatures)
