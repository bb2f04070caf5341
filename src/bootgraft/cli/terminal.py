"""Standard output and standard error: answers, progress, colour where there is a terminal to show it."""

import errno
import os
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from typing import TextIO
from unicodedata import east_asian_width

from bootgraft.cli.options import Options
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.jsontext import to_json
from bootgraft.report.layout.lines import LineRole, PrintedLine, Text, Tone, lines_of, plain, printable

_COLUMNS = 80
PATIENCE = 1.0
"""Seconds before progress is shown: most work is done sooner, and then says only its answer."""


class StatusLine:
    """A line of the terminal that is written over and goes again: on standard error, nothing where that is none."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, text: str) -> None:
        """Put a text in the line's place; it has no control characters."""
        with suppress(OSError, ValueError):  # nobody looks
            if not sys.stderr.isatty():
                return
            text = _fitting(text, columns_of(sys.stderr) - 1)
            sys.stderr.write(f"\r{text}{' ' * (self._shown - _columns(text))}")
            sys.stderr.flush()
            self._shown = _columns(text)

    def clear(self) -> None:
        """Leave the line empty for what comes next, on whichever stream."""
        shown, self._shown = self._shown, 0
        if shown:
            with suppress(OSError, ValueError):
                sys.stderr.write(f"\r{'':<{shown}}\r")
                sys.stderr.flush()


_LINE = StatusLine()


def _columns(text: str) -> int:
    """How wide a text is: East Asian characters take two columns."""
    return len(text) + sum(east_asian_width(each) in "WF" for each in text if not each.isascii())


def _fitting(text: str, columns: int) -> str:
    """The beginning of a text that is no wider than this: a wider one would be scrolled, and not written over."""
    text = text[:columns]
    while _columns(text) > columns:
        text = text[:-1]
    return text


def put(text: str) -> None:
    """Write to standard output. That it cannot be written changes neither the work nor its exit status.

    Where its reader is gone (``| head``), nothing is said of it.
    """
    _LINE.clear()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            tell(f"bootgraft: the answer could not be written to standard output ({error.strerror}).\n")
        drop_output()


def put_json(value: object) -> None:
    """Write a document to standard output, or a list of them: what ``--json`` asks for."""
    put(to_json(value) + "\n")


def columns_of(stream: TextIO) -> int:
    """The terminal's width; 80 where there is none, or none that says."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


def width() -> int:
    """The characters that a line of running text has room for: the terminal's, within reason; 80 elsewhere."""
    return min(max(columns_of(sys.stdout), 40), 100)


def drop_output() -> None:
    """Make what Python would still flush at exit go nowhere."""
    os.dup2(nowhere(), sys.stdout.fileno())


@cache
def nowhere() -> int:
    """A descriptor to write to what nobody is to read: opened once, while that can be done, and not closed."""
    return os.open(os.devnull, os.O_WRONLY)


def tell(text: str | Text) -> None:
    """Write to standard error, whose reader may be gone too."""
    _LINE.clear()
    with suppress(OSError):
        sys.stderr.write(_shown(lines_of(text) if isinstance(text, str) else text, sys.stderr))
        sys.stderr.flush()


def answer(text: str | Text, status: int, options: Options) -> None:
    """Print an answer, only its first line where that is all that is wanted.

    Where that line does not say itself how it is meant, a status that is not 0 means bad news.
    """
    lines = lines_of(text) if isinstance(text, str) else text
    if lines and isinstance(lines[0], str):
        lines = (PrintedLine(lines[0], tone=Tone.BAD if status else Tone.HEAD), *lines[1:])
    show(lines[:1] if options.quiet else lines)


def show(text: Text) -> None:
    """Write a text to standard output, laid out and coloured where that is a terminal."""
    put(_shown(text, sys.stdout))


def _shown(text: Text, stream: TextIO) -> str:
    """The text as it is in a pipe or a file, or as the stream's terminal takes it."""
    if not stream.isatty():
        return printable(plain(text))
    columns = columns_of(stream)
    if all(isinstance(each, str) and each.isascii() and len(each) <= columns for each in text):
        return printable(plain(text))  # nothing to lay out, as in most messages
    from bootgraft.report.layout.rendering import render  # rich: nothing that goes into a pipe waits for it

    return render(text, columns, colour=_has_colours())


def _has_colours() -> bool:
    """Whether the terminal shows colours and they are wanted: https://no-color.org, an empty value is none."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in (None, "", "dumb", "unknown")


def monitor_for(options: Options) -> Monitor:
    """The monitor that tells on standard error what is going on.

    Verbose tells every event, quiet only warnings; in between, steps are told once the work takes more than a second,
    and on a terminal how far they are. With ``--events`` every event is a line of JSON.
    """
    if options.events:
        return _tell_program
    if options.quiet:
        return lambda event: _tell(event) if event.kind is EventKind.WARNING else None
    patience = _Patience(verbose=options.verbose)
    _PATIENT.append(patience)
    return patience.tell


def rest() -> None:
    """The command is over: no step of it is shown any more."""
    while _PATIENT:
        _PATIENT.pop().stop()


def _tell_program(event: Event) -> None:
    from bootgraft.report.documents.event import event_document

    tell((PrintedLine(to_json(event_document(event)), LineRole.CODE),))


def _tell(event: Event) -> None:
    tell(f"bootgraft: {event.text}\n")


def _show(event: Event, seconds: float) -> None:
    from bootgraft.report.progress import progress_text

    _LINE.show(f"bootgraft: {printable(progress_text(event, seconds))}")


class _Patience:
    """Holds steps back until the work has taken a second, then tells the one it is at and all that follow."""

    def __init__(self, *, verbose: bool) -> None:
        self._lock = threading.Lock()
        self._verbose = verbose
        self._over = verbose
        self._step: Event | None = None
        self._began = 0.0
        self._timer = threading.Timer(PATIENCE, self._end)
        self._timer.daemon = True
        self._waits = verbose

    def tell(self, event: Event) -> None:
        # Not before the first step: the child is forked before that, and without threads.
        if not self._waits and event.kind is EventKind.STEP:
            self._waits = True
            with suppress(RuntimeError):  # no thread may be started: then it is told nothing, and works
                self._timer.start()
        with self._lock:
            match event.kind:
                case EventKind.STEP:
                    self._step, self._began = event, time.monotonic()
                    if self._over:
                        _tell(event)
                case EventKind.PROGRESS:
                    if self._over:
                        _show(event, time.monotonic() - self._began)
                case EventKind.WARNING:
                    _tell(event)
                case EventKind.NOTE:
                    if self._verbose:
                        _tell(event)

    def stop(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._step = None

    def _end(self) -> None:
        with self._lock:
            self._over = True
            if self._step is not None:
                _tell(self._step)


_PATIENT: list[_Patience] = []
"""Whose second may not be over."""
