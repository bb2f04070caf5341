"""``explain``: what there is to say about findings, whatever machine they are found on."""

from msgspec import Struct

from bootgraft.checks.finding import FaultPlace, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.report.documents.base import Document


class SymptomDocument(Struct, frozen=True):
    """What a screen shows; ``name`` is what ``--symptom`` takes."""

    name: Symptom
    title: str
    screen: str


class FindingPageDocument(Struct, frozen=True):
    """One finding's page; ``stage`` is where in a start it is met, ``symptoms`` what the screen may show then."""

    id: str
    stage: Stage
    applies_to: str
    symptoms: tuple[Symptom, ...]
    cause: str
    evidence: str
    fix: str
    fault_in: FaultPlace
    limits: str
    references: tuple[str, ...]


class FindingPagesDocument(Document, frozen=True, tag="bootgraft-explain/1"):
    """What ``explain`` prints: one page, those that lead to the ``symptom``, or all."""

    symptom: SymptomDocument | None
    findings: tuple[FindingPageDocument, ...]
