"""``check``: whether a machine would boot, and what keeps it from that."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from bootgraft.checks.finding import FaultPlace, Need, Prospect, Severity, Verdict
from bootgraft.checks.symptom import Symptom
from bootgraft.report.documents.base import Document
from bootgraft.report.documents.machine import WindowsDocument
from bootgraft.report.documents.records import RecordsDocument


class RemediationDocument(Struct, frozen=True):
    """How a finding is fixed: the words of the command, null where none does it, for the ``reason`` given.

    ``needs`` are the options of it that want a value from whoever runs it, ``consents`` those by which a loss is agreed
    to: nothing is written without them.
    """

    argv: tuple[str, ...] | None
    needs: tuple[Literal["--drivers", "--boot-code"], ...]
    consents: tuple[str, ...]
    reason: str | None


class FindingDocument(Struct, frozen=True):
    """One finding; ``fault_in`` is where its fault lies: what is outside the image is not fixed by a repair of it.

    ``offered`` is fixed only by ``repair --fix ID``, ``skipped`` was left as it is by ``--skip ID``. ``link`` is where
    it is documented, ``volume`` the one that it is about, ``control_sets`` the numbers of those that it is about.
    """

    id: str
    severity: Severity
    title: str
    explanation: str
    evidence: tuple[str, ...]
    fixable: bool
    fault_in: FaultPlace
    offered: bool
    skipped: bool
    link: str
    volume: str | None
    control_sets: tuple[int, ...]
    remediation: RemediationDocument


class FragmentDocument(Struct, frozen=True):
    """Lines of a machine's description."""

    format: str
    text: str


class AlternativeDocument(Struct, frozen=True):
    """A target that needs no driver from outside."""

    target: str
    as_it_is: bool


class ProspectDocument(Struct, frozen=True):
    """What ``check`` would say of one target.

    ``prospect`` is what it takes to start there, ``decided_by`` the finding that decides this, by its id and title;
    both are null where it boots. ``options`` are those of ``repair`` without which it leaves something as it is that
    stops the start, or may. ``findings`` are those that are not among the document's own.
    """

    target: str
    verdict: Verdict
    image_verdict: Verdict
    stop_code: str | None
    prospect: Prospect
    options: tuple[str, ...]
    decided_by: str | None
    reason: str | None
    findings: tuple[FindingDocument, ...]
    fragments: tuple[FragmentDocument, ...]


class UnexplainedDocument(Struct, frozen=True):
    """A blocker that was found, and leads to something else."""

    id: str
    shows: tuple[Symptom, ...]


class NotLookedAtDocument(Struct, frozen=True):
    """Findings that were not looked for, and what it would have taken."""

    ids: tuple[str, ...]
    need: Need
    why: str


class SuspectsDocument(Struct, frozen=True):
    """What leads to a symptom: of what was found, of what was looked for and of what was not, by ids."""

    name: Symptom
    title: str
    screen: str
    explained_by: tuple[str, ...]
    perhaps: tuple[str, ...]
    unexplained: tuple[UnexplainedDocument, ...]
    looked_at: tuple[str, ...]
    not_looked_at: tuple[NotLookedAtDocument, ...]


class CheckDocument(Document, frozen=True, tag="bootgraft-check/1"):
    """What ``check`` prints; ``image_verdict`` is the verdict without what lies outside the image.

    ``targets`` is there where not one target was given: those that were, or all. The other members then say what holds
    for all of these. ``symptom`` is there where ``--symptom`` asks for it, ``records`` where ``--why`` does.
    """

    verdict: Verdict
    image_verdict: Verdict
    stop_code: str | None
    target: str | None
    firmware: Literal["bios", "uefi"] | None
    windows: WindowsDocument | None
    findings: tuple[FindingDocument, ...]
    alternatives: tuple[AlternativeDocument, ...]
    fragments: tuple[FragmentDocument, ...]
    targets: tuple[ProspectDocument, ...] | UnsetType = UNSET
    symptom: SuspectsDocument | UnsetType = UNSET
    records: RecordsDocument | UnsetType = UNSET
