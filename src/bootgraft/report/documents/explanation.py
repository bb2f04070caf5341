"""``explain-log``: what a converter's log says went wrong."""

from msgspec import Struct

from bootgraft.explain.logreport import ConversionOutcome
from bootgraft.report.documents.base import Document


class JobDocument(Struct, frozen=True):
    """The conversion that the log tells of."""

    tool: str | None
    name: str | None
    source: str | None
    destination: str | None
    disks: tuple[str, ...]
    tasks: tuple[str, ...]
    percent: int | None
    step: str | None
    firmware: str | None


class FailureDocument(Struct, frozen=True):
    """A message that is known."""

    id: str
    role: str
    headline: str
    count: int
    file: str
    line: int
    time: str
    text: str


class UnknownDocument(Struct, frozen=True):
    """An error that is not, with the lines around it."""

    count: int
    file: str
    line: int
    time: str
    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class SaidDocument(Struct, frozen=True):
    """A warning, or an error that ended nothing."""

    level: str
    count: int
    file: str
    line: int
    time: str
    text: str


class NextDocument(Struct, frozen=True):
    """What to do and to type next."""

    advice: str
    command: str


class ExplainDocument(Document, frozen=True, tag="bootgraft-explain-log/1"):
    """What ``explain-log`` prints."""

    outcome: ConversionOutcome
    summary: str
    meaning: str | None
    phase: str | None
    fault: str | None
    disk_state: str
    job: JobDocument
    cause: str | None
    failures: tuple[FailureDocument, ...]
    unknown: tuple[UnknownDocument, ...]
    also_said: tuple[SaidDocument, ...]
    earlier: int
    other_conversions: int
    next: NextDocument
    files: int
    notes: tuple[str, ...]
