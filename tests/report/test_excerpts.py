"""Excerpts of logs in the shapes that people post, and what they are told: ``excerpts/NAME.log`` and ``NAME.txt``.

To take over what was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/report/test_excerpts.py``, then read the diff.
"""

import os
from pathlib import Path

import pytest

from bootgraft.events import silent
from bootgraft.explain.explanation import explain
from bootgraft.report.explanation import explain_text

LOGS = sorted(Path(__file__).with_name("excerpts").glob("*.log"))


@pytest.mark.parametrize("log", LOGS, ids=lambda each: each.stem)
def test_an_excerpt_is_answered(log: Path) -> None:
    told = explain_text(explain((log,), silent))
    golden = log.with_suffix(".txt")
    if "WRITE_GOLDENS" in os.environ:
        golden.write_text(told)
    assert told == golden.read_text()


def test_every_answer_has_its_log() -> None:
    assert [log.with_suffix(".txt") for log in LOGS] == sorted(LOGS[0].parent.glob("*.txt"))
