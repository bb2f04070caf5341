"""``bootgraft reg import``, ``set``, ``delete`` and ``recover``: written like a repair, and reverted by ``undo``."""

from bootgraft.cli.images.destination import Written, check_destination, is_in_place
from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.report.layout.lines import PrintedLine, Text, Tone, lines_of
from bootgraft.worker.ipc.job import Operation


def run(options: Options) -> int:
    """Change hives in the images; returns 1 where nothing was written, because it is not there or is damaged."""
    check_destination(options)
    monitor = monitor_for(options)
    with Session(options, writable=is_in_place(options), monitor=monitor) as session:
        from bootgraft.cli.images.writing import run_and_write

        written = run_and_write(session, options, monitor, lambda: session.run(Operation.REGISTRY))
    if options.json:
        put_json(written.document())
    else:
        outcome = written.outcome
        text = (*_head(written, options), *outcome.text, *lines_of(written.closing(options)))
        answer(text, outcome.status, options)
    return written.outcome.status


def _head(written: Written, options: Options) -> Text:
    outcome = written.outcome
    if not outcome.proven:
        return ()  # the text itself says why
    if options.dry_run:
        return (f"Dry run: {outcome.summary}, proven on an overlay; nothing was written.", "")
    head = f"Done: {outcome.summary}, proven before written to {written.places(options)}."
    return (PrintedLine(head, tone=Tone.GOOD), "")
