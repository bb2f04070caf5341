"""Dynamic disks: the database of the Logical Disk Manager, read only as far as it says what a partition is part of.

A private header (``PRIVHEAD``, in sector 6 of an MBR disk, in the last sector of the metadata partition on GPT) names
the disk and the place of its 1 MiB database. In that, 17 sectors in, ``VMDB`` heads records (``VBLK``) of disks,
volumes, components (a mirror has several) and partitions. All numbers are big-endian. Sources: the Linux-NTFS
project's LDM documentation; Linux, block/partitions/ldm.c; libldm.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct, field

from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice
from bootgraft.storage.disks.partitions import LDM_METADATA, Partition, TableKind, read_partition_table

_PRIVATE_HEADER = 6  # sector, on MBR disks
_VMDB = 17  # sectors from the start of the database
_MAX_SECTORS = 2048  # of a database: 1 MiB
_HEAD, _RECORD = 0x10, 0x18  # bytes before a record's flags; before its first field
_DISK_3, _DISK_4, _VOLUME, _COMPONENT, _PARTITION = 0x34, 0x44, 0x51, 0x32, 0x33
_STRIPED, _CONCATENATED, _RAID = 1, 2, 3


class LdmKind(StrEnum):
    """How a volume lies on its disks. Only a simple one is an ordinary partition too."""

    SIMPLE = "simple"
    SPANNED = "spanned"
    STRIPED = "striped"
    MIRRORED = "mirrored"
    RAID5 = "RAID-5"


class LdmVolume(Struct, frozen=True):
    """A volume of a dynamic disk: its name in the database, and the GUIDs of the disks that it lies on."""

    name: str
    kind: LdmKind
    disks: tuple[str, ...]


class _Component(Struct, frozen=True):
    layout: int
    volume: int


class _Extent(Struct, frozen=True):
    start: int  # sectors from the start of the disk's data area
    component: int
    disk: int


class LdmDatabase(Struct):
    """What one dynamic disk says of itself and its group."""

    disk_guid: str  # lower case
    first_sector: int  # of its data area
    disks: dict[int, str] = field(default_factory=dict)
    volumes: dict[int, str] = field(default_factory=dict)
    components: dict[int, _Component] = field(default_factory=dict)
    extents: list[_Extent] = field(default_factory=list)

    def volume_at(self, partition: Partition) -> LdmVolume | None:
        """The volume that begins where a partition of this disk does; None where the database has none there."""
        start = partition.start // SECTOR - self.first_sector
        own = {number for number, guid in self.disks.items() if guid == self.disk_guid}
        here = next((each for each in self.extents if each.disk in own and each.start == start), None)
        component = None if here is None else self.components.get(here.component)
        if component is None or component.volume not in self.volumes:
            return None
        plexes = {number for number, each in self.components.items() if each.volume == component.volume}
        extents = [each for each in self.extents if each.component in plexes]
        disks = tuple(dict.fromkeys(self.disks.get(each.disk, "unknown") for each in extents))
        kind = _kind(component.layout, len(plexes), len(extents))
        return LdmVolume(self.volumes[component.volume], kind, disks)


def read_database(device: BlockDevice) -> LdmDatabase | None:
    """Read the database of a whole disk; None where there is none, or none that can be understood.

    Raises:
        ImageError: the device cannot be read.
    """
    header = _private_header(device)
    if header is None:
        return None
    first, config, size = (_number(header, at, 8) for at in (0x11B, 0x12B, 0x133))
    database = LdmDatabase(_guid_text(header[0x30:0x70]), first)
    if not 0 < size <= _MAX_SECTORS or (config + size) * SECTOR > device.size:
        return None
    data = device.read((config + _VMDB) * SECTOR, (size - _VMDB) * SECTOR) if size > _VMDB else b""
    if data[:4] != b"VMDB" or _number(data, 0x10, 2) != 1:  # 1: no transaction is under way
        return None
    try:
        for record in _records(data):
            _add(database, record)
    except IndexError:  # a field reaches past its record
        return None
    return database


def _private_header(device: BlockDevice) -> bytes | None:
    table = read_partition_table(device)
    at = _PRIVATE_HEADER * SECTOR
    if table.kind is TableKind.GPT:
        metadata = next((each for each in table.partitions if each.type == LDM_METADATA), None)
        at = -1 if metadata is None else metadata.start + metadata.size - SECTOR
    if at < 0 or at + SECTOR > device.size:
        return None
    header = device.read(at, SECTOR)
    return header if header[:8] == b"PRIVHEAD" else None


def _kind(layout: int, plexes: int, extents: int) -> LdmKind:
    if plexes > 1:
        return LdmKind.MIRRORED
    if layout in (_STRIPED, _RAID):
        return LdmKind.STRIPED if layout == _STRIPED else LdmKind.RAID5
    return LdmKind.SIMPLE if extents == 1 and layout == _CONCATENATED else LdmKind.SPANNED


def _records(data: bytes) -> Iterator[bytes]:
    """The records, each with its head; one that lies in several pieces is joined."""
    size, first, count = _number(data, 8, 4), _number(data, 12, 4), _number(data, 4, 4)
    if not 32 <= size <= SECTOR or first > len(data):
        return
    pieces: dict[int, dict[int, bytes]] = {}
    for at in range(first, min(first + size * count, len(data) - size + 1), size):
        piece = data[at : at + size]
        parts = _number(piece, 14, 2)
        if piece[:4] != b"VBLK" or not 1 <= parts <= 4 or (parts == 1 and not any(piece[_HEAD:_RECORD])):
            continue
        found = pieces.setdefault(_number(piece, 8, 4) if parts > 1 else -at, {})
        found[_number(piece, 12, 2)] = piece
        if len(found) == parts:
            yield piece[:_HEAD] + b"".join(found[key][_HEAD:] for key in sorted(found))


def _add(database: LdmDatabase, record: bytes) -> None:
    kind, fields = record[0x13], _Fields(record, _RECORD)
    if kind not in (_DISK_3, _DISK_4, _VOLUME, _COMPONENT, _PARTITION):
        return
    number, name = fields.number(), fields.text()
    if kind == _VOLUME:
        database.volumes[number] = name
    elif kind == _DISK_3:
        database.disks[number] = _guid_text(fields.text().encode("ascii", "replace"))
    elif kind == _DISK_4:
        database.disks[number] = _guid_of(fields.skip(16))
    elif kind == _COMPONENT:
        fields.text()  # its state
        layout = fields.skip(5)[0]
        fields.number()  # how many children
        fields.skip(16)
        database.components[number] = _Component(layout, fields.number())
    else:
        fields.skip(12)
        start = int.from_bytes(fields.skip(8), "big")
        fields.skip(8)  # its offset in the volume
        fields.number()  # its size
        component, disk = fields.number(), fields.number()
        database.extents.append(_Extent(start, component, disk))


class _Fields:
    """The fields of a record, one after the other. Raises IndexError past its end."""

    def __init__(self, record: bytes, at: int) -> None:
        self._record = record
        self._at = at

    def skip(self, count: int) -> bytes:
        """The next bytes."""
        self._at += count
        if self._at > len(self._record):
            raise IndexError(self._at)
        return self._record[self._at - count : self._at]

    def number(self) -> int:
        """A number with its length in front."""
        return int.from_bytes(self.skip(self.skip(1)[0]), "big")

    def text(self) -> str:
        """A text with its length in front."""
        return self.skip(self.skip(1)[0]).decode("ascii", "replace")


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _guid_text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii", "replace").lower()


def _guid_of(data: bytes) -> str:
    import uuid

    return str(uuid.UUID(bytes=data))
