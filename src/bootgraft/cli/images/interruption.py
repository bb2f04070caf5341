"""What is said of a command that was interrupted, or whose time was up: what is on the images, and how to go on."""

from collections.abc import Callable

from bootgraft.cli.options import Options
from bootgraft.cli.process import TimeUp, stop_status
from bootgraft.cli.terminal import tell
from bootgraft.errors import BootgraftError
from bootgraft.events import silent
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journaldisks import command
from bootgraft.storage.journal.journalsearch import find_journal, require_no_unfinished


def tell_interrupted(stop: KeyboardInterrupt, options: Options, began: float, report: Callable[..., None]) -> int:
    """Say what is half-done, or was done already, with the command that repairs it; returns the exit status.

    Nothing of the kind is said where no image was being written. ``began`` is when the command did (seconds since the
    epoch), ``report`` prints an error.
    """
    if isinstance(stop, TimeUp):
        error = BootgraftError(
            f"it was not done in the {stop.seconds:g} seconds of --timeout: {stop.doing}",
            where=", ".join((*options.covered, *options.drivers, *map(str, options.logs))) or options.command,
            advice="Nothing was written. Check whether the storage or the server answers, or give a longer --timeout",
            id="time-up",
        )
        report(error, as_json=options.json)
        return error.exit_status
    tell("bootgraft: interrupted.\n")
    try:
        require_no_unfinished(options.covered, options.journal, monitor=silent)
        _tell_done(options, began)
    except BootgraftError as error:
        report(error, as_json=False)
    return stop_status(stop)


def _tell_done(options: Options, began: float) -> None:
    journal = find_journal(options.covered, options.journal) if options.covered else None
    if journal is None or journal.state is not JournalState.SEALED:
        return
    if journal.path.stat().st_mtime >= began:
        undo = command("undo", journal, options.covered)
        tell(f"bootgraft: the change was complete by then. To revert it:\n    {undo}\n")
