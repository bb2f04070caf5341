"""``bootgraft explain``: a finding's page, or which findings lead to what a screen shows."""

import shlex
from difflib import get_close_matches

from bootgraft.checks.screens import code_in, find_symptom
from bootgraft.checks.symptom import Symptom
from bootgraft.cli.findings.symptoms import no_such_code
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import put, put_json, width
from bootgraft.errors import UsageError
from bootgraft.report.finding_pages import (
    all_staged,
    leading_to,
    overview_text,
    page_text,
    pages_document,
    symptom_text,
)

_ALIKE = 0.8


def run(options: Options) -> int:
    """Print the page; raises UsageError where nothing is known by that name."""
    topic = " ".join(options.topic).strip()
    found = all_staged()
    symptom = None
    if topic:
        found = tuple((stage, doc) for stage, doc in found if doc.id == topic.casefold())
        symptom = None if found else _symptom(topic)
    if symptom is not None:
        found = leading_to(symptom)
    if options.json:
        put_json(pages_document(found, symptom))
    elif symptom is not None:
        put(symptom_text(symptom, width()))
    else:
        put(page_text(found[0][1], width()) if topic else overview_text(width()))
    return 0


def _symptom(topic: str) -> Symptom:
    """The symptom that is meant, which is no finding's id; one word much like an id is taken for a typing error."""
    ids = [doc.id for _, doc in all_staged()]
    mistyped = " " not in topic and get_close_matches(topic.casefold(), ids, 1, _ALIKE)
    symptom = None if mistyped else find_symptom(topic)
    if symptom is not None:
        return symptom
    code = code_in(topic)
    if code is not None:
        raise no_such_code(code, where="explain")
    near = get_close_matches(topic.casefold(), [*ids, *Symptom], 1)
    meant = f"Did you mean:\n    {shlex.join(['bootgraft', 'explain', near[0]])}\n" if near else ""
    raise UsageError(
        f"no finding has the id {topic}, nor does any screen show that",
        where="explain",
        advice=f"{meant}To list all findings and symptoms, run:\n    bootgraft explain",
        id="finding-unknown",
    )
