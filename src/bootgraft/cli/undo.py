"""``bootgraft undo`` and ``bootgraft repair --resume``: the two ways to end or revert a repair."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.cli.history import history_text, record_of
from bootgraft.cli.images.session import tell_notes, tell_open
from bootgraft.cli.images.stored import open_stored
from bootgraft.cli.options import Options
from bootgraft.cli.registry.hivefile import is_hive_file
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import BootgraftError
from bootgraft.events import Event, EventKind, Monitor, silent
from bootgraft.report.documents.changing import ResumeDocument, UndoDocument
from bootgraft.storage.confine import exists
from bootgraft.storage.journal.journaldisks import Journal, command, disk_file
from bootgraft.storage.journal.journalsearch import find_journals, require_journal
from bootgraft.storage.journal.rewind import require_reversible
from bootgraft.storage.journal.strayjournals import strays_for_undo
from bootgraft.storage.journal.undo import Description
from bootgraft.storage.journal.undo import resume as resume_repair
from bootgraft.storage.journal.undo import undo as undo_repair


def run(options: Options) -> int:
    """Take back the newest change of the images, or all of them; or of a hive file."""
    if is_hive_file(options.images):
        from bootgraft.cli.registry.bare import undo as undo_hive_file

        return undo_hive_file(options)
    return _print(options, revert(options, monitor_for(options)))


class Reverted(Struct, frozen=True):
    """What was reverted, or with ``--dry-run`` could be, the newest first; ``left`` as in UndoDocument.

    ``edits_stay``: others have edited the machine's description since, and that stays.
    """

    journals: tuple[Journal, ...]
    left: tuple[Journal, ...] | None
    edits_stay: bool

    def document(self, *, done: bool) -> UndoDocument:
        """What programs get."""
        newest = self.journals[0]
        return UndoDocument(
            undone=done,
            journal=str(newest.path),
            summary=newest.head.change,
            taken_back=tuple(map(record_of, self.journals)),
            left=None if self.left is None else tuple(map(record_of, self.left)),
        )


def revert(options: Options, monitor: Monitor) -> Reverted:
    """Revert the newest change of the images, or all of them."""
    strays = strays_for_undo(options.images)
    newest = _newest(options, strays)
    if options.undo_all:
        journals = find_journals(options.covered, options.journal, strays=strays)[::-1]
        _require_reversible(options, journals, monitor)
    else:
        journals = (newest,)
    edits_stay = False
    for number, journal in enumerate(() if options.undo_all and options.dry_run else journals):
        try:
            edits_stay |= _take_back(options, journal, monitor)
        except BootgraftError:
            _tell_done(journals[:number], monitor)
            raise
    return Reverted(journals, _left(options, journals), edits_stay)


def _newest(options: Options, strays: Sequence[Journal]) -> Journal:
    """Return the newest journal; with ``--all``, disks that were repaired separately have no single one."""
    if options.undo_all:
        found = find_journals(options.covered, options.journal, strays=strays)
        if found and (options.journal is None or exists(options.journal)):
            return found[-1]
    return require_journal(options.covered, options.journal, strays=strays)


def _require_reversible(options: Options, journals: Sequence[Journal], monitor: Monitor) -> None:
    vm = None if options.vm is None else str(options.vm)
    with open_stored(options, journals[0], monitor) as images:
        require_reversible(images, journals, vm=vm)


def _take_back(options: Options, journal: Journal, monitor: Monitor) -> bool:
    """Undo one journal, or with ``--dry-run`` see whether that is possible.

    Return whether others have edited the machine's description since, and that stays.
    """
    description, edits_stay = _description(options, journal, monitor)
    step = options if journal.head.disks else replace(options, images=())
    with open_stored(step, journal, monitor) as images:
        tell_open(images, monitor)
        tell_notes(images, monitor)
        undo_repair(images, journal, description=description, monitor=monitor, dry_run=options.dry_run)
    return edits_stay


def _tell_done(journals: Sequence[Journal], monitor: Monitor) -> None:
    """Say what ``--all`` has reverted by now, where it does not come to its end."""
    for journal in journals:
        text = f"reverted already: {journal.head.change} (change {journal.head.serial})"
        monitor(Event(EventKind.WARNING, text))


def _print(options: Options, reverted: Reverted) -> int:
    """Say what was reverted, the newest first, and what is left."""
    journals, left, done = reverted.journals, reverted.left, not options.dry_run
    newest = journals[0]
    if options.json:
        put_json(reverted.document(done=done))
        return 0
    what = newest.head.change if len(journals) == 1 else f"all {len(journals)} changes"
    if not done:
        answer(f"Dry run: {what} can be reverted; nothing was written.\n{_more(journals)}", 0, options)
        return 0
    has_description = not reverted.edits_stay and any(journal.head.edited for journal in journals)
    names = options.covered if has_description else options.images
    state = f"{', '.join(names)} {'is as it was' if len(names) == 1 else 'are as they were'} before"
    undone = f"Undone: {what}" + (f"; {state}{_extent(journals[-1], left, options)}" if names else ".\n")
    answer(undone, 0, options)
    return 0


def _more(journals: Sequence[Journal]) -> str:
    """What each of several changes was."""
    return "" if len(journals) == 1 else f"\n{history_text(tuple(map(record_of, journals)))}"


def _left(options: Options, journals: Sequence[Journal]) -> tuple[Journal, ...] | None:
    """Return the journals that are there besides, the oldest first; None where that cannot be determined."""
    try:
        found = find_journals(options.covered, options.journal, monitor=silent)
    except BootgraftError:  # another journal is damaged: that is no fault of what was reverted
        return None
    gone = {journal.path for journal in journals}
    return tuple(journal for journal in found if journal.path not in gone)


def _extent(oldest: Journal, left: Sequence[Journal] | None, options: Options) -> str:
    """Say up to where things are as they were: before all changes only where it is sure that none is left."""
    if left:
        many = len(left) > 1
        undo = command("undo", left[-1], options.covered)
        return (
            f" that change; {len(left)} earlier {'changes are' if many else 'change is'} left.\n\n"
            f"{history_text(tuple(map(record_of, left)))}\nTo revert {'the last of them' if many else 'that'} too, "
            f"run:\n    {undo}\n"
        )
    # Beside a URI or a block device lies nothing that would tell of other journals.
    if left is None or oldest.head.serial > 1 or not all(map(disk_file, options.images)):
        return " that change (whether earlier ones were recorded elsewhere cannot be determined).\n"
    return ".\n"


def resume(options: Options) -> int:
    """Finish a repair that was interrupted."""
    document, finished = resumed(options, monitor_for(options))
    if options.json:
        put_json(document)
    elif finished:
        answer(f"Finished the interrupted repair: {document.summary}.\n", 0, options)
    else:
        answer("Nothing to do: the repair was finished already.\n", 0, options)
    return 0


def resumed(options: Options, monitor: Monitor) -> tuple[ResumeDocument, bool]:
    """Finish a repair that was interrupted; also whether there was something to do."""
    journal = require_journal(options.covered, options.journal, strays=strays_for_undo(options.images))
    vm = None if options.vm is None else str(options.vm)
    with open_stored(options, journal, monitor) as images:
        tell_open(images, monitor)
        finished = resume_repair(images, journal, description=vm, monitor=monitor)
    return ResumeDocument(committed=True, journal=str(journal.path), summary=journal.head.change), finished


def _description(options: Options, journal: Journal, monitor: Monitor) -> tuple[Description | None, bool]:
    """What the undo is to make of the machine's description, and whether edits stay that others made since."""
    if options.vm is None or journal.head.edited is None:
        return None, False
    from bootgraft.cli.images.vm import taken_back

    restored, is_original = taken_back(options.vm, journal.head.edited)
    if not is_original:
        text = f"{options.vm} was edited since: its network adapters are put back, the other edits stay"
        monitor(Event(EventKind.WARNING, text))
    return Description(str(options.vm), restored), not is_original
