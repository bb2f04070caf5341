"""``bootgraft undo`` and ``bootgraft repair --resume``: the two ways to mend or take back a repair."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bootgraft.cli.images.opening import refuse_children
from bootgraft.cli.images.repeated import refuse_repeated
from bootgraft.cli.images.session import tell_notes, tell_open
from bootgraft.cli.options import Options
from bootgraft.cli.registry.hivefile import is_hive_file
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import DamagedImageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.report.documents.changing import ResumeDocument, UndoDocument
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import OpenImage, identify_stored, open_image
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.journalsearch import require_journal
from bootgraft.storage.journal.lostends import kept_advice, restore_ends
from bootgraft.storage.journal.undo import Description
from bootgraft.storage.journal.undo import resume as resume_repair
from bootgraft.storage.journal.undo import undo as undo_repair

_SNAPSHOT = (
    "If Windows has run on what is built on it, keep both as they are. If not, delete what is built on it (a snapshot "
    "with the hypervisor's own tools), and run the command again"
)


def run(options: Options) -> int:
    """Put the images back as they were before the newest repair; or a hive file, before its newest change."""
    if is_hive_file(options.images):
        from bootgraft.cli.registry.bare import undo as undo_hive_file

        return undo_hive_file(options)
    journal = require_journal(options.covered, options.journal)
    monitor = monitor_for(options)
    description = _description(options, journal, monitor)
    with _opened(options, journal, monitor) as images:
        tell_open(images, monitor)
        tell_notes(images, monitor)
        undo_repair(images, journal, description=description, monitor=monitor, dry_run=options.dry_run)
    what = journal.head.summary
    done = not options.dry_run
    if options.json:
        put_json(UndoDocument(undone=done, journal=str(journal.path), summary=what))
    elif done:
        names = options.images if journal.head.edited is None else options.covered
        state = "is as it was before" if len(names) == 1 else "are as they were before"
        answer(f"Undone: {what} taken back; {', '.join(names)} {state}.\n", 0, options)
    else:
        answer(f"Dry run: {what} can be taken back; nothing was written.\n", 0, options)
    return 0


def resume(options: Options) -> int:
    """Finish a repair that was interrupted."""
    journal = require_journal(options.covered, options.journal)
    vm = None if options.vm is None else str(options.vm)
    monitor = monitor_for(options)
    with _opened(options, journal, monitor) as images:
        tell_open(images, monitor)
        finished = resume_repair(images, journal, description=vm, monitor=monitor)
    if options.json:
        put_json(ResumeDocument(committed=True, journal=str(journal.path), summary=journal.head.summary))
    elif finished:
        answer(f"Finished the interrupted repair: {journal.head.summary}.\n", 0, options)
    else:
        answer("Nothing to do: the repair was finished already.\n", 0, options)
    return 0


def _description(options: Options, journal: Journal, monitor: Monitor) -> Description | None:
    """What the undo is to make of the machine's description, where the journal covers one."""
    if options.vm is None or journal.head.edited is None:
        return None
    from bootgraft.cli.images.vm import taken_back

    restored, is_original = taken_back(options.vm, journal.head.edited)
    if not is_original:
        text = f"{options.vm} was edited since: its network cards are put back, the other edits stay"
        monitor(Event(EventKind.WARNING, text))
    return Description(str(options.vm), restored)


@contextmanager
def _opened(options: Options, journal: Journal, monitor: Monitor) -> Iterator[tuple[OpenImage, ...]]:
    refuse_repeated(options)
    with ExitStack() as stack:
        try:
            images = tuple(_open(options, journal, stack, monitor))
        except DamagedImageError as error:
            raise DamagedImageError(error.what, where=error.where, advice=kept_advice(journal)) from error
        yield images


def _open(options: Options, journal: Journal, stack: ExitStack, monitor: Monitor) -> Iterator[OpenImage]:
    """Open the images as they are on their storage; ``stack`` closes them."""
    chosen = None if options.format is None else ImageFormat(options.format)
    paths = options.allow_path
    restore_ends(journal, options.images, format=chosen, allow_paths=paths, dry_run=options.dry_run, monitor=monitor)
    infos = [identify_stored(each, format=chosen, allow_paths=paths) for each in options.images]
    for info in infos:
        # Windows that ran on a snapshot left no trace below it, so the comparison with the journal would not tell.
        refuse_children(info, advice=_SNAPSHOT)
    for info in infos:
        yield stack.enter_context(open_image(info, writable=True))
