"""The words that people read: plain ones. What was banned once does not come back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BETTER = {
    r"(?i)\bmend(s|ed|ing)?\b": "repair, fix",
    r"(?i)\bsleeps\b|\basleep\b|\bwakes? up\b": "is hibernated, resumes",
    r"(?i)lost is then": "this discards",
    r"(?i)written only with your consent": "needs your consent, because data is discarded",
    r"(?i)gave an answer that makes no sense": "sent an invalid reply",
    r"(?i)conversation.{0,30}broke off": "lost the connection",
    r"was ended by SIG": "was killed (SIGKILL)",
    r"(?i)strict readings?\b": "integrity check",
    r"(?i)read from end to end|reading .{0,30}from end to end": "verified",
    r"(?i)\bhangs? on (which|a controller)|which controller .{0,30}\bhangs\b": "is attached to",
    r"(?i)\bput right\b|\bputs right\b|\bputting right\b": "fix, repair",
    r"(?i)\bheaders? tells? of\b": "its header says",
    r"(?i)\bcannot be told\b|\bcan be told\b": "cannot be determined",
    r"(?i)\bis not told\b|\bnot told\b": "is not specified, is not reported",
    r"(?i)from 10 MB on it is said": "a warning from 10 MB on",
    r"(?i)\bnetwork cards?\b.{0,40}\b(un)?plugged\b|\bunplug(s|ged|ging)?\b": "network adapters (dis)connected",
    r"(?i)devices? of the host's": "passed-through host devices",
    r"(?i)\btaken back\b": "reverted",
    r"(?i)\bhalf-way\b": "was interrupted",
    r"(?i)converted, but with a lack": "converted with limitations",
    r"(?i)needs what this Windows lacks": "has a missing dependency",
    r"(?i)leaves known ground": "cannot be followed further",
    r"(?i)\bnothing speaks (against|for)\b": "no contradicting evidence, no other candidate",
    r"\b1 other ids\b|(?<![\d.])1 (files|changes|entries|disks|hives|INFs) ": "numbers agree",
    r"\b0 (files|registry changes)\b": "leave out what there is none of",
}
"""Each pattern with what to write in its place."""
PLACES = ("src", "docs", "README.md", "ARCHITECTURE.md")


def _texts() -> list[tuple[str, str]]:
    inside = (path for place in PLACES for path in (ROOT / place, *(ROOT / place).rglob("*")))
    paths = sorted(path for path in inside if path.suffix in {".py", ".md", ".json"})
    return [(str(path.relative_to(ROOT)), path.read_text()) for path in paths]


@pytest.mark.parametrize("pattern", BETTER)
def test_a_banned_word_is_nowhere(pattern: str) -> None:
    found = [
        f"{name}: {match[0]!r}: better {BETTER[pattern]!r}"
        for name, text in _texts()
        for match in re.finditer(pattern, text)
    ]
    assert found == []
