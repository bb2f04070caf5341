"""``inspect``: what is on the disks of a machine."""

from msgspec import Struct

from bootgraft.filesystems.base import FileSystemKind
from bootgraft.report.documents.base import Document
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.pe import Architecture


class PartitionDocument(Struct, frozen=True):
    """One partition; start and size in bytes."""

    number: int | None
    slot: int
    start: int
    size: int
    type: str
    active: bool
    filesystem: FileSystemKind | None
    label: str | None
    note: str | None


class DiskDocument(Struct, frozen=True):
    """One disk; sizes in bytes. The sector size is that of its partition table, the logical one what its image says."""

    index: int
    path: str
    format: str
    size: int
    sector_size: int
    table: TableKind
    signature: str | None
    problems: tuple[str, ...]
    partitions: tuple[PartitionDocument, ...]
    logical_sector_size: int | None = None


class SelectDocument(Struct, frozen=True):
    """The values of the Select key."""

    current: int
    default: int
    failed: int
    last_known_good: int


class WindowsDocument(Struct, frozen=True):
    """One installation; ``volume`` is what text calls the one that it is on: "disk 0 partition 2"."""

    id: str
    disk: int
    partition: int | None
    volume: str
    root: str
    product: str
    version: str
    build: str
    arch: Architecture
    service_pack: str
    control_sets: tuple[int, ...]
    select: SelectDocument
    drive_letter: str | None
    default_boot: bool
    notes: tuple[str, ...]


class StepDocument(Struct, frozen=True):
    """One step of the boot chain."""

    link: str
    what: str
    where: str
    evidence: str
    holds: bool


class VmDiskDocument(Struct, frozen=True):
    """One disk of a machine's description, in the order in which the firmware numbers them as far as that is told."""

    place: str
    name: str
    controller: str | None


class UnattachedDocument(Struct, frozen=True):
    """A disk of the machine that is not attached to it."""

    place: str
    name: str


class CardDocument(Struct, frozen=True):
    """One network adapter of a machine's description."""

    name: str
    plugged: bool


class VmDocument(Struct, frozen=True):
    """One machine's description."""

    path: str
    format: str
    firmware: str | None
    disks: tuple[VmDiskDocument, ...]
    cards: tuple[CardDocument, ...]
    unattached: tuple[UnattachedDocument, ...] = ()


class InspectDocument(Document, frozen=True, tag="bootgraft-inspect/1"):
    """What ``inspect`` prints; ``vm`` is null where no description is given.

    ``records`` are what each of the installations that could be read recorded of its last starts.
    """

    disks: tuple[DiskDocument, ...]
    windows: tuple[WindowsDocument, ...]
    boot_chain: tuple[StepDocument, ...]
    unreadable: tuple[str, ...]
    records: tuple[RecordsDocument, ...]
    vm: VmDocument | None
