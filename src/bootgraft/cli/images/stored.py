"""Opening images for an undo or a resume: as they are on their storage, where a repair may have been interrupted."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bootgraft.cli.images.opening import refuse_children
from bootgraft.cli.images.repeated import refuse_repeated
from bootgraft.cli.options import Options
from bootgraft.errors import DamagedImageError
from bootgraft.events import Monitor
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import OpenImage, identify_stored, open_image
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.lostends import kept_advice, restore_ends

_SNAPSHOT = (
    "If Windows has run on what is built on it, keep both as they are. If not, delete what is built on it (a snapshot "
    "with the hypervisor's own tools), and run the command again"
)


@contextmanager
def open_stored(options: Options, journal: Journal, monitor: Monitor) -> Iterator[tuple[OpenImage, ...]]:
    """Open the images of a command for writing, and close them at the end.

    Raises:
        DamagedImageError: one is damaged; the advice is what to do where ``journal`` covers it.
    """
    refuse_repeated(options)
    with ExitStack() as stack:
        try:
            images = tuple(_open(options, journal, stack, monitor))
        except DamagedImageError as error:
            raise DamagedImageError(error.what, where=error.where, advice=kept_advice(journal), id=error.id) from error
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
