"""``bootgraft reg query``, ``export`` and ``verify``: what they read goes to standard output, or to a new file."""

import codecs
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, drop_output, monitor_for, put_json, tell
from bootgraft.errors import BootgraftError, UsageError
from bootgraft.report.layout.lines import plain, printable
from bootgraft.worker.ipc.job import AnyOutcome, Operation
from bootgraft.worker.ipc.registry_request import ANSI, RegistryAction

_LINES = 2**16
"""Bytes of lines that are printed at once."""
_SPOOL = 2**24
"""Bytes of an answer that are kept in memory; a larger one waits in a temporary file."""

Job = Callable[[Callable[[bytes], object]], AnyOutcome]
"""Has the worker do the job, giving what it reads to the function it is given."""


def run(options: Options) -> int:
    """Read from the images."""
    check_output(options)
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        return read_and_print(options, lambda output: session.run(Operation.REGISTRY, output))


def check_output(options: Options) -> None:
    """Raise UsageError where the answer cannot be written to ``--out``."""
    if options.out is not None and os.path.lexists(options.out):
        raise UsageError(
            "it exists already", where=str(options.out), advice="Give --out a new file's name", id="output-exists"
        )
    if options.out is None and options.json and options.registry and options.registry.action is RegistryAction.EXPORT:
        raise UsageError("a .reg file is no JSON", where="--json", advice="Give --out FILE, or use `reg query --json`")


def read_and_print(options: Options, job: Job) -> int:
    """Have the job done, and only when it is done to its end give out what it read."""
    with ExitStack() as stack:
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=_SPOOL))
        outcome = job(spool.write)
        length = spool.tell()
        spool.seek(0)
        if not length:
            _print_outcome(outcome, options)
        elif options.out is not None:
            _save(spool, options.out)
            done = f"Exported {length} bytes to {options.out}."
            put_json(outcome.document) if options.json else answer((done, *outcome.text), outcome.status, options)
        else:
            _print(spool, options)
            tell("".join(f"bootgraft: {line}\n" for line in plain(outcome.text).splitlines()))
    return outcome.status


def _print_outcome(outcome: AnyOutcome, options: Options) -> None:
    if options.json:
        put_json(outcome.document)
    else:
        answer(outcome.text, outcome.status, options)


def _print(spool: IO[bytes], options: Options) -> None:
    try:
        for part in _parts(spool, options):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    except OSError as error:
        drop_output()
        if error.errno != errno.EPIPE:  # a reader that has seen enough (`| head`) is no fault
            raise BootgraftError(
                f"the answer could not be written ({error.strerror})",
                where="standard output",
                advice="What was written is not whole; make room and run the command again",
                id="output-failed",
            ) from error


def _parts(spool: IO[bytes], options: Options) -> Iterator[bytes]:
    """What is to be written: a .reg file as regedit writes it, but on a terminal as it can be read."""
    is_export = options.registry is not None and options.registry.action is RegistryAction.EXPORT
    if options.json or (is_export and not sys.stdout.isatty()):
        while part := spool.read(_LINES):
            yield part
        return
    is_utf16 = is_export and spool.read(2) == codecs.BOM_UTF16_LE
    spool.seek(0)
    encoding = "utf-16" if is_utf16 else ANSI if is_export else "utf-8"
    text = TextIOWrapper(spool, encoding, "replace", newline=None if is_export else "\n")
    while lines := text.readlines(_LINES):
        yield printable("".join(lines)).encode(sys.stdout.encoding or "utf-8", "backslashreplace")


def _save(spool: IO[bytes], path: Path) -> None:
    """Write a new file; none is left where that fails."""
    try:
        with path.open("xb") as file:
            try:
                shutil.copyfileobj(spool, file)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(
            f"it cannot be written ({error.strerror})",
            where=str(path),
            advice="Check the folder and its free space",
            id="output-failed",
        ) from error
