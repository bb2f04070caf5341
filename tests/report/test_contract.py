"""The judge of documents, judged."""

from typing import Any

import pytest
from tests.report.contract import contract, faults

CHECK: dict[str, Any] = {
    "schema": "bootgraft-check/1", "verdict": "boots", "image_verdict": "boots", "stop_code": None, "target": None,
    "firmware": None, "windows": None,
    "findings": [
        {"id": "a", "severity": "info", "title": "", "explanation": "", "evidence": ["x"], "fixable": True,
         "fault_in": "image", "offered": False, "skipped": False, "link": "docs/findings.md#a", "volume": None,
         "control_sets": [1], "remediation": {"argv": None, "needs": [], "consents": [], "reason": "no"}}
    ],
    "alternatives": [], "fragments": [],
}  # fmt: skip


def test_the_page_is_understood() -> None:
    drivers = {"drivers-list", "drivers-show", "drivers-harvest", "explain-log", "resume"}
    others = set(contract()) - drivers
    assert others == {
        "inspect",
        "check",
        "repair",
        "change",
        "undo",
        "history",
        "reconnect",
        "kit",
        "targets",
        "event",
        "doctor",
        "error",
    }
    assert set(contract()) >= drivers


def test_a_document_that_keeps_to_the_page() -> None:
    assert faults(CHECK, "check") == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"verdict": "maybe"}, "check.verdict is none of what is listed"),
        ({"schema": "bootgraft-check/2"}, 'check.schema is not "bootgraft-check/1"'),
        ({"verdict": None}, "check.verdict is none of what is listed"),
        ({"stop_code": 123}, "check.stop_code is none of what is listed"),
        ({"windows": {}}, "check.windows is none of what is listed"),
        ({"extra": 1}, "check differs in ['extra']"),
        ({"findings": {}}, "check.findings is no list"),
        ({"findings": [{}]}, "check.findings[0] differs in"),
        ({"findings": [{**CHECK["findings"][0], "severity": "fatal"}]}, "check.findings[0].severity is none of"),
        ({"findings": [{**CHECK["findings"][0], "evidence": "x"}]}, "check.findings[0].evidence is no list"),
    ],
)
def test_documents_that_do_not(change: dict[str, Any], fault: str) -> None:
    (found,) = faults({**CHECK, **change}, "check")
    assert found.startswith(fault)


def test_each_kind_of_change_has_its_own_members() -> None:
    repair: dict[str, Any] = {
        "schema": "bootgraft-repair/1", "before": [CHECK], "after": [CHECK], "notes": [], "committed": True,
        "journal": None, "overlays": [],
        "changes": [{"kind": "create-key", "hive": "h", "key": "k"}],
    }  # fmt: skip
    assert faults(repair, "repair") == []
    repair["changes"] = [{"kind": "set-value", "hive": "h", "key": "k"}]
    assert faults(repair, "repair") == ["changes[0] is none of what is listed: " + repr(repair["changes"][0])]
