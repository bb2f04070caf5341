"""Opening the images that a command line names, each with what must hold before it is opened."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from bootgraft.cli.images.openeddisks import OpenedDisks
from bootgraft.cli.images.repeated import refuse_repeated
from bootgraft.cli.options import Options
from bootgraft.errors import BootgraftError, DamagedImageError, ReadOnlyError
from bootgraft.events import Event, EventKind, Monitor, silent
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import ImageInfo
from bootgraft.storage.images.opening import OpenImage, find_children, identify, open_image
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.journalsearch import find_journals, interrupted, require_idle, unfinished_journals
from bootgraft.storage.journal.strayjournals import StraySearch
from bootgraft.targets.controllers import find_controller


def refuse_before_opening(options: Options) -> None:
    """Raise what can be determined before anything is looked at: a wrong target, a disk given twice."""
    presented = [each for each in options.controllers if each is not None]
    for target in options.targets:
        find_controller(target, presented)
    refuse_repeated(options)


def tell_of_clouds(options: Options, monitor: Monitor) -> None:
    """Say for which targets ``--recommend`` has nothing to print, as there is no description to write."""
    targets = dict.fromkeys(options.targets) if options.recommend else ()
    presented = [each for each in options.controllers if each is not None]
    for controller in (find_controller(each, presented) for each in targets):
        if controller.cloud is not None:
            text = (
                f"--recommend: there is no description to write for {controller.target}: {controller.cloud} makes the "
                "machine itself when it imports the disk"
            )
            monitor(Event(EventKind.WARNING, text))


def open_machine(options: Options, stack: ExitStack, monitor: Monitor, *, writable: bool) -> tuple[OpenImage, ...]:
    """Open the machine's disks; ``stack`` closes them.

    Raises:
        JournalError: a repair or an undo of one was interrupted.
    """
    reading = None if writable else monitor
    search = StraySearch(reading)
    strays = search.by_place(options.images)
    pending = unfinished_journals(options.covered, options.journal, monitor=reading, strays=strays)
    if pending and writable:
        with ExitStack() as look:  # opening a container for writing would change it
            _settle(_opened(options, look, pending, is_written=True, writable=False), pending, search, monitor)
        pending = ()
    opened = _opened(options, stack, pending, is_written=writable, writable=writable)
    _settle(opened, pending, search, monitor)
    return tuple(opened.images.values())


def _settle(disks: OpenedDisks, pending: Sequence[Journal], search: StraySearch, monitor: Monitor) -> None:
    """Return where no interrupted repair or undo stands against the disks that were opened."""
    known = [journal.path for journal in pending]
    images = disks.images.items()
    found = [each for location, image in images for each in search.by_content(location, image.device, known)]
    if pending or found:
        from bootgraft.cli.images.interrupted import settle

        settle(disks, pending, found, monitor)
    if search.lost:
        from bootgraft.cli.images.interrupted import tell_lost

        tell_lost(disks, search.lost, monitor)


def _opened(
    options: Options, stack: ExitStack, pending: Sequence[Journal], *, is_written: bool, writable: bool
) -> OpenedDisks:
    """Open the machine's disks; raise JournalError where that fails and one of them is half-done."""
    try:
        images = tuple(_open(options, stack, writable=writable))
    except BootgraftError as error:
        for journal in pending:
            if not journal.stray:  # that is why it cannot be opened, or comes first
                require_idle(journal, options.covered)
                raise interrupted(journal, options.covered) from error
        raise
    return OpenedDisks(dict(zip(options.images, images, strict=True)), options.covered, is_written=is_written)


def _open_source(location: str, options: Options, stack: ExitStack, monitor: Monitor) -> OpenImage:
    """Open a disk that is only a source of something; what is half-done on it is no source."""
    info = identify(location, allow_paths=options.allow_path)
    image = stack.enter_context(open_image(info, writable=False))
    search = StraySearch(monitor)
    strays = search.by_place([location])
    pending = unfinished_journals([location], monitor=monitor, strays=strays)
    opened = OpenedDisks({location: image}, (location,), is_written=False, is_whole_machine=False)
    _settle(opened, pending, search, monitor)
    return image


def _open(options: Options, stack: ExitStack, *, writable: bool) -> Iterator[OpenImage]:
    chosen = None if options.format is None else ImageFormat(options.format)
    for location in options.images:
        try:
            info = identify(location, format=chosen, allow_paths=options.allow_path)
            if writable:
                refuse_unwritable(info)
            image = open_image(info, writable=writable)
        except DamagedImageError as error:
            raise _advised(error, options) from error
        yield stack.enter_context(image)


def _advised(error: DamagedImageError, options: Options) -> DamagedImageError:
    """Return the error for a damaged image with the advice that fits where a journal covers it."""
    from bootgraft.storage.journal.lostends import kept_advice

    strays = StraySearch(silent).by_place(options.images)
    journals = find_journals(options.covered, options.journal, monitor=silent, strays=strays)
    if not journals:
        return error
    return DamagedImageError(error.what, where=error.where, advice=kept_advice(journals[-1]), id=error.id)


def open_sources(options: Options, stack: ExitStack, monitor: Monitor) -> Iterator[tuple[str, OpenImage | None]]:
    """Open the images among the driver sources for reading; ``stack`` closes them. None for what the child opens."""
    if not options.drivers:
        return
    from bootgraft.drivers.sources import is_package_source, refuse_exported

    for location in options.drivers:
        if is_package_source(location):
            if options.command in ("repair", "kit"):
                refuse_exported(location)
            yield location, None
            continue
        yield location, _open_source(location, options, stack, monitor)


def open_boot_code(options: Options, stack: ExitStack, monitor: Monitor) -> Iterator[OpenImage]:
    """Open the disks that give boot code only, for reading; ``stack`` closes them."""
    for location in options.boot_code:
        yield _open_source(location, options, stack, monitor)


def refuse_unwritable(info: ImageInfo) -> None:
    """Raise ReadOnlyError where the image must not be written in place, and say how to go on."""
    if info.read_only_reason is not None:
        raise ReadOnlyError(
            f"it cannot be written in place: {info.read_only_reason}",
            where=info.location,
            advice="Give --overlay OUT.qcow2: the repair then goes into a new file on top of it",
        )
    refuse_children(
        info,
        advice="Repair the newest snapshot instead, consolidate the snapshots first, or give --overlay OUT.qcow2",
    )


def refuse_children(info: ImageInfo, *, advice: str) -> None:
    """Raise ReadOnlyError where snapshots or overlays are built on the image: they read through what would change."""
    children = find_children(info)
    if children:
        raise ReadOnlyError(
            f"{_names(children)} built on it: writing to it would invalidate "
            f"{'those images' if len(children) > 1 else 'that image'}",
            where=info.location,
            advice=advice,
            id="image-has-snapshots",
        )


def _names(children: Sequence[object]) -> str:
    shown = ", ".join(str(child) for child in children[:3])
    more = f" and {len(children) - 3} more" if len(children) > 3 else ""
    return f"{shown}{more} {'is' if len(children) == 1 else 'are'}"
