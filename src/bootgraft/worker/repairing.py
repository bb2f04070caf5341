"""``repair``: the rounds, done for a job, and what came of them as a document and as text."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from bootgraft.changes import Plan
from bootgraft.checks.diagnosis import Verdict
from bootgraft.events import Monitor
from bootgraft.repair import rounds
from bootgraft.repair.rounds import Repaired, Unchanged
from bootgraft.repair.task import RepairTask
from bootgraft.report.changes import change_documents
from bootgraft.report.document import check_document
from bootgraft.report.documents.changing import RepairDocument
from bootgraft.report.documents.verdict import CheckDocument
from bootgraft.report.finding_text import finding_lines
from bootgraft.report.layout.lines import Printed, PrintedLine, Text, Tone
from bootgraft.report.next_steps import Given, next_lines, unrepairable_lines
from bootgraft.report.plan_text import plan_text, summary_line
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.report.text import check_text, fragment_lines, left_outside_lines, verdict_line
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.worker.boot_codes import given_code, given_start_files
from bootgraft.worker.drivers.packages import GivenTrees, find_packages
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.recommending import recommend
from bootgraft.worker.survey import diagnoses_of, said_again, survey

_DONE: Final = 0
_NOT_DONE: Final = 1
_NOTHING: Final = "Nothing was written."


def repair(
    job: Job, disks: Sequence[BlockDevice], donors: Sequence[BlockDevice], *, monitor: Monitor
) -> Outcome[RepairDocument]:
    """Repair the machine whose disks these are (overlays), in BIOS order.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    edit = None if job.described is None else job.described.edit
    task = RepairTask(
        look=partial(survey, job, start_files=given_start_files(job, donors)),
        diagnose=partial(diagnoses_of, job),
        find_packages=partial(find_packages, job, donors[: len(job.driver_donors)], GivenTrees(monitor)),
        boot_code=given_code(job, donors),
        leaves_packages=bool(job.sources.drivers),
        consent=job.consent,
        edits=Plan(() if edit is None else (edit,)),
    )
    done = rounds.repair(task, disks, monitor=monitor)
    given = said_again(job, disks)
    return _unchanged(job, done, given) if isinstance(done, Unchanged) else _repaired(job, done, given)


def _unchanged(job: Job, done: Unchanged, given: Given) -> Outcome[RepairDocument]:
    repair = RepairContext(done.diagnoses, job.images, given)
    documents = tuple(check_document(each, recommend(job, each), repair=repair) for each in done.diagnoses)
    good = all(each.verdict is Verdict.BOOTS for each in done.diagnoses)
    sound = all(each.image_verdict is Verdict.BOOTS for each in done.diagnoses)
    head = "Nothing to do" + ("" if good else " on the image") + ": nothing was changed." if sound else _NOTHING
    lines: list[Printed] = [PrintedLine(head, tone=Tone.GOOD if good else Tone.PLAIN if sound else Tone.BAD)]
    for each in done.diagnoses:
        lines += ("", *check_text(each, job.images, recommend(job, each), tried=True, given=given))
    return Outcome(_DONE if good else _NOT_DONE, _document(Plan(()), documents, documents), tuple(lines))


def _repaired(job: Job, done: Repaired, given: Given) -> Outcome[RepairDocument]:
    earlier, left = (RepairContext(each, job.images, given) for each in (done.before, done.after))
    before = tuple(check_document(each, repair=earlier) for each in done.before)
    after = tuple(check_document(each, recommend(job, each), repair=left) for each in done.after)
    return Outcome(
        _DONE if all(each.verdict is Verdict.BOOTS for each in done.after) else _NOT_DONE,
        _document(done.plan, before, after),
        (*_head_lines(done), *_repair_lines(done, job, given)),
        done.proven and bool(done.plan.changes),
        summary_line(done.plan),
        done.witnesses,
    )


def _document(plan: Plan, before: tuple[CheckDocument, ...], after: tuple[CheckDocument, ...]) -> RepairDocument:
    """The document as long as nothing is written."""
    return RepairDocument(
        before=before,
        changes=change_documents(plan.changes),
        notes=plan.notes,
        after=after,
        committed=False,
        journal=None,
        overlays=(),
    )


def _head_lines(done: Repaired) -> Text:
    """What comes of it, where nothing is to be written."""
    if not done.proven:
        head = f"{_NOTHING[:-1]}: it is not proven that the machine would boot with these changes."
        return (PrintedLine(head, tone=Tone.BAD), "")
    return () if done.plan.changes else ("Nothing to do: nothing was changed.", "")


def _repair_lines(done: Repaired, job: Job, given: Given) -> Iterator[Printed]:
    yield from (verdict_line(each, "before: ") for each in done.before)
    yield from (verdict_line(each, "after:  ") for each in done.after)
    yield from left_outside_lines(done.after)
    changes = plan_text(done.plan, detailed=job.request.detailed)
    if changes:
        yield from ("", *changes)
    yield from finding_lines([finding for each in done.after for finding in each.findings], job.images)
    if any(change.key.casefold().startswith("controlset") for change in done.plan.registry()):
        yield from ("", "The same edits go to every control set: Last Known Good no longer holds the old state.")
    if not done.proven:
        yield from tuple(unrepairable_lines(done.after, tried=True)) or next_lines(
            [*done.before, *done.after], job.images, given
        )
    for each in done.after:
        yield from fragment_lines(each, recommend(job, each))
