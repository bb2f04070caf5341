"""Where a finding was found, for programs: volume and control sets, as its changes or else its own words name them."""

import re
from collections.abc import Iterator

from bootgraft.changes import Change, CreateDirectory, EditVmFile, FormatVolume, WriteFile, WriteSectors
from bootgraft.checks.finding import Finding
from bootgraft.machine import Volume

_CONTROL_SET = re.compile(r"\bControlSet(\d{3})\b")
_VOLUME = re.compile(r"disk \d+ partition \d+(?=: |$)")


def control_sets_of(finding: Finding) -> tuple[int, ...]:
    """The numbers of the control sets that it is about: those in its title; where that names none, of its keys."""
    for texts in ((finding.title,), _changed_keys(finding), finding.evidence):
        found = {int(each[1]) for text in texts for each in _CONTROL_SET.finditer(text)}
        if found:
            return tuple(sorted(found))
    return ()


def _changed_keys(finding: Finding) -> Iterator[str]:
    for change in finding.changes:
        match change:
            case WriteSectors() | FormatVolume() | EditVmFile() | CreateDirectory() | WriteFile():
                pass
            case _:
                yield change.key


def volume_of(finding: Finding, home: Volume | None) -> str | None:
    """The one volume that it is about, as ``windows.volume`` names one; None where it is about none, or several.

    ``home`` is the one with the Windows: evidence that names no volume before a path is of that.
    """
    changed = {volume for change in finding.changes for volume in _changed_volume(change)}
    said = {match[0] for text in finding.evidence if (match := _VOLUME.match(text))}
    if home is not None and any(text.startswith("\\") for text in finding.evidence):
        said.add(home.name)
    found = changed or said
    return found.pop() if len(found) == 1 else None


def _changed_volume(change: Change) -> Iterator[str]:
    match change:
        case WriteSectors() | FormatVolume() | EditVmFile():
            pass
        case CreateDirectory(file=file) | WriteFile(file=file):
            yield file.volume
        case _:
            yield change.hive.volume
