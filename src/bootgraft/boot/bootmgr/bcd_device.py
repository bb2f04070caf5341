"""Device elements of a BCD store: how bootmgr names the volume, or the file, that something is loaded from.

A GUID of further options, then a descriptor: type, flags, length (counted from its own start), four zero bytes, and
what the type wants. Numbers are little-endian. Types and fields: ReactOS, ``boot/environ/include/bl.h``
(BL_DEVICE_DESCRIPTOR, BL_LOCAL_DEVICE, BL_FILE_PATH), held against the stores of real machines.
"""

import struct
import uuid

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.errors import BootConfigError
from bootgraft.machine import GptPartition, MbrPartition, PartitionIdentity
from bootgraft.registry.values import decode_utf16

MAX_NESTING = 4
"""Descriptors within descriptors that are followed: a partition, in it a file, in it a disk, and one to spare."""

_OPTIONS_SIZE, _HEADER = 16, struct.Struct("<IIII")
_DISK, _BOOT, _PARTITION, _LOCATE = 0, 5, 6, 8
_HARD_DISK, _RAM_DISK, _FILE, _VIRTUAL_DISK = 0, 3, 5, 6
_STYLE_GPT, _STYLE_MBR = 0, 1
_IMAGE_PLACE_SIZE = 20
"""Bytes between the kind of a RAM disk or virtual disk and the file that it is: base, size and offset at run time."""
_PARTITION_FIELDS = struct.Struct("<16sII16s")
_PARTITION_RESERVED = 16
_FILE_PATH = struct.Struct("<III")
_BY_ELEMENT = 0


class BootDevice(Struct, frozen=True):
    """The volume that bootmgr itself came from."""

    def __str__(self) -> str:
        return "the volume that bootmgr came from"


class PartitionDevice(Struct, frozen=True):
    """A partition of a hard disk."""

    identity: PartitionIdentity

    def __str__(self) -> str:
        return str(self.identity)


class LocateDevice(Struct, frozen=True):
    """The volume that has a file: the one that ``element`` of the same object names, or ``path`` where it is None."""

    element: int | None
    path: str
    parent: "Device | None"

    def __str__(self) -> str:
        what = repr(self.path) if self.element is None else f"what element {self.element:08x} names"
        return f"the volume that has {what}" + ("" if self.parent is None else f", on {self.parent}")


class FileDevice(Struct, frozen=True):
    """A file that serves as a disk; ``what`` is ``RAM disk``, ``virtual disk`` or ``file``."""

    what: str
    parent: "Device"
    path: str

    def __str__(self) -> str:
        return f"a {self.what} from {self.path} on {self.parent}"


class OtherDevice(Struct, frozen=True):
    """A device of a kind that no installed Windows starts from, as a network adapter."""

    what: str

    def __str__(self) -> str:
        return self.what


class DamagedDevice(Struct, frozen=True):
    """An element that cannot be read as a device."""

    def __str__(self) -> str:
        return "a damaged element"


Device = BootDevice | PartitionDevice | LocateDevice | FileDevice | OtherDevice | DamagedDevice


def parse_device(data: bytes, *, name: str) -> Device:
    """Read the data of a device element; ``name`` is what errors say as where.

    Raises:
        BootConfigError: it is cut short, or nested too deep.
    """
    return _Reader(data, name).descriptor(_OPTIONS_SIZE, MAX_NESTING)


def on_partition(device: Device | None) -> tuple[PartitionIdentity, str] | None:
    """The partition that a device lies on, and the path of the file there that it is: empty for the partition itself.

    None where no partition is named, at whatever depth.
    """
    match device:
        case PartitionDevice(identity):
            return identity, ""
        case FileDevice(_, parent, path):
            found = on_partition(parent)
            return None if found is None else (found[0], found[1] or path)
        case LocateDevice(_, _, parent):
            return on_partition(parent)
    return None


def retargeted(data: bytes, old: PartitionIdentity, new: PartitionIdentity, *, name: str) -> bytes:
    """A device element with each partition in it that is ``old``, at whatever depth, replaced: 40 bytes of it change.

    Raises as :func:`parse_device`.
    """
    reader = _Reader(data, name)
    reader.descriptor(_OPTIONS_SIZE, MAX_NESTING)
    changed = bytearray(data)
    for at, identity in reader.partitions:
        if identity == old:
            changed[at : at + _PARTITION_FIELDS.size] = partition_fields(new)
    return bytes(changed)


def boot_element() -> bytes:
    """A whole element that names the volume that bootmgr came from, 0x58 bytes, as Windows writes it."""
    length = _HEADER.size + _PARTITION_FIELDS.size + _PARTITION_RESERVED
    return bytes(_OPTIONS_SIZE) + _HEADER.pack(_BOOT, 0, length, 0) + bytes(length - _HEADER.size)


def partition_element(identity: PartitionIdentity) -> bytes:
    """A whole element that names this partition, 0x58 bytes, as Windows writes it."""
    fields = partition_fields(identity)
    length = _HEADER.size + len(fields) + _PARTITION_RESERVED
    return bytes(_OPTIONS_SIZE) + _HEADER.pack(_PARTITION, 0, length, 0) + fields + bytes(_PARTITION_RESERVED)


