"""Which devices the raw text of an INF can name, without parsing it: nearly all INFs of a source serve other devices.

What is found are all fields that might be ids; more than there are does no harm, as an INF that may name the device
is parsed. Nothing is said of a text whose ids may be made of several pieces (``%strings%``, lines that go on), nor of
one that parsing might refuse, or Windows for its signature: those are parsed too, so that they are told of.
"""

import re
from collections.abc import Sequence

from bootgraft.drivers.inf.text import MAX_LINES, MAX_TEXT, MAX_TOKENS

SIGNATURES = ("$windows nt$", "$chicago$")
"""What Windows NT takes an INF by: Signature of its [Version], in any case."""

_NO_MODEL = re.compile(r"\s*(?:;|hk(?:r|lm|cr|cu|u)\s*,|addservice\s*=[^,%]*,\s*%spsvcinst_\w+%[^%]*\Z)")
"""Lines in which a string is no id: comments, what is for the registry, and a service with its flags by their name."""

_GOES_ON = re.compile(r"\\[\\\s]*(?:;|\Z)")
_SIGNATURE = re.compile(r'(?:\A|\n)[ \t]*\[version\][^\[\]]*?\n[ \t]*"?signature"?[ \t]*=([^\n;,]*)')


def mentioned(text: str) -> frozenset[str] | None:
    """The fields with a backslash in an INF's text, case-folded; None where only parsing would tell.

    Every id of a device has a backslash, behind the name of its bus.
    """
    if len(text) > MAX_TOKENS // 2 or "\0" in text:
        return None
    folded = text.replace("\r", "\n").casefold()
    lines = folded.split("\n")
    signature = _SIGNATURE.search(folded)
    if signature is None or signature[1].replace('"', "").strip() not in SIGNATURES or _is_unclear(lines):
        return None
    with_backslash = "\n".join(line for line in lines if "\\" in line)
    fields = with_backslash.replace('"', "").replace("=", "\n").replace(";", "\n").replace(",", "\n").split("\n")
    return frozenset(field.strip() for field in fields if "\\" in field)


def _is_unclear(lines: Sequence[str]) -> bool:
    """Whether a line may be refused, may go on in the next, or has a string where an id may stand."""
    if len(lines) > MAX_LINES or max(map(len, lines)) > MAX_TEXT:
        return True
    for line in lines:
        if "%" in line and "%" in line.partition(",")[2] and not _NO_MODEL.match(line):
            return True
        if "\\" in line and _GOES_ON.search(line):
            return True
        # A section that lines for the registry would name as a device's, or one without its closing bracket.
        if "[" in line and ("hk" in line or "]" not in line.rpartition("[")[2]):
            return True
    return False
