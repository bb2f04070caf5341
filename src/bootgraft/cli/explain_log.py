"""``bootgraft explain-log``: what a converter's log says went wrong, what is left on the disk, what to type next.

Logs and their archives are hostile. Nothing is done with them but reading and printing, so the command puts its own
process into a cage: no process, no channel, and nothing that reads them could reach more than it prints to.
"""

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, nowhere, put_json
from bootgraft.errors import LogError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.explain.bundle import STANDARD_INPUT
from bootgraft.explain.copies import opened_before
from bootgraft.explain.explanation import Explanation, explain
from bootgraft.explain.logreport import ConversionOutcome
from bootgraft.report.explanation import explain_document, explain_text


def run(options: Options) -> int:
    """Print the explanation; exit status 1 where the log shows an error that is not known."""
    explanation = _explain(options, monitor_for(options))
    status = int(explanation.report.outcome is ConversionOutcome.UNKNOWN)
    if options.json:
        put_json(explain_document(explanation))
    else:
        failed = explanation.report.outcome in (ConversionOutcome.FAILED, ConversionOutcome.UNKNOWN)
        answer(explain_text(explanation), int(failed), options)  # red for a failure, though it is understood
    return status


def _explain(options: Options, monitor: Monitor) -> Explanation:
    with opened_before() as copies:
        if options.is_program:
            _confine(options, monitor)
        try:
            return explain(options.logs, monitor, copies)
        except MemoryError as error:
            raise LogError(
                "it takes more memory to read than there is",
                where=", ".join(map(str, options.logs)),
                advice="Give fewer logs at a time, and raise the limit on memory ('ulimit -v') where one is set",
            ) from error


def _confine(options: Options, monitor: Monitor) -> None:
    from bootgraft.confinement.command import confine_command

    nowhere()
    names = map(str, options.logs)
    for shortfall in confine_command([name for name in names if name != STANDARD_INPUT]):
        monitor(Event(EventKind.NOTE, shortfall))
