"""``reg``: keys and values, what is changed in hives, and what is wrong with them."""

from msgspec import UNSET, Struct, UnsetType

from bootgraft.registry.integrity.defects import DefectKind, DefectSeverity, Generation
from bootgraft.report.documents.base import Document
from bootgraft.report.documents.changing import Changes
from bootgraft.report.documents.verdict import FindingDocument


class ValueDocument(Struct, frozen=True):
    """One value; ``value`` is what its data means: a string, a number, strings, or null where unclear."""

    name: str
    type: int
    type_name: str | None
    data: bytes
    value: str | int | tuple[str, ...] | None


class KeyDocument(Struct, frozen=True):
    """One key, by its full name."""

    key: str
    last_written: str | None
    class_name: str
    values: tuple[ValueDocument, ...]
    subkeys: tuple[str, ...]


class QueryDocument(Document, frozen=True, tag="bootgraft-reg-query/1"):
    """What ``reg query`` prints; ``missing`` is there where a key or value is not."""

    keys: tuple[KeyDocument, ...]
    missing: str | UnsetType = UNSET


class QueryValueDocument(Document, frozen=True, tag="bootgraft-reg-value/1"):
    """What ``reg query`` prints of one value."""

    key: str
    value: ValueDocument


class ExportDocument(Document, frozen=True, tag="bootgraft-reg-export/1"):
    """What ``reg export --out`` prints; ``left_out`` are keys whose names .reg text cannot say."""

    exported: bool
    left_out: tuple[str, ...]


class LogDocument(Struct, frozen=True):
    """A log that is replayed: the sequence numbers of its first and last transaction, and its bytes."""

    name: str
    first: int
    last: int
    bytes: int


class RecoveredDocument(Struct, frozen=True):
    """A hive whose logs are replayed into it."""

    hive: str
    transactions: int
    logs: tuple[LogDocument, ...]


class EditDocument(Document, frozen=True, tag="bootgraft-reg-edit/1"):
    """What ``reg import``, ``set``, ``delete`` and ``recover`` print.

    ``backup`` is there for a hive file by itself, ``recovered`` where logs are replayed.
    """

    changes: Changes
    notes: tuple[str, ...]
    findings: tuple[FindingDocument, ...]
    committed: bool
    journal: str | None
    overlays: tuple[str, ...]
    recovered: tuple[RecoveredDocument, ...] | UnsetType = UNSET
    backup: str | UnsetType | None = UNSET


class DefectDocument(Struct, frozen=True):
    """One defect of a hive; ``offset`` counts from the end of the base block."""

    kind: DefectKind
    severity: DefectSeverity
    offset: int
    key: str | None
    what: str


class HiveDocument(Struct, frozen=True):
    """One hive; ``error`` says why it cannot be opened, and then there are no figures.

    ``judged_for`` says which Windows the severities are of, null where that is unknown: they are the strictest's.
    """

    hive: str
    error: str | None
    defects: tuple[DefectDocument, ...]
    version: str | UnsetType = UNSET
    pending_transactions: int | UnsetType = UNSET
    keys: int | UnsetType = UNSET
    values: int | UnsetType = UNSET
    bins_size: int | UnsetType = UNSET
    free_bytes: int | UnsetType = UNSET
    unreachable_cells: int | UnsetType = UNSET
    sound: bool | UnsetType = UNSET
    judged_for: Generation | UnsetType | None = UNSET


class VerifyDocument(Document, frozen=True, tag="bootgraft-reg-verify/1"):
    """What ``reg verify`` prints."""

    hives: tuple[HiveDocument, ...]
