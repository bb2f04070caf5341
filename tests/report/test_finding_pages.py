"""The pages of findings at a terminal, and for programs."""

import pytest

from bootgraft.checks.catalogue import documentation
from bootgraft.checks.finding import FindingDoc
from bootgraft.checks.symptom import Symptom
from bootgraft.report.finding_pages import (
    all_staged,
    leading_to,
    overview_text,
    page_text,
    pages_document,
    symptom_text,
)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("doc", documentation(), ids=lambda doc: doc.id)
def test_a_page_says_all_that_is_declared_in_lines_that_fit(doc: FindingDoc) -> None:
    page = page_text(doc, 60)
    assert page.startswith(f"{doc.id}\n")
    for part in (doc.applies_to, doc.cause, doc.evidence, doc.fix, doc.limits, *doc.references):
        assert words(part) in words(page)
    assert all(len(line) <= 60 or " " not in line.strip() for line in page.splitlines())


def test_a_page_says_what_the_screen_shows() -> None:
    doc = FindingDoc("x", "a", "b", "c", "d", "", ("https://a/", "https://b/"), symptoms=(Symptom.STOP_7B,))
    assert page_text(doc, 80) == (
        "x\n\nApplies to:\n    a\n\nWhat the screen shows:\n    STOP 0x7B INACCESSIBLE_BOOT_DEVICE\n\nCause:\n    b\n\n"
        "Evidence:\n    c\n\nFix:\n    d\n\nSee:\n    https://a/\n    https://b/\n"
    )


def test_of_a_symptom_all_that_lead_to_it_are_told() -> None:
    text = symptom_text(Symptom.LOG_ON_LOOP, 80)
    assert "  system-volume-letter-wrong\n" in text
    assert "device-binding-missing" not in text
    assert words(text).startswith(f"every log-on ends at once: {len(leading_to(Symptom.LOG_ON_LOOP))} findings lead")
    assert "\n    bootgraft check IMAGE --symptom 'logon loop'\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_symptom_that_nothing_leads_to_is_said_to_be_one() -> None:
    assert not leading_to(Symptom.STOP_50)
    assert symptom_text(Symptom.STOP_50, 80).endswith("no finding of bootgraft leads to it.\n")


def test_the_overview_has_every_id_and_every_symptom() -> None:
    text = overview_text(80)
    assert all(f"\n  {doc.id}\n" in text for doc in documentation())
    assert all(str(each) in words(text) for each in Symptom)


def test_programs_get_the_same() -> None:
    document = pages_document(all_staged())
    assert [each.id for each in document.findings] == [doc.id for doc in documentation()]
    assert document.symptom is None
    found = pages_document(leading_to(Symptom.C0000428), Symptom.C0000428)
    assert found.symptom is not None
    assert found.symptom.name == "0xc0000428"
    assert {each.stage for each in found.findings} == {"controller"}
