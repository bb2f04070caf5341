"""``bootgraft inspect``: what is on the disks."""

from bootgraft.cli.options import Options
from bootgraft.cli.session import Session
from bootgraft.cli.terminal import answer, monitor_for, put
from bootgraft.worker.job import Operation


def run(options: Options) -> int:
    """Print disks, volumes, the boot chain and every Windows."""
    return report(options, Operation.INSPECT)


def report(options: Options, operation: Operation) -> int:
    """Do a reading operation and print its answer; returns its exit status."""
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        outcome = session.run(operation)
    document, text = outcome.document, outcome.text
    if operation is Operation.INSPECT and options.description is not None:
        from bootgraft.report.description import with_description

        document, text = with_description(document, text, options.description)
    if options.json:
        put(document + "\n")
    else:
        answer(text, outcome.status, options)
    return outcome.status
