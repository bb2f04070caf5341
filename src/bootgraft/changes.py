"""What a repair does, as pure data: printable, serialisable, each with the precondition under which it holds.

A file is named by its volume (disk index in BIOS order, start of the partition in bytes) and path; a registry key by
the hive's file and the path under the hive's root, always with a real control set (``ControlSet001\\Services\\x``):
an offline hive has no ``CurrentControlSet``. Order matters: a plan is applied from first to last.
"""

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0)]


def content_digest(data: bytes) -> str:
    """SHA-256 of a file's content, in hex: what WriteFile knows it by."""
    from hashlib import sha256  # it loads OpenSSL, and most checks find no file to replace

    return sha256(data).hexdigest()


class FileId(Struct, frozen=True):
    """One file of one volume. ``partition_start`` is bytes from the start of the disk; ``volume`` is for people."""

    disk: int
    partition_start: int
    volume: str
    path: str

    def __str__(self) -> str:
        return f"{self.volume}: {self.path}"


class CreateDirectory(Struct, frozen=True):
    """Create an empty directory that does not exist; its parents do, or are created by changes before it."""

    file: FileId


class WriteFile(Struct, frozen=True):
    """Create a file, or replace its whole content: what was compressed is stored as it is then.

    ``before`` is the SHA-256 of what is there now, None for nothing.
    ``old`` is what is there now, where the change is an edit of a text that people want to see as a difference.
    """

    file: FileId
    data: bytes
    before: str | None
    origin: str
    old: bytes | None = None

    @property
    def after(self) -> str:
        """SHA-256 of the new content, in hex."""
        return content_digest(self.data)


class RegistryData(Struct, frozen=True):
    """A value's type number (1 is REG_SZ) and bytes, exactly as they lie in the hive."""

    type: int
    data: bytes


class CreateKey(Struct, frozen=True):
    """Create a key that does not exist, with its missing parents."""

    hive: FileId
    key: str


class SetValue(Struct, frozen=True):
    """Set a value of an existing key; the empty name is the key's default value. ``before`` is None for a new one."""

    hive: FileId
    key: str
    name: str
    value: RegistryData
    before: RegistryData | None


class DeleteValue(Struct, frozen=True):
    """Delete one value of a key."""

    hive: FileId
    key: str
    name: str
    before: RegistryData


class DeleteKey(Struct, frozen=True):
    """Delete a key with all that is below it."""

    hive: FileId
    key: str


class WriteSectors(Struct, frozen=True):
    """Replace bytes of a disk outside any file: of the MBR or a boot sector.

    ``offset`` is bytes from the start of the disk; ``data`` and ``before`` are as long. ``what`` names them for people.
    """

    disk: int
    offset: int
    data: bytes
    before: bytes
    what: str


class FormatVolume(Struct, frozen=True):
    """Make an empty FAT32 volume of free space of a disk, which a new entry of its partition table then names.

    ``offset`` and ``size`` are bytes on the disk, ``sector_size`` is its own.
    """

    disk: int
    offset: int
    size: int
    sector_size: int
    serial: int
    label: str


class EditVmFile(Struct, frozen=True):
    """Plug network adapters of the machine's description in or out: ``before`` is the whole file now, ``data`` then.

    It is no change to a disk: whoever commits the disks puts it in the same journal.
    """

    path: str
    cards: tuple[str, ...]
    plugged: bool
    before: bytes
    data: bytes


RegistryChange = CreateKey | SetValue | DeleteValue | DeleteKey
Change = CreateDirectory | WriteFile | WriteSectors | FormatVolume | EditVmFile | RegistryChange
Place = tuple[str | int, ...]


def place_of(change: Change) -> Place:
    """What a change is about, without regard to case: of two changes of one place only one can stand.

    Making a key and deleting it are kept apart: one may follow the other. So are sectors that only overlap.
    """
    match change:
        case WriteFile() | CreateDirectory():
            return ("file", *_file_place(change.file))
        case WriteSectors():
            return ("sectors", change.disk, change.offset, len(change.data))
        case FormatVolume():
            return ("volume", change.disk, change.offset)
        case EditVmFile():
            return ("description", change.path)
        case SetValue() | DeleteValue():
            return ("value", *_file_place(change.hive), change.key.lower(), change.name.lower())
        case CreateKey() | DeleteKey():
            return (type(change).__name__, *_file_place(change.hive), change.key.lower())


def _file_place(file: FileId) -> Place:
    # Not casefold, which takes names for the same that are none: ß and ss.
    return (file.disk, file.partition_start, file.path.lower())


def describe_place(change: Change) -> str:
    """Where a change is made, for people; of a registry value the key."""
    match change:
        case WriteFile() | CreateDirectory():
            return str(change.file)
        case WriteSectors() | FormatVolume():
            return f"disk {change.disk}, byte {change.offset}"
        case EditVmFile():
            return change.path
        case CreateKey() | SetValue() | DeleteValue() | DeleteKey():
            return f"{change.hive}: {change.key}"


class Plan(Struct, frozen=True):
    """The changes of one repair, in order, and what the user should know about them."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    def directories(self) -> tuple[CreateDirectory, ...]:
        """The directories that it creates."""
        return tuple(change for change in self.changes if isinstance(change, CreateDirectory))

    def files(self) -> tuple[WriteFile, ...]:
        """The changes to files."""
        return tuple(change for change in self.changes if isinstance(change, WriteFile))

    def registry(self) -> tuple[RegistryChange, ...]:
        """The changes to hives."""
        return tuple(change for change in self.changes if isinstance(change, RegistryChange))

    def sectors(self) -> tuple[WriteSectors, ...]:
        """The changes to boot sectors and partition tables."""
        return tuple(change for change in self.changes if isinstance(change, WriteSectors))

    def formats(self) -> tuple[FormatVolume, ...]:
        """The volumes that it makes."""
        return tuple(change for change in self.changes if isinstance(change, FormatVolume))

    def vm_files(self) -> tuple[EditVmFile, ...]:
        """The changes to the machine's description."""
        return tuple(change for change in self.changes if isinstance(change, EditVmFile))


class WitnessRange(Struct, frozen=True):
    """Bytes that Windows changes whenever it runs: a hive's base block, the restart pages of ``$LogFile``."""

    disk: Count
    offset: Count
    length: Count
