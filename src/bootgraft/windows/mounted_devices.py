r"""Drive letters: which volume Windows gives which letter.

``SYSTEM\MountedDevices`` has a value ``\DosDevices\C:`` for each letter and ``\??\Volume{GUID}`` for each volume. The
data of both is the volume's own name: on an MBR disk the disk signature and the partition's byte offset (12 bytes), on
a GPT disk ``DMIO:ID:`` and the partition's GUID (24 bytes; the same form serves dynamic volumes), and for what can be
taken out the device interface as UTF-16 text; Microsoft, "Supporting Mount Manager Requests in a Storage Class Driver"
and Knowledge Base 234048, held against the hives of real machines.
"""

import re
import struct
from enum import StrEnum

from msgspec import Struct

from bootgraft.machine import MbrPartition, PartitionIdentity
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import decode_utf16
from bootgraft.text import printable

KEY = "MountedDevices"
MAX_VALUES = 4096
"""Values read at most: there are 26 letters, and Windows keeps one name for every volume that it ever saw."""

_LETTER = re.compile(r"\\DosDevices\\([A-Z]:)", re.IGNORECASE | re.ASCII)
_GPT_PREFIX = b"DMIO:ID:"
_MBR_SIZE, _GPT_SIZE = 12, 24
_INTERFACES = ("\\??\\", "_??_", "\\\\?\\")
_MAX_INTERFACE = 4096


class DeviceKind(StrEnum):
    """How a value names its volume."""

    MBR = "mbr"
    GPT = "gpt"  # or a dynamic volume, which looks the same
    INTERFACE = "interface"  # a drive for discs, diskettes or sticks, by its device interface
    UNKNOWN = "unknown"


class MountedDevice(Struct, frozen=True):
    """One value of MountedDevices. ``type`` is the registry type that it is stored with."""

    name: str
    data: bytes
    type: int = 3

    @property
    def letter(self) -> str | None:
        """``C:``, in upper case; None for the name of a volume."""
        match = _LETTER.fullmatch(self.name)
        return match[1].upper() if match else None

    @property
    def kind(self) -> DeviceKind:
        """How it names its volume."""
        if len(self.data) == _MBR_SIZE:
            return DeviceKind.MBR
        if len(self.data) == _GPT_SIZE and self.data.startswith(_GPT_PREFIX):
            return DeviceKind.GPT
        if len(self.data) % 2 == 0 and decode_utf16(self.data[:8]) in _INTERFACES:
            return DeviceKind.INTERFACE
        return DeviceKind.UNKNOWN

    @property
    def place(self) -> MbrPartition | None:
        """The partition of an MBR disk that it names; None for any other kind."""
        return MbrPartition(*struct.unpack("<IQ", self.data)) if self.kind is DeviceKind.MBR else None

    @property
    def guid(self) -> str | None:
        """The GUID of the GPT partition or dynamic volume that it names, in upper case; None for any other kind."""
        import uuid

        if self.kind is not DeviceKind.GPT:
            return None
        return str(uuid.UUID(bytes_le=self.data[len(_GPT_PREFIX) :])).upper()

    def __str__(self) -> str:
        if self.place is not None:
            return f"byte {self.place.offset} of the disk with signature {self.place.signature:08x}"
        match self.kind:
            case DeviceKind.GPT:
                return f"the partition or dynamic volume {{{self.guid}}}"
            case DeviceKind.INTERFACE:
                text = decode_utf16(self.data[:_MAX_INTERFACE])
                return "the drive " + printable(text)
            case _:
                return f"{len(self.data)} bytes that name nothing known"


def read_mounted_devices(hive: Hive) -> tuple[MountedDevice, ...] | None:
    """Return the values in the order in which Windows made them; None where there is no such key (NT 4 has none).

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    from itertools import islice

    key = hive.key(KEY)
    if key is None:
        return None
    return tuple(MountedDevice(value.name, value.data, value.type) for value in islice(key.values(), MAX_VALUES))


def mbr_identity(signature: int, offset: int) -> bytes:
    """The data that names the partition at byte ``offset`` of the MBR disk with this signature."""
    return struct.pack("<IQ", signature, offset)


def gpt_identity(guid: str) -> bytes:
    """The data that names the GPT partition with this GUID."""
    import uuid

    return _GPT_PREFIX + uuid.UUID(guid).bytes_le


def name_of(partition: PartitionIdentity) -> bytes:
    """The data that names a partition: of GPT, its own GUID alone."""
    if isinstance(partition, MbrPartition):
        return mbr_identity(partition.signature, partition.offset)
    return gpt_identity(partition.partition_guid)


def letter_of(hive: Hive, identity: bytes) -> str | None:
    """Return the first letter, in alphabetical order, whose data is ``identity``."""
    found = read_mounted_devices(hive) or ()
    return min((each.letter for each in found if each.letter and each.data == identity), default=None)
