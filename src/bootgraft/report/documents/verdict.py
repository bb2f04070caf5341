"""``check``: whether a machine would boot, and what keeps it from that."""

from typing import Literal

from msgspec import Struct

from bootgraft.checks.finding import FaultPlace, Severity, Verdict
from bootgraft.report.documents.base import Document
from bootgraft.report.documents.machine import WindowsDocument


class FindingDocument(Struct, frozen=True):
    """One finding; ``fault_in`` is where its fault lies: what is outside the image, no repair of it mends.

    ``offered`` is fixed only by ``repair --fix ID``, ``skipped`` was left as it is by ``--skip ID``.
    """

    id: str
    severity: Severity
    title: str
    explanation: str
    evidence: tuple[str, ...]
    fixable: bool
    fault_in: FaultPlace
    offered: bool = False
    skipped: bool = False


class FragmentDocument(Struct, frozen=True):
    """Lines of a machine's description."""

    format: str
    text: str


class AlternativeDocument(Struct, frozen=True):
    """A target that needs no driver from outside."""

    target: str
    as_it_is: bool


class CheckDocument(Document, frozen=True, tag="bootgraft-check/1"):
    """What ``check`` prints; ``image_verdict`` is the verdict without what lies outside the image."""

    verdict: Verdict
    image_verdict: Verdict
    stop_code: str | None
    target: str | None
    firmware: Literal["bios", "uefi"] | None
    windows: WindowsDocument | None
    findings: tuple[FindingDocument, ...]
    alternatives: tuple[AlternativeDocument, ...]
    fragments: tuple[FragmentDocument, ...]
