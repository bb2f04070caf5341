"""``bootgraft undo`` and ``bootgraft repair --resume``: the two ways to mend or take back a repair."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bootgraft.cli.hivefile import is_hive_file
from bootgraft.cli.opening import refuse_children
from bootgraft.cli.options import Options
from bootgraft.cli.repeated import refuse_repeated
from bootgraft.cli.session import tell_notes
from bootgraft.cli.terminal import answer, monitor_for, put
from bootgraft.storage.imageinfo import ImageFormat
from bootgraft.storage.images import OpenImage, identify, open_image
from bootgraft.storage.journalsearch import require_journal
from bootgraft.storage.undo import resume as resume_repair
from bootgraft.storage.undo import undo as undo_repair

_SNAPSHOT = (
    "If Windows has run on what is built on it, keep both as they are. If not, delete what is built on it (a snapshot "
    "with the hypervisor's own tools), and run the command again"
)


def run(options: Options) -> int:
    """Put the images back as they were before the newest repair; or a hive file, before its newest change."""
    if is_hive_file(options.images):
        from bootgraft.cli.reg_bare import undo as undo_hive_file

        return undo_hive_file(options)
    journal = require_journal(options.images, options.journal)
    with _opened(options) as images:
        monitor = monitor_for(options)
        tell_notes(images, monitor)
        undo_repair(images, journal, monitor=monitor, dry_run=options.dry_run)
    what = journal.head.summary
    done = not options.dry_run
    if options.json:
        document = {"undone": done, "journal": str(journal.path), "summary": what}
        put(json.dumps(document) + "\n")
    elif done:
        one = len(options.images) == 1
        state = "is as it was before" if one else "are as they were before"
        answer(f"Undone: {what} taken back; {', '.join(options.images)} {state}.\n", 0, options)
    else:
        answer(f"Dry run: {what} can be taken back; nothing was written.\n", 0, options)
    return 0


def resume(options: Options) -> int:
    """Finish a repair that was interrupted."""
    journal = require_journal(options.images, options.journal)
    with _opened(options) as images:
        finished = resume_repair(images, journal, monitor=monitor_for(options))
    if options.json:
        document = {"committed": True, "journal": str(journal.path), "summary": journal.head.summary}
        put(json.dumps(document) + "\n")
    elif finished:
        answer(f"Finished the interrupted repair: {journal.head.summary}.\n", 0, options)
    else:
        answer("Nothing to do: the repair was finished already.\n", 0, options)
    return 0


@contextmanager
def _opened(options: Options) -> Iterator[tuple[OpenImage, ...]]:
    refuse_repeated(options)
    chosen = None if options.format is None else ImageFormat(options.format)
    with ExitStack() as stack:
        infos = [
            identify(each, format=chosen, allow_paths=options.allow_path, pending_log_ok=True)
            for each in options.images
        ]
        for info in infos:
            # Windows that ran on a snapshot left no trace below it, so the comparison with the journal would not tell.
            refuse_children(info, advice=_SNAPSHOT)
        yield tuple(stack.enter_context(open_image(info, writable=True)) for info in infos)
