"""Whether the commands find the way back, or on, from what a power loss left; qemu-img says what the disk holds."""

import io
import random
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from benchmarks.powerloss.operations import Files
from benchmarks.powerloss.subjects import NoWayError, Side, Subject, files_of, restore
from bootgraft.cli.main import main
from bootgraft.errors import BootgraftError
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import find_journals


def judge(subject: Subject, files: Files, chance: random.Random) -> str:
    """Say what the state is, after all ways that lead on from it were tried.

    Raises:
        NoWayError: one does not.
    """
    restore(subject, files)
    try:
        return _judged(subject, chance)
    except BootgraftError as error:
        raise NoWayError(str(error)) from error


def _judged(subject: Subject, chance: random.Random) -> str:
    journals = find_journals(subject.locations)
    if not journals:
        subject.expect(Side.BEFORE, "no journal is there")
        _run(["undo", *subject.words], 3, "nothing to undo", "no undo journal")
        return "before it"
    (journal,) = journals
    if journal.state is JournalState.SEALED:
        subject.expect(Side.AFTER, "the journal is sealed")
        _undo(subject)
        return "done"
    said = "an undo" if journal.state is JournalState.UNDOING else "a repair"
    if find_journals(subject.disks):
        _run(["check", *subject.disks, "--target", "vmware:lsilogic"], 3, f"{said} of this")
    else:  # an undo that had all but removed its journal: the pointers beside the disks are gone
        subject.expect(Side.BEFORE, "beside the disks, nothing leads to the journal")
    if journal.state is JournalState.UNFINISHED and chance.random() < 0.5:
        _run(["repair", *subject.words, "--resume"], 0)
        subject.expect(Side.AFTER, "resumed")
    _undo(subject)
    return f"interrupted, {journal.state}"


def _undo(subject: Subject) -> None:
    _run(["undo", *subject.words], 0)
    subject.expect(Side.BEFORE, "taken back")
    if _left(subject):
        raise NoWayError(f"after the undo there are still {_left(subject)}")


def _left(subject: Subject) -> list[str]:
    """Names of files about a journal; what was in the making is removed by the next commit."""
    names = (path.name for path in files_of(subject))
    return [name for name in names if "journal" in name and not name.endswith(".partial")]


def _run(words: Sequence[str], status: int, *said: str) -> None:
    """Run a command, which must end so and say one of these."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        ended = main([*words, "--quiet"])
    text = out.getvalue() + error.getvalue()
    if ended != status or "Traceback" in text or (said and not any(each in text for each in said)):
        raise NoWayError(f"{words[0]} ended with {ended}: {text}")
