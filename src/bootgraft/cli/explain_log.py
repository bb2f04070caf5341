"""``bootgraft explain-log``: what a converter's log says went wrong, what is left on the disk, what to type next."""

from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.explain.explanation import explain
from bootgraft.explain.logreport import ConversionOutcome
from bootgraft.report.explanation import explain_document, explain_text


def run(options: Options) -> int:
    """Print the explanation; exit status 1 where the log shows an error that is not known."""
    explanation = explain(options.logs, monitor_for(options))
    status = int(explanation.report.outcome is ConversionOutcome.UNKNOWN)
    if options.json:
        put_json(explain_document(explanation))
    else:
        failed = explanation.report.outcome in (ConversionOutcome.FAILED, ConversionOutcome.UNKNOWN)
        answer(explain_text(explanation), int(failed), options)  # red for a failure, though it is understood
    return status
