r"""``System32\LogFiles\Srt\SrtTrail.txt``: what Startup Repair tested and held for the root cause.

Under ``Root cause found:`` and a rule of hyphens stands the cause; one of those is the STOP of the start that failed,
which may be recorded nowhere else ("Unknown bugcheck <code>. Parameters = …"): Microsoft, "How to Interpret Startup
Repair Logs" with its table of root causes. Only English logs are understood.
"""

import re
from collections.abc import Iterable, Sequence

from bootgraft.text import printable
from bootgraft.windows.events.crashdump import Bugcheck

NAME = "SrtTrail.txt"
_ROOT_CAUSE = "root cause found:"
_BUGCHECK = re.compile(r"bugcheck:? (?:bugcheck )?(?:0x)?([0-9a-f]{1,8})\. *parameters = ([0-9a-fx, ]*)", re.IGNORECASE)
_TOLD = 4


def root_causes(lines: Sequence[str]) -> tuple[str, ...]:
    """The last root causes that it named, the oldest first."""
    found = []
    for number, line in enumerate(lines):
        if line.casefold() == _ROOT_CAUSE:
            rest = (each for each in lines[number + 1 : number + 5] if each and set(each) != {"-"})
            found += [printable(each) for each in (next(rest, ""),) if each]
    return tuple(found[-_TOLD:])


def bugchecks(causes: Iterable[str]) -> tuple[Bugcheck, ...]:
    """The STOPs among root causes."""
    found = filter(None, map(_BUGCHECK.search, causes))
    return tuple(Bugcheck(int(each[1], 16), _arguments(each[2]), NAME) for each in found)


def _arguments(text: str) -> tuple[int, ...]:
    return tuple(int(each, 16) for each in re.findall(r"(?:0x)?([0-9a-f]{1,16})\b", text, re.IGNORECASE)[:4])
