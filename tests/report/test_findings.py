"""The page of findings is made from what the checks say."""

import subprocess
import sys

from bootgraft.checks.catalogue import documentation
from bootgraft.checks.finding import FindingDoc
from bootgraft.checks.symptom import Symptom
from bootgraft.report.findings import findings_page


def test_every_finding_has_its_heading() -> None:
    page = findings_page()
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert headings == [doc.id for doc in documentation()]


def test_one_entry() -> None:
    doc = FindingDoc("x", "NT 9", "a cause", "some evidence", "a fix", "a limit", ("https://example.com/",))
    assert findings_page([doc]).endswith(
        "## x\n\n- **Applies to:** NT 9\n- **Cause:** a cause\n- **Evidence:** some evidence\n- **Fix:** a fix\n"
        "- **Limits:** a limit\n- **See:** <https://example.com/>\n"
    )


def test_an_entry_says_what_the_screen_shows() -> None:
    doc = FindingDoc("x", "a", "b", "c", "d", "", (), symptoms=(Symptom.STOP_7B, Symptom.LOG_ON_LOOP))
    assert (
        "- **What the screen shows:** STOP 0x7B INACCESSIBLE_BOOT_DEVICE; every log-on ends at once\n"
        in findings_page([doc])
    )


def test_an_entry_without_limits_says_nothing_of_them() -> None:
    assert "Limits" not in findings_page([FindingDoc("x", "a", "b", "c", "d", "", ())])


def test_the_page_can_be_made_from_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bootgraft.report.findings"], capture_output=True, check=True, text=True
    )
    assert done.stdout == findings_page()
