"""What ``explain`` says: a finding's page, the findings that lead to what a screen shows, or all that there are."""

from collections.abc import Iterable, Iterator, Sequence
from shlex import quote
from textwrap import fill, wrap

from bootgraft.checks.catalogue import checks
from bootgraft.checks.finding import FindingDoc, Stage
from bootgraft.checks.screens import SHOWN, Screen, explains
from bootgraft.checks.symptom import Symptom
from bootgraft.report.documents.findings import FindingPageDocument, FindingPagesDocument, SymptomDocument
from bootgraft.report.findings import said_of

Staged = tuple[Stage, FindingDoc]
"""A finding's documentation, and where in a start it is met."""
GROUPS = {
    Stage.CHAIN: "From the firmware to a Windows",
    Stage.MACHINE: "The state that the machine was left in",
    Stage.CORE: "What loader and kernel need of Windows itself",
    Stage.CONTROLLER: "The drivers of the new machine's controller, and the filters on the way",
    Stage.SESSION: "The first programs and the other hives",
    Stage.IDENTITY: "Identities of disks, volumes and drive letters",
}


def all_staged() -> tuple[Staged, ...]:
    """Every finding that there is, in the order in which a start meets them."""
    return tuple((stage, doc) for stage in Stage for check in checks(stage) for doc in check.docs)


def leading_to(symptom: Symptom) -> tuple[Staged, ...]:
    """The findings of which the screen may show this."""
    return tuple((stage, doc) for stage, doc in all_staged() if explains(doc.symptoms, symptom))


def pages_document(found: Sequence[Staged], symptom: Symptom | None = None) -> FindingPagesDocument:
    """What ``--json`` prints."""
    shown = None if symptom is None else SHOWN[symptom]
    return FindingPagesDocument(
        symptom=None if symptom is None or shown is None else SymptomDocument(symptom, shown.title, shown.screen),
        findings=tuple(_page(stage, doc) for stage, doc in found),
    )


def _page(stage: Stage, doc: FindingDoc) -> FindingPageDocument:
    return FindingPageDocument(
        id=doc.id,
        stage=stage,
        applies_to=doc.applies_to,
        symptoms=doc.symptoms,
        cause=doc.cause,
        evidence=doc.evidence,
        fix=doc.fix,
        fault_in=doc.fault_in,
        limits=doc.limits,
        references=doc.references,
    )


def page_text(doc: FindingDoc, width: int) -> str:
    """One finding's page, in lines of at most ``width`` characters where its words let that be."""
    lines, last = [doc.id], ""
    for label, text in said_of(doc):
        lines += [] if label == last else ["", f"{label}:"]
        lines.append(_indented(text.strip("<>"), width))
        last = label
    return "\n".join(lines) + "\n"


def symptom_text(symptom: Symptom, width: int) -> str:
    """What leads to a symptom, each finding with the first sentence of its cause."""
    found = leading_to(symptom)
    title = SHOWN[symptom].title
    if not found:
        return fill(f"{title}: no finding of bootgraft leads to it.", width) + "\n"
    count = "1 finding leads" if len(found) == 1 else f"{len(found)} findings lead"
    lines = [fill(f"{title}: {count} to it, in the order in which a start meets them.", width)]
    for stage, docs in _by_stage(found):
        lines += ["", GROUPS[stage]]
        for doc in docs:
            lines += [f"  {doc.id}", _indented(_first_sentence(doc.cause), width, 6)]
    command = f"    bootgraft check IMAGE --symptom {quote(symptom)}"
    lines += ["", "To see which of them a machine has, run:", command]
    return "\n".join((*lines, "To read all that is known of one, run:", "    bootgraft explain ID", ""))


def overview_text(width: int) -> str:
    """The ids of all findings by group, and all symptoms by who shows them."""
    lines = ["Findings (`bootgraft explain ID` prints the page of one)"]
    for stage, docs in _by_stage(all_staged()):
        lines += ["", GROUPS[stage], *(f"  {doc.id}" for doc in docs)]
    lines += ["", "What the screen shows (`bootgraft explain SYMPTOM` lists the findings that lead to it)"]
    for screen in Screen:
        names = [each for each in Symptom if SHOWN[each].screen is screen]
        lines += ["", f"{screen[0].upper()}{screen[1:]}", _indented(", ".join(names), width, 2)]
    return "\n".join(lines) + "\n"


def _by_stage(found: Iterable[Staged]) -> Iterator[tuple[Stage, list[FindingDoc]]]:
    staged = tuple(found)
    for stage in Stage:
        docs = [doc for each, doc in staged if each is stage]
        if docs:
            yield stage, docs


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."


def _indented(text: str, width: int, by: int = 4) -> str:
    pieces = wrap(text, max(width - by, 20), break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"{' ' * by}{piece}" for piece in pieces)
