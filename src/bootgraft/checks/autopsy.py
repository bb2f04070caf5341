"""What a Windows recorded of its last starts, matched to what was found: what may explain a STOP or a failure.

A STOP may be explained by findings that are known to lead to it (:mod:`.suspects`), a failure by those whose evidence
names the same service or file. It is no more than that: a record tells of the machine that the Windows ran on then,
which may have been the old one with its own controller, while the findings are about the new one, and no record names
the machine. What no finding explains is said too: it is either past, or another matter.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from msgspec import Struct

from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import Finding, Severity
from bootgraft.checks.guest import Guest
from bootgraft.checks.screens import symptom_of_code
from bootgraft.checks.suspects import find_suspects
from bootgraft.windows.events.guest_records import GuestRecords, read_records
from bootgraft.windows.events.starts import Start, StartEnd
from bootgraft.windows.installation import Installation


class RecordMatch(Struct, frozen=True):
    """Something that was recorded, and the ids of findings that may explain it, none where nothing found does."""

    record: str
    findings: tuple[str, ...]


class Autopsy(Struct, frozen=True):
    """What was recorded, and what it matches."""

    records: GuestRecords
    matches: tuple[RecordMatch, ...]


def perform_autopsy(installation: Installation, diagnosis: Diagnosis, guest: Guest) -> Autopsy:
    """Read what the guest's installation recorded, and match it; ``guest`` is the one that the diagnosis is of."""
    records = read_records(installation)
    matches = (*_stops(records, diagnosis, guest), *match_failures(records, diagnosis.findings))
    return Autopsy(records, matches)


def _stops(records: GuestRecords, diagnosis: Diagnosis, guest: Guest) -> Iterator[RecordMatch]:
    """Each STOP that was recorded, once, the last first."""
    recorded = [*(each.bugcheck for each in _since_shutdown(records)), *reversed(records.repair_stops)]
    for stop in {each.code: each for each in reversed(recorded) if each is not None}.values():
        symptom = symptom_of_code(stop.code)
        explained = () if symptom is None else find_suspects(symptom, diagnosis, guest).found
        yield RecordMatch(f"STOP 0x{stop.code:08X} ({stop.recorded_in})", explained)


def match_failures(records: GuestRecords, findings: Iterable[Finding]) -> Iterator[RecordMatch]:
    """The failures of which a finding names the service or file, each once."""
    matter = [(each.id, "\n".join((each.title, *each.evidence))) for each in findings if _matters(each)]
    failures = {(each.text, each.record): each for start in _since_shutdown(records) for each in start.failures}
    for failure in failures.values():
        explained = (each for each, said in matter if any(_names(said, name) for name in failure.names))
        ids = tuple(dict.fromkeys(explained))
        if ids:
            yield RecordMatch(f"{failure.text} ({failure.record})", ids)


def _matters(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO


def _since_shutdown(records: GuestRecords) -> Iterator[Start]:
    """The starts after the last that was shut down, the newest first: what failed before it is past."""
    return takewhile(lambda start: start.end is not StartEnd.CLEAN, reversed(records.starts))


def _names(said: str, name: str) -> bool:
    r"""Whether title and evidence of a finding are about that service or file.

    They name them as ``Services\NAME``, ``NAME.sys``, "driver NAME", or in a line of their own (``NAME: …``): that they
    have the word is not enough, as ``disk`` is one.
    """
    name = name[:-4] if name.casefold().endswith(".sys") else name
    if not name or name.casefold() not in said.casefold():
        return False
    plain = re.escape(name)
    forms = (
        rf"(?:services\\|\bdriver |\bservice ){plain}(?![\w.-])",
        rf"(?<![\w-]){plain}\.sys(?![\w-])",
        rf"^{plain}: ",
    )
    return re.search("|".join(forms), said, re.IGNORECASE | re.MULTILINE) is not None