def options_of(data: bytes) -> str | None:
    """The GUID of the object with further options (the SDI of a RAM disk), in lower case; None where there is none."""
    guid = data[:_OPTIONS_SIZE]
    return str(uuid.UUID(bytes_le=guid)) if len(guid) == _OPTIONS_SIZE and any(guid) else None


def partition_fields(identity: PartitionIdentity) -> bytes:
    """The 40 bytes of a descriptor, behind its header, that name this partition of its disk."""
    if isinstance(identity, MbrPartition):
        style, own = _STYLE_MBR, struct.pack("<Q8x", identity.offset)
        disk = struct.pack("<I12x", identity.signature)
    else:
        style, own = _STYLE_GPT, uuid.UUID(identity.partition_guid).bytes_le
        disk = uuid.UUID(identity.disk_guid).bytes_le
    return _PARTITION_FIELDS.pack(own, _HARD_DISK, style, disk)


class _Reader:
    """The bytes of one element; offsets count from its start."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.partitions: list[tuple[int, PartitionIdentity]] = []  # where the fields of each lie

    def descriptor(self, at: int, depth: int) -> Device:
        """Read the descriptor at an offset; ``depth`` more may be nested in it."""
        if not depth:
            raise self._damaged(f"devices are nested more than {MAX_NESTING} deep")
        kind, _flags, length, _ = _HEADER.unpack(self._bytes(at, _HEADER.size))
        self._bytes(at, max(length, _HEADER.size))
        body, end = at + _HEADER.size, at + length
        if kind == _BOOT:
            return BootDevice()
        if kind == _PARTITION:
            return self._partition(body)
        if kind == _LOCATE:
            return self._locate(at, end, depth)
        return self._disk(body, depth) if kind == _DISK else OtherDevice(f"a device of type {kind}")

    def _partition(self, body: int) -> Device:
        own, disk_kind, style, disk = _PARTITION_FIELDS.unpack(self._bytes(body, _PARTITION_FIELDS.size))
        if disk_kind != _HARD_DISK:
            return OtherDevice(f"a partition of a disk of kind {disk_kind}, which is no hard disk")
        identity: PartitionIdentity
        if style == _STYLE_MBR:
            identity = MbrPartition(*struct.unpack("<I", disk[:4]), *struct.unpack("<Q", own[:8]))
        elif style == _STYLE_GPT:
            identity = GptPartition(_guid(disk), _guid(own))
        else:
            return OtherDevice(f"a partition of a table of style {style}")
        self.partitions.append((body, identity))
        return PartitionDevice(identity)

    def _locate(self, at: int, end: int, depth: int) -> Device:
        body = at + _HEADER.size
        how, element, parent_at = struct.unpack("<III", self._bytes(body, 12))
        path = self._text(body + 12, at + parent_at if parent_at else end)
        parent = None
        if parent_at:
            if parent_at < _HEADER.size + 12:
                raise self._damaged("the device to search lies inside the description of what to search")
            parent = self.descriptor(at + parent_at, depth - 1)
        return LocateDevice(element if how == _BY_ELEMENT else None, path, parent)

    def _disk(self, body: int, depth: int) -> Device:
        (kind,) = struct.unpack("<I", self._bytes(body, 4))
        inside = body + 4
        if kind == _RAM_DISK:
            return self._file("RAM disk", inside + _IMAGE_PLACE_SIZE, depth)
        if kind == _FILE:
            return self._file("file", inside, depth)
        if kind == _VIRTUAL_DISK:
            image = self.descriptor(inside + _IMAGE_PLACE_SIZE, depth - 1)
            if isinstance(image, FileDevice):
                return replace(image, what="virtual disk")
            return OtherDevice(f"a virtual disk on {image}")
        return OtherDevice("a whole hard disk" if kind == _HARD_DISK else f"a disk of kind {kind}")

    def _file(self, what: str, at: int, depth: int) -> Device:
        _version, length, _type = _FILE_PATH.unpack(self._bytes(at, _FILE_PATH.size))
        self._bytes(at, length)
        nested = at + _FILE_PATH.size
        parent = self.descriptor(nested, depth - 1)
        nested_length = _HEADER.unpack(self._bytes(nested, _HEADER.size))[2]
        return FileDevice(what, parent, self._text(nested + nested_length, at + length))

    def _text(self, start: int, end: int) -> str:
        return decode_utf16(self.data[start:end]).partition("\0")[0] if start < end else ""

    def _bytes(self, at: int, length: int) -> bytes:
        if at + length > len(self.data):
            raise self._damaged(f"it has {len(self.data)} bytes where {at + length} are needed")
        return self.data[at : at + length]

    def _damaged(self, detail: str) -> BootConfigError:
        return BootConfigError(
            f"the device element is damaged: {detail}",
            where=self.name,
            advice="Set it anew with `bcdedit /store`, from the recovery environment of the same Windows",
        )


def _guid(data: bytes) -> str:
    return str(uuid.UUID(bytes_le=data)).upper()
