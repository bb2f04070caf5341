"""Findings for people: each with its explanation and evidence, and once where it holds for several control sets."""

import re
import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import pairwise

from bootgraft.checks.finding import Finding, Severity
from bootgraft.report.device import DeviceSpec
from bootgraft.report.layout.lines import Printed, PrintedLine, Tone
from bootgraft.text import one_line

_TONES = {Severity.BLOCKER: Tone.BAD, Severity.WARNING: Tone.OPEN, Severity.INFO: Tone.QUIET}
_CONTROL_SET = re.compile(r"ControlSet\d{3}")
_Pieces = tuple[str, ...]
"""A text without the name of its control set: what stands before, between and behind."""


def finding_lines(
    findings: Sequence[Finding], images: Sequence[DeviceSpec] = (), *, first: Container[str] = ()
) -> Iterator[Printed]:
    """Each finding with its explanation and evidence: those with an id of ``first`` first, then blockers first.

    ``images`` are the machine's disks, for the commands that tell more.
    """
    order = list(Severity)
    for alike in _by_fault(sorted(findings, key=lambda each: (each.id not in first, order.index(each.severity)))):
        yield ""
        yield _head_line(alike)
        for explanation in _merged(alike, lambda each: (each.explanation,)):
            yield PrintedLine(one_line(f"    {explanation}"))  # no command, even if it begins with our name
        for evidence in _merged(alike, lambda each: each.evidence):
            yield one_line(f"    evidence: {evidence}")
        for command in dict.fromkeys(each.command for each in alike if each.command):
            yield f"    To {'set it' if 'set' in command else 'see more of it'}, run:"
            yield one_line(f"        {_typed(command, images)}")


def _head_line(alike: Sequence[Finding]) -> PrintedLine:
    """``blocker: no driver in ControlSet001 and ControlSet002  [device-binding-missing]``: the gravest comes first."""
    severity = alike[0].severity
    (title,) = _merged(alike, lambda each: (each.title,))
    text = one_line(f"{severity.value}: {title}  [{alike[0].id}]")
    return PrintedLine(text, tone=_TONES[severity], columns=(0, len(severity.value) + 1))


def _by_fault(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """The findings that are the same but for the control set that their titles name, together."""
    found: dict[tuple[str, _Pieces], list[Finding]] = {}
    for each in findings:
        found.setdefault((each.id, _without_set(each.title, _set_of(each))), []).append(each)
    return iter(found.values())


def _set_of(finding: Finding) -> str | None:
    """The control set that the title names; None where it names none, or several."""
    names = set(_CONTROL_SET.findall(finding.title))
    return names.pop() if len(names) == 1 else None


def _without_set(text: str, control_set: str | None) -> _Pieces:
    return (text,) if control_set is None else tuple(text.split(control_set))


def _merged(alike: Sequence[Finding], texts_of: Callable[[Finding], Iterable[str]]) -> Iterator[str]:
    """The texts of these findings, each once: with the control sets that it holds for, where these are several."""
    sets: dict[_Pieces, dict[str, None]] = {}
    for each in alike:
        control_set = _set_of(each)
        for text in texts_of(each):
            names = sets.setdefault(_without_set(text, control_set), {})
            if control_set is not None:
                names[control_set] = None
    for pieces, found in sets.items():
        yield _with_sets(pieces, tuple(found))


def _with_sets(pieces: _Pieces, names: Sequence[str]) -> str:
    """``in ControlSet001 and ControlSet002``; where that cannot be put so, ``… (also in ControlSet002)``."""
    if len(pieces) == 1:
        return pieces[0]
    places = tuple(pairwise(pieces))
    if all(before.endswith(("in ", "(")) and not after.startswith("\\") for before, after in places):
        return _listed(names).join(pieces)
    also = f" (also in {_listed(names[1:])})" if len(names) > 1 else ""
    return names[0].join(pieces) + also


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _typed(command: Sequence[str], images: Sequence[DeviceSpec]) -> str:
    """A finding's command about these disks."""
    disks = [each.location for each in images] or ["IMAGE"]
    at = command.index("IMAGE") if "IMAGE" in command else len(command)
    return shlex.join(["bootgraft", *command[:at], *disks, *command[at + 1 :]])
