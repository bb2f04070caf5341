"""``reg import``, ``set``, ``delete`` and ``recover``: planned, read strictly, applied to the overlay, and proven."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.changes import Change, FileId, Plan, WitnessRange
from bootgraft.checks.finding import Finding, Severity
from bootgraft.errors import BootgraftError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.registry.integrity.harm import harmful
from bootgraft.registry.logs.recovery import Recovery
from bootgraft.repair.apply import apply, filetime
from bootgraft.repair.chainplan import join
from bootgraft.repair.proof import read_back, witnesses_of
from bootgraft.repair.registry_plan import plan_edits
from bootgraft.repair.sessions import Discarded, discard_sessions
from bootgraft.repair.soundness import (
    Defects,
    SoundHives,
    findings,
    read_strictly,
    recall_sound,
    remember_sound,
    require_no_worse,
)
from bootgraft.repair.writable import open_for_writing
from bootgraft.report.changes import change_documents
from bootgraft.report.document import finding_documents
from bootgraft.report.documents.registry import EditDocument, LogDocument, RecoveredDocument
from bootgraft.report.finding_text import finding_lines
from bootgraft.report.layout.lines import PrintedLine, Text, Tone
from bootgraft.report.plan_text import plan_text, sector_line
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.report.registry import diff_lines
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.text import counted
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.ipc.registry_request import RegistryAction, RegistryRequest
from bootgraft.worker.registry.edits import Edits, delete_edits, import_edits, set_edits
from bootgraft.worker.registry.hives import Hives, opened
from bootgraft.worker.survey import survey

DONE: Final = 0
NOTHING_WRITTEN: Final = 1
SHOWN = 20
"""Changes that are told one by one without being asked for."""


class _Work(Struct, frozen=True):
    """One writing job: its devices, which are overlays, and the size of a bare hive as it was and grew."""

    job: Job
    request: RegistryRequest
    disks: Sequence[BlockDevice]
    logs: Sequence[BlockDevice]


def write(
    job: Job, request: RegistryRequest, disks: Sequence[BlockDevice], logs: Sequence[BlockDevice], monitor: Monitor
) -> Outcome[EditDocument]:
    """Do a request that writes: to the devices, which are overlays. Raises the BootgraftError family."""
    work = _Work(job, request, disks, logs)
    if request.action is RegistryAction.RECOVER:
        return _recover(work, monitor)
    _step(monitor, "reading the registry")
    dropped = _drop_sessions(work)
    with opened(job, request, disks, logs, writable=True) as hives:
        edits = _edits(hives, work)
        if edits.missing:
            return Outcome(NOTHING_WRITTEN, _document((), edits.notes, ()), (f"{edits.missing} Nothing was written.",))
        plan = Plan(plan_edits(edits.wanted, hives.open), edits.notes)
        if not plan.changes:
            text = ("Nothing to do: all of it is there already.", *_notes(plan))
            return Outcome(DONE, _document((), plan.notes, ()), text)
        plan = replace(plan, notes=(*plan.notes, *_open(work, hives, [change.hive for change in plan.registry()])))
        _step(monitor, "verifying the hives that are to be edited")
        defects = read_strictly(plan, hives.machine)
        damage = findings(plan, defects)
        if any(finding.severity is Severity.BLOCKER for finding in damage):
            return _blocked(plan, damage)
        _step(monitor, "applying the changes to the overlay")
        sound = remember_sound(hives.machine)
        apply(plan, hives.machine, now=datetime.now(UTC))
        work = _grown(work, hives)
    _step(monitor, "proving the result on the overlay, opened again")
    return _prove(work, join(dropped.plan, plan), {**defects, **dropped.defects}, sound)


def _edits(hives: Hives, work: _Work) -> Edits:
    match work.request.action:
        case RegistryAction.SET:
            return set_edits(hives, work.request)
        case RegistryAction.DELETE:
            return delete_edits(hives, work.request)
        case _:
            return import_edits(hives, work.request, work.job.sources.reg_files[0])


def _drop_sessions(work: _Work) -> Discarded:
    """Drop the sessions that sleep on the machine, where the user consented to that."""
    if work.request.bare_size is not None or not work.job.consent.discard_hibernation:
        return Discarded()
    return discard_sessions(partial(survey, work.job), work.job.consent, work.disks)


def _open(work: _Work, hives: Hives, places: Sequence[FileId]) -> tuple[str, ...]:
    """Make sure that the volumes of these files can be written; returns what had to be done for that."""
    volumes = [] if hives.is_bare else [hives.volume(place) for place in places]
    return open_for_writing(hives.machine, volumes, hives.sessions, work.job.consent)


def _grown(work: _Work, hives: Hives) -> _Work:
    """The same with the size that a bare hive has now."""
    if work.request.bare_size is None:
        return work
    return replace(work, request=replace(work.request, bare_size=hives.size(hives.all()[0])))


def _blocked(plan: Plan, damage: Sequence[Finding]) -> Outcome[EditDocument]:
    head = PrintedLine("Nothing was written: the hive is damaged where it must be edited.", tone=Tone.BAD)
    return Outcome(NOTHING_WRITTEN, _document((), plan.notes, damage), (head, *finding_lines(damage)))


def _prove(work: _Work, plan: Plan, defects: Defects, sound: SoundHives) -> Outcome[EditDocument]:
    with opened(work.job, work.request, work.disks, work.logs, writable=False) as hives:
        recall_sound(sound, hives.machine)
        read_back(plan, hives.machine)
        remaining = read_strictly(plan, hives.machine)
        require_no_worse(defects, remaining)
        damage = findings(plan, remaining)
        ranges = witnesses_of([change.hive for change in plan.registry()], (), hives.machine)
    changes = plan.registry()
    if work.job.request.detailed or len(changes) <= SHOWN:
        lines: Text = tuple(diff_lines(changes))
    else:
        lines = plan_text(replace(plan, notes=()), detailed=False)
    text = (*map(sector_line, plan.sectors()), *lines, *_notes(plan), *finding_lines(damage))
    summary = counted(len(changes), "registry change")
    return _proven(_document(plan.changes, plan.notes, damage), text, summary, ranges)


def _recover(work: _Work, monitor: Monitor) -> Outcome[EditDocument]:
    """Write what is pending in the logs of hives into them: of all hives, or of the one that is named."""
    _step(monitor, "reading the hives and their logs")
    dropped = _drop_sessions(work)
    with opened(work.job, work.request, work.disks, work.logs, writable=True) as hives:
        places = hives.all() if work.request.hive is None else (hives.named(work.request.hive),)
        found = {place: pending for place in places if (pending := hives.open(place).pending) is not None}
        plan = replace(dropped.plan, notes=(*dropped.plan.notes, *_open(work, hives, tuple(found))))
        before = {place: harmful(hives.open(place)) for place in found}
        sound = remember_sound(hives.machine)
        for place in found:
            hives.open(place).settle(filetime=filetime(datetime.now(UTC)))
        work = _grown(work, hives)
    recovered = tuple(_recovery(*each) for each in found.items())
    document = replace(_document(plan.changes, plan.notes, ()), recovered=recovered)
    if not found and not plan.registry():
        return Outcome(DONE, document, ("Nothing to do: no hive has transactions pending.",))
    _step(monitor, "proving the result on the overlay, opened again")
    with opened(work.job, work.request, work.disks, work.logs, writable=False) as hives:
        recall_sound(sound, hives.machine)
        for place in found:
            if hives.open(place).pending is not None:
                raise _unproven(str(place))
        read_back(dropped.plan, hives.machine)
        require_no_worse({**before, **dropped.defects}, read_strictly(dropped.plan, hives.machine))
        require_no_worse(before, {place: harmful(hives.open(place)) for place in found})
        ranges = witnesses_of((*found, *(change.hive for change in plan.registry())), (), hives.machine)
    text = (*(_recovery_line(*each) for each in found.items()), *map(sector_line, plan.sectors()), *_notes(plan))
    return _proven(document, text, f"{counted(len(found), 'hive')} recovered", ranges)


def _recovery(place: FileId, pending: Recovery) -> RecoveredDocument:
    logs = tuple(LogDocument(name=log.name, first=log.first, last=log.last, bytes=log.size) for log in pending.logs)
    return RecoveredDocument(hive=str(place), transactions=pending.transactions, logs=logs)


def _recovery_line(place: FileId, pending: Recovery) -> str:
    logs = ", ".join(log.name for log in pending.logs)
    count = counted(pending.transactions, "transaction")
    return f"replay  {place}: {count} from {logs}"


def _proven(
    document: EditDocument, text: Text, summary: str, ranges: tuple[WitnessRange, ...]
) -> Outcome[EditDocument]:
    return Outcome(DONE, document, text, proven=True, summary=summary, witnesses=ranges)


def _unproven(where: str) -> BootgraftError:
    return BootgraftError(
        "the recovered hive still has transactions pending",
        where=where,
        advice="Nothing was written. This is a bug: please report it",
        id="proof-failed",
    )


def _document(changes: Sequence[Change], notes: Sequence[str], damage: Sequence[Finding]) -> EditDocument:
    """The document as long as nothing is written."""
    return EditDocument(
        changes=change_documents(changes),
        notes=tuple(notes),
        findings=finding_documents(damage, RepairContext(), None),
        committed=False,
        journal=None,
        overlays=(),
    )


def _notes(plan: Plan) -> list[str]:
    return [f"note: {note}" for note in plan.notes]


def _step(monitor: Monitor, text: str) -> None:
    monitor(Event(EventKind.STEP, text))
