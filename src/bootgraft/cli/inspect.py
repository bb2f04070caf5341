"""``bootgraft inspect``: what is on the disks."""

from msgspec.structs import replace

from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.events import Monitor
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.worker.ipc.job import AnyOutcome, Operation


def run(options: Options) -> int:
    """Print disks, volumes, the boot chain and every Windows."""
    return report(options, Operation.INSPECT)


def report(options: Options, operation: Operation) -> int:
    """Do a reading operation and print its answer; returns its exit status."""
    outcome = look(options, operation, monitor_for(options))
    if options.json:
        put_json(outcome.document)
    else:
        answer(outcome.text, outcome.status, options)
    return outcome.status


def look(options: Options, operation: Operation, monitor: Monitor) -> AnyOutcome:
    """Do a reading operation."""
    with Session(options, writable=False, monitor=monitor) as session:
        outcome = session.run(operation)
    if isinstance(outcome.document, InspectDocument) and options.description is not None:
        from bootgraft.report.description import vm_document, vm_text

        vm = vm_document(options.description)
        return replace(outcome, document=replace(outcome.document, vm=vm), text=(*outcome.text, *vm_text(vm)))
    return outcome
