"""What the checks say about themselves: ``docs/findings.md``, and the same page by page for ``explain``.

The first is made by ``python -m bootgraft.report.findings``.
"""

import sys
from collections.abc import Iterable, Iterator

from bootgraft.checks.catalogue import documentation
from bootgraft.checks.finding import FaultPlace, FindingDoc
from bootgraft.checks.screens import SHOWN

_HEAD = """\
# Findings

Every finding id that `check` and `repair` report, with its cause, the evidence it shows and what fixes it. The ids are
part of the command-line contract: they are never renamed. `bootgraft explain ID` prints one entry, `bootgraft explain
0x7b` the findings that lead to what a screen shows. This page is made by `python -m bootgraft.report.findings`.
"""


def findings_page(docs: Iterable[FindingDoc] | None = None) -> str:
    """The page as Markdown, of every finding where none are given."""
    docs = documentation() if docs is None else docs
    return "\n".join((_HEAD, *(line for doc in docs for line in _entry(doc))))


def said_of(doc: FindingDoc) -> Iterator[tuple[str, str]]:
    """What is said of a finding, each with the words before it; references stand in angle brackets."""
    yield "Applies to", doc.applies_to
    if doc.symptoms:
        yield "What the screen shows", "; ".join(SHOWN[each].title for each in doc.symptoms)
    yield "Cause", doc.cause
    yield "Evidence", doc.evidence
    yield "Fix", doc.fix
    if doc.fault_in is FaultPlace.OUTSIDE:
        yield "Fault in", "the machine, outside its image: the image is repaired all the same."
    if doc.limits:
        yield "Limits", doc.limits
    for reference in doc.references:
        yield "See", f"<{reference}>"


def _entry(doc: FindingDoc) -> Iterator[str]:
    yield f"## {doc.id}\n"
    for label, text in said_of(doc):
        yield f"- **{label}:** {text}"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(findings_page())
