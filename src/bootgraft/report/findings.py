"""``docs/findings.md``, made from what the checks say about themselves: ``python -m bootgraft.report.findings``."""

import sys
from collections.abc import Iterable, Iterator

from bootgraft.checks.catalogue import documentation
from bootgraft.checks.finding import FaultPlace, FindingDoc

_HEAD = """\
# Findings

Every finding id that `check` and `repair` report, with its cause, the evidence it shows and what fixes it. The ids are
part of the command-line contract: they are never renamed. This page is made by `python -m bootgraft.report.findings`.
"""


def findings_page(docs: Iterable[FindingDoc] | None = None) -> str:
    """The page as Markdown, of every finding where none are given."""
    docs = documentation() if docs is None else docs
    return "\n".join((_HEAD, *(line for doc in docs for line in _entry(doc))))


def _entry(doc: FindingDoc) -> Iterator[str]:
    yield f"## {doc.id}\n"
    yield f"- **Applies to:** {doc.applies_to}"
    yield f"- **Cause:** {doc.cause}"
    yield f"- **Evidence:** {doc.evidence}"
    yield f"- **Fix:** {doc.fix}"
    if doc.fault_in is FaultPlace.OUTSIDE:
        yield "- **Fault in:** the machine, outside its image: the image is repaired all the same."
    if doc.limits:
        yield f"- **Limits:** {doc.limits}"
    for reference in doc.references:
        yield f"- **See:** <{reference}>"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(findings_page())
