"""What explains a symptom, for people and for programs."""

from collections.abc import Iterator

from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.screens import SHOWN
from bootgraft.checks.suspects import Suspects
from bootgraft.report.documents.verdict import NotLookedAtDocument, SuspectsDocument, UnexplainedDocument


def suspects_document(suspects: Suspects) -> SuspectsDocument:
    """What ``--json`` prints."""
    shown = SHOWN[suspects.symptom]
    return SuspectsDocument(
        name=suspects.symptom,
        title=shown.title,
        screen=shown.screen,
        explained_by=suspects.explained_by,
        perhaps=suspects.perhaps,
        unexplained=tuple(UnexplainedDocument(each.id, each.shows) for each in suspects.unexplained),
        looked_at=suspects.looked_at,
        not_looked_at=tuple(NotLookedAtDocument(each.ids, each.need, each.why) for each in suspects.not_looked_at),
    )


def suspects_lines(suspects: Suspects, diagnosis: Diagnosis) -> Iterator[str]:
    """What of the findings explains the symptom; where nothing does, what else is known to."""
    title = SHOWN[suspects.symptom].title
    yield ""
    yield f"What the screen shows: {title}."
    if suspects.explained_by:
        yield f"It is explained by: {', '.join(suspects.explained_by)} (below)."
    if suspects.perhaps:
        yield f"Possible causes: {', '.join(suspects.perhaps)} (below)."
    for each in suspects.unexplained:
        instead = "; ".join(SHOWN[symptom].title for symptom in each.shows) or "nothing that is known"
        yield f"It is not explained by {each.id}, which stops the start too, but shows: {instead}."
    if not suspects.explained_by:
        yield from _elsewhere(suspects, diagnosis)


def _elsewhere(suspects: Suspects, diagnosis: Diagnosis) -> Iterator[str]:
    known = suspects.looked_at or suspects.not_looked_at or suspects.perhaps
    if not known:
        yield "No finding of bootgraft leads to it."
        return
    if not suspects.perhaps:
        yield "Nothing that was found explains it."
    if suspects.looked_at:
        yield f"Known to lead to it, looked for and not found: {', '.join(suspects.looked_at)}."
    for each in suspects.not_looked_at:
        yield f"Known to lead to it, but not looked for, because {each.why}: {', '.join(each.ids)}."
    if diagnosis.controller is not None and suspects.of_target:
        yield f"Drivers were judged for {diagnosis.controller.target}: a machine with another controller may show it."
