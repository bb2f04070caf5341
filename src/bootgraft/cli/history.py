"""``bootgraft history``: what bootgraft changed on some disks, when, and by which version, as their journals tell."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from bootgraft.cli.options import Options
from bootgraft.cli.registry.hivefile import is_hive_file
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.events import Monitor
from bootgraft.report.documents.changing import HistoryDocument, RecordDocument
from bootgraft.storage.confine import resolve
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.hostindex import index_folder
from bootgraft.storage.journal.journaldisks import Journal, command, command_for, disk_file
from bootgraft.storage.journal.journalsearch import find_journals, interrupted, require_disk
from bootgraft.storage.journal.strayjournals import strays_for_undo, unfinished_on_host
from bootgraft.text import counted

_STATES = {
    "sealed": "finished",
    "unfinished": "INTERRUPTED: the disks may hold old and new content mixed, do not start the machine",
    "undoing": "its undo was INTERRUPTED: the disks may hold old and new content mixed, do not start the machine",
}


def run(options: Options) -> int:
    """Print the changes, the oldest first, and how to revert them. Writes nothing to any disk or journal.

    Without a disk, print those on this host that were interrupted.
    """
    if not options.covered:
        return _print_interrupted(options)
    for location in options.images:
        require_disk(location)
    if is_hive_file(options.images):
        from bootgraft.cli.registry.backups import finished_backups

        words = ("bootgraft", "undo", *options.images)
        hive = resolve(Path(options.images[0]))
        backups = hive_records(hive, finished_backups(hive))
        return _print(options, backups, _ways_back(shlex.join(words), shlex.join((*words, "--all")), len(backups)))
    journals = journals_of(options, monitor_for(options))
    return _print(options, tuple(map(record_of, journals)), _advice(journals[::-1], options))


def journals_of(options: Options, monitor: Monitor) -> tuple[Journal, ...]:
    """The journals of these disks, the oldest first."""
    strays = strays_for_undo(options.images)
    return find_journals(options.covered, options.journal, monitor=monitor, strays=strays)


def _print_interrupted(options: Options) -> int:
    journals = unfinished_on_host(monitor=monitor_for(options))
    if options.json:
        put_json(HistoryDocument(tuple(map(record_of, journals))))
    elif journals:
        told = (f"{_paragraph(record_of(each))}{interrupted(each, ()).advice}\n" for each in journals)
        many = len(journals) > 1
        count = f"{len(journals)} repairs or undos on this host were" if many else "A repair or undo on this host was"
        answer(f"{count} interrupted.\n\n{''.join(told)}", 0, options)
    else:
        place = index_folder()
        where = "since neither XDG_STATE_HOME nor HOME says where" if place is None else f"in {place}"
        answer(f"No interrupted repair is recorded on this host, {where}.\n", 0, options)
    return 0


def record_of(journal: Journal) -> RecordDocument:
    """What a journal says of its change."""
    head = journal.head
    return RecordDocument(
        number=head.serial,
        time=head.created,
        by=head.tool,
        state=journal.state.value,
        what=head.change,
        disks=tuple(disk.name for disk in head.disks),
        vm=None if head.edited is None else str(head.edited.path),
        journal=str(journal.path),
    )


def hive_records(hive: Path, backups: Sequence[tuple[int, str, Path]]) -> tuple[RecordDocument, ...]:
    """What the backups beside a hive file say, in the order in which they are given."""
    what = f"the change of {hive.name}"
    return tuple(
        RecordDocument(number, None, None, "sealed", what, (str(hive),), None, str(backup))
        for number, _, backup in backups
    )


def history_text(records: Sequence[RecordDocument]) -> str:
    """The records as people read them, a paragraph of three lines for each."""
    return "".join(map(_paragraph, records))


def _paragraph(record: RecordDocument) -> str:
    when = "" if record.time is None else f"{record.time.replace('T', ' ').replace('+00:00', ' UTC')}  {record.by}  "
    return f"{record.number:>3}  {when}{_STATES[record.state]}\n     {record.what}\n     {record.journal}\n"


def _advice(journals: Sequence[Journal], options: Options) -> str:
    """What to type, of journals that come newest first."""
    if not journals:
        return ""
    if journals[0].state is not JournalState.SEALED:
        return f"{interrupted(journals[0], options.covered).advice}\n"
    undo = command("undo", journals[0], options.covered)
    return _ways_back(undo, command_for("undo", journals, options.covered, "--all"), len(journals))


def _ways_back(undo: str, undo_all: str, count: int) -> str:
    if count == 1:
        return f"To revert it, run:\n    {undo}\n"
    return f"To revert the last, run:\n    {undo}\nTo revert all of them, run:\n    {undo_all}\n"


def _print(options: Options, records: Sequence[RecordDocument], advice: str) -> int:
    if options.json:
        put_json(HistoryDocument(tuple(records)))
        return 0
    names = ", ".join(options.covered)
    if records:
        many = len(records) > 1
        head = f"{counted(len(records), 'change')} by bootgraft recorded for {names}{', the oldest first' * many}."
        answer(f"{head}\n\n{history_text(records)}\n{advice}", 0, options)
    else:
        elsewhere = "" if all(map(disk_file, options.images)) else " If it was made with --journal PATH, give that too."
        answer(f"No change by bootgraft is recorded beside {names}.{elsewhere}\n", 0, options)
    return 0
