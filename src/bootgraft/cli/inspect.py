"""``bootgraft inspect``: what is on the disks."""

from msgspec.structs import replace

from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.worker.ipc.job import Operation


def run(options: Options) -> int:
    """Print disks, volumes, the boot chain and every Windows."""
    return report(options, Operation.INSPECT)


def report(options: Options, operation: Operation) -> int:
    """Do a reading operation and print its answer; returns its exit status."""
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        outcome = session.run(operation)
    document, text = outcome.document, outcome.text
    if isinstance(document, InspectDocument) and options.description is not None:
        from bootgraft.report.description import vm_document, vm_text

        vm = vm_document(options.description)
        document, text = replace(document, vm=vm), text + vm_text(vm)
    if options.json:
        put_json(document)
    else:
        answer(text, outcome.status, options)
    return outcome.status
