"""``check``: would the machine boot on the target that was given, or on which of several, or of all that there are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from msgspec.structs import replace

from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.guest import Guest
from bootgraft.machine import Machine
from bootgraft.report.document import check_document
from bootgraft.report.documents.verdict import CheckDocument
from bootgraft.report.layout.lines import Text
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.report.text import check_text
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.targets.controllers import Controller
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.recommending import recommend
from bootgraft.worker.survey import controllers_of, said_again, survey

if TYPE_CHECKING:
    from bootgraft.checks.prospects import Outlook
    from bootgraft.checks.suspects import Suspects
    from bootgraft.report.documents.records import RecordsDocument

_BOOTS: Final = 0
_DOES_NOT_BOOT: Final = 1


def check(job: Job, disks: Sequence[BlockDevice]) -> Outcome[CheckDocument]:
    """Judge the machine whose disks these are, in BIOS order.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    with Machine.read(disks, writable=False) as machine:
        guest = survey(job, machine)
        controllers = controllers_of(job, guest)
        if len(controllers) == 1:
            return _on_one(job, guest.on(controllers[0]), disks)
        if controllers:
            return _on_several(job, guest, controllers, disks)
        return _on_all(job, guest, disks)


def _on_one(job: Job, guest: Guest, disks: Sequence[BlockDevice]) -> Outcome[CheckDocument]:
    diagnosis = diagnose(guest)
    lines = recommend(job, diagnosis)
    instead = _alternatives(guest, diagnosis)
    suspects = _suspects(job, guest, diagnosis)
    records = _records(job, guest, (diagnosis,))
    given = said_again(job, disks)
    repair = RepairContext((diagnosis,), job.images, given)
    document = check_document(diagnosis, lines, instead, suspects, repair=repair)
    text = check_text(diagnosis, job.images, lines, instead, suspects, records, given=given)
    return _outcome(_status((diagnosis,)), document, text, records)


def _on_several(
    job: Job, guest: Guest, controllers: Sequence[Controller], disks: Sequence[BlockDevice]
) -> Outcome[CheckDocument]:
    from bootgraft.checks.prospects import outlooks
    from bootgraft.report.target_table import several_document, several_text

    rows = outlooks(guest, controllers)
    fragments = [recommend(job, each.diagnosis) for each in rows]
    diagnoses = [each.diagnosis for each in rows]
    records = _records(job, guest.on(controllers[0]), diagnoses)
    given = said_again(job, disks)
    text = several_text(rows, job.images, fragments, records, given)
    return _outcome(_status(diagnoses), several_document(rows, fragments, job.images, given), text, records)


def _on_all(job: Job, guest: Guest, disks: Sequence[BlockDevice]) -> Outcome[CheckDocument]:
    """No target is better than another here: the exit status is that of a machine of which nothing is promised."""
    from bootgraft.checks.prospects import outlooks
    from bootgraft.report.target_table import all_document, all_text

    diagnosis, rows = diagnose(guest), outlooks(guest)
    suspects, records = _suspects(job, guest, diagnosis), _records(job, guest, (diagnosis,))
    given = said_again(job, disks)
    text = all_text(diagnosis, rows, job.images, suspects, records, given)
    return _outcome(_DOES_NOT_BOOT, all_document(diagnosis, rows, suspects, job.images, given), text, records)


def _outcome(
    status: Literal[0, 1], document: CheckDocument, text: Text, records: "RecordsDocument | None"
) -> Outcome[CheckDocument]:
    return Outcome(status, document if records is None else replace(document, records=records), text)


def _status(diagnoses: Sequence[Diagnosis]) -> Literal[0, 1]:
    return _BOOTS if all(each.verdict is Verdict.BOOTS for each in diagnoses) else _DOES_NOT_BOOT


def _suspects(job: Job, guest: Guest, diagnosis: Diagnosis) -> "Suspects | None":
    if job.request.symptom is None:
        return None
    from bootgraft.checks.suspects import find_suspects  # few ask what the screen shows

    return find_suspects(job.request.symptom, diagnosis, guest)


def _records(job: Job, guest: Guest, diagnoses: Sequence[Diagnosis]) -> "RecordsDocument | None":
    """What the Windows recorded of its last starts, matched to what was found on any of the targets."""
    if not job.request.why or guest.installation is None:
        return None
    from bootgraft.checks.autopsy import perform_autopsy  # few ask why
    from bootgraft.report.records import records_document

    findings = tuple(dict.fromkeys(finding for each in diagnoses for finding in each.findings))
    autopsy = perform_autopsy(guest.installation, replace(diagnoses[0], findings=findings), guest)
    return records_document(guest.installation.id, autopsy.records, autopsy.matches)


def _alternatives(guest: Guest, diagnosis: Diagnosis) -> "tuple[Outlook, ...]":
    if diagnosis.verdict is not Verdict.BLOCKED:
        return ()
    from bootgraft.checks.prospects import alternatives  # a machine that boots needs none

    return alternatives(diagnosis, guest)
