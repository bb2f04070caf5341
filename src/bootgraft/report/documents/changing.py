"""``repair``, ``undo`` and ``reconnect``: what is changed, and what came of it."""

from typing import Literal

from msgspec import Struct

from bootgraft.report.documents.base import Document
from bootgraft.report.documents.verdict import CheckDocument


class DataDocument(Struct, frozen=True):
    """A registry value's type number and bytes."""

    type: int
    data: bytes


class ChangeDocument(Struct, frozen=True, tag_field="kind"):
    """One change; what it has besides ``kind`` is below."""


class CreateDirectoryDocument(ChangeDocument, frozen=True, tag="create-directory"):
    """An empty directory."""

    volume: str
    path: str


class WriteFileDocument(ChangeDocument, frozen=True, tag="write-file"):
    """A whole file; ``diff`` is there where a text is edited."""

    volume: str
    path: str
    size: int
    sha256: str
    before_sha256: str | None
    origin: str
    diff: tuple[str, ...] | None


class WriteSectorsDocument(ChangeDocument, frozen=True, tag="write-sectors"):
    """Bytes of the MBR or a boot sector; ``offset`` counts from the start of the disk."""

    disk: int
    offset: int
    data: bytes
    before: bytes
    what: str


class FormatVolumeDocument(ChangeDocument, frozen=True, tag="format-volume"):
    """A new, empty FAT32 volume in free space; ``offset`` and ``size`` are bytes on the disk."""

    disk: int
    offset: int
    size: int
    sector_size: int
    serial: int
    label: str


class EditVmFileDocument(ChangeDocument, frozen=True, tag="edit-vm-file"):
    """Network cards of the machine's description."""

    path: str
    cards: tuple[str, ...]
    plugged: bool
    diff: tuple[str, ...]


class CreateKeyDocument(ChangeDocument, frozen=True, tag="create-key"):
    """A registry key."""

    hive: str
    key: str


class DeleteKeyDocument(ChangeDocument, frozen=True, tag="delete-key"):
    """A registry key with all that is below it."""

    hive: str
    key: str


class SetValueDocument(ChangeDocument, frozen=True, tag="set-value"):
    """A registry value; ``before`` is null for a new one."""

    hive: str
    key: str
    name: str
    value: DataDocument
    before: DataDocument | None


class DeleteValueDocument(ChangeDocument, frozen=True, tag="delete-value"):
    """A registry value that goes."""

    hive: str
    key: str
    name: str
    before: DataDocument


AnyChange = (
    CreateDirectoryDocument
    | WriteFileDocument
    | WriteSectorsDocument
    | FormatVolumeDocument
    | EditVmFileDocument
    | CreateKeyDocument
    | DeleteKeyDocument
    | SetValueDocument
    | DeleteValueDocument
)
Changes = tuple[AnyChange, ...]


class RepairDocument(Document, frozen=True, tag="bootgraft-repair/1"):
    """What ``repair`` prints; ``journal`` and ``overlays`` are paths of what was written."""

    before: tuple[CheckDocument, ...]
    changes: Changes
    notes: tuple[str, ...]
    after: tuple[CheckDocument, ...]
    committed: bool
    journal: str | None
    overlays: tuple[str, ...]


class ResumeDocument(Document, frozen=True, tag="bootgraft-resume/1"):
    """What ``repair --resume`` prints."""

    committed: bool
    journal: str
    summary: str


class RecordDocument(Struct, frozen=True):
    """One change that is recorded, and can be reverted: what, when, and by which version of bootgraft.

    ``number`` counts the machine's changes from 1. ``journal`` is the backup where a hive file was replaced: that tells
    neither time nor version. ``vm`` is the machine's description, where that was edited too.
    """

    number: int
    time: str | None
    by: str | None
    state: Literal["sealed", "unfinished", "undoing"]
    what: str
    disks: tuple[str, ...]
    vm: str | None
    journal: str


class HistoryDocument(Document, frozen=True, tag="bootgraft-history/1"):
    """What ``history`` prints, the oldest change first."""

    changes: tuple[RecordDocument, ...]


class UndoDocument(Document, frozen=True, tag="bootgraft-undo/1"):
    """What ``undo`` prints; ``journal`` and ``summary`` are of the newest change, as in ``taken_back``.

    ``taken_back`` is in the order of the undo, the newest first. ``left`` is null where that cannot be determined.
    """

    undone: bool
    journal: str
    summary: str
    taken_back: tuple[RecordDocument, ...] = ()
    left: tuple[RecordDocument, ...] | None = None


class ReconnectDocument(Document, frozen=True, tag="bootgraft-reconnect/1"):
    """What ``reconnect`` prints."""

    plugged: tuple[str, ...]
    left: tuple[str, ...]
    committed: bool
    journal: str | None
