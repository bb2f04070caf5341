"""Standard output and standard error: answers, progress, colour where there is a terminal to show it."""

import os
import re
import sys
import time
from contextlib import suppress

from bootgraft.cli.options import Options
from bootgraft.events import Event, EventKind, Monitor

PATIENCE = 1.0
"""Seconds before progress is shown: most work is done sooner, and then says only its answer."""

# Names on a disk are hostile input too: control characters would let them write anywhere on the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {0: "\x1b[1;32m", 1: "\x1b[1;31m"}


def printable(text: str) -> str:
    """The text without control characters but line ends and tabs, and without direction overrides."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def answer(text: str, status: int, options: Options) -> None:
    """Print an answer; its first line is coloured by the exit status on a terminal, unless NO_COLOR is set."""
    clean = printable(text)
    if options.quiet:
        clean = clean.partition("\n")[0] + "\n"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and status in _COLOURS:
        head, line_end, rest = clean.partition("\n")
        clean = f"{_COLOURS[status]}{head}\x1b[0m{line_end}{rest}"
    sys.stdout.write(clean)


def monitor_for(options: Options) -> Monitor:
    """The monitor that tells on standard error what is going on.

    Verbose tells every event, quiet only warnings; in between, steps are told once the work takes more than a second.
    That nobody reads them any more (``2>&1 | head``) must not break off a commit.
    """
    start = time.monotonic()

    def tell(event: Event) -> None:
        late = time.monotonic() - start > PATIENCE and not options.quiet
        if options.verbose or event.kind is EventKind.WARNING or (late and event.kind is EventKind.STEP):
            share = f" {100 * event.done // event.total} %" if event.total else ""
            with suppress(OSError):
                sys.stderr.write(printable(f"bootgraft: {event.text}{share}\n"))

    return tell
