"""How what was proven on an overlay reaches the images: in place under the undo journal, or as overlays on top.

Loaded while the child process loads what it needs.
"""

from collections.abc import Callable
from pathlib import Path

from bootgraft.cli.images.destination import Written, is_in_place
from bootgraft.cli.images.session import Session, tell_notes
from bootgraft.cli.options import Options
from bootgraft.errors import ImageError, UsageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.devices.overlay import MAX_RUN, Overlay
from bootgraft.storage.devices.qemunbd import create_overlay
from bootgraft.storage.durable import sync_folder
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import OpenImage, identify, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.editedfile import draft_edit
from bootgraft.storage.journal.journalsearch import new_journal_path
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction
from bootgraft.storage.newfile import make_way
from bootgraft.worker.ipc.job import AnyOutcome


def run_and_write(session: Session, options: Options, monitor: Monitor, job: Callable[[], AnyOutcome]) -> Written:
    """Have a job done on the session's overlays, and write what came of it where that is proven.

    Raises:
        UsageError: an overlay was asked for that cannot be made.
        JournalError: the journal cannot be written, or the images could not be written to the end.
    """
    if options.overlay:
        _refuse_exports(session)
    journal = new_journal_path(options.covered, options.journal) if is_in_place(options) else None
    outcome = job()
    if not outcome.proven:
        return Written(outcome)
    if options.overlay is None:
        tell_notes(session.images, monitor)
    if journal is not None:
        commit(_transaction(session, options, outcome), journal=journal, monitor=monitor)
        return Written(outcome, journal=journal)
    if options.overlay is not None and not options.dry_run:
        return Written(outcome, overlays=tuple(_write_overlays(session, options.overlay, monitor)))
    return Written(outcome)


def _transaction(session: Session, options: Options, outcome: AnyOutcome) -> Transaction:
    disks = tuple(
        DiskTransaction(image, overlay, _witnesses(outcome, number))
        for number, (image, overlay) in enumerate(zip(session.images, session.overlays, strict=True))
    )
    edit = options.vm_edit
    edited = None if edit is None else draft_edit(edit.path, edit.before, edit.data)
    return Transaction(disks, outcome.summary, edited)


def _witnesses(outcome: AnyOutcome, disk: int) -> tuple[tuple[int, int], ...]:
    return tuple((each.offset, each.length) for each in outcome.witnesses if each.disk == disk)


def _refuse_exports(session: Session) -> None:
    for image in session.images:
        if image.info.format is ImageFormat.NBD:
            # bootgraft could not open it again: an image that names a network address may be a hostile one
            raise UsageError(
                "an overlay cannot stand on an NBD export",
                where=image.info.location,
                advice="Write to the export in place with --journal PATH",
            )


def _write_overlays(session: Session, out: Path, monitor: Monitor) -> list[Path]:
    """Write one qcow2 for each disk that changed; further disks get ``-diskN`` before the suffix."""
    changed = [(n, i, o) for n, (i, o) in enumerate(zip(session.images, session.overlays, strict=True)) if o.changed]
    written: list[Path] = []
    for number, image, overlay in changed:
        path = out if len(changed) == 1 else out.with_stem(f"{out.stem}-disk{number}")
        monitor(Event(EventKind.STEP, f"writing {path}"))
        _write_overlay(path, image, overlay)
        written.append(path)
    return written


def _write_overlay(path: Path, image: OpenImage, overlay: Overlay) -> None:
    """Write one overlay under a temporary name first: half an overlay must never look like a whole one."""
    partial = path.with_name(f"{path.name}.partial")
    make_way(partial, advice="Have it removed, or give --overlay a file in a folder of your own")
    info = image.info
    create_overlay(partial, Path(info.location), info.format.qemu_driver, below=(*info.files, *info.backing))
    try:
        with open_image(identify(str(partial), allow_paths=_folders(image)), writable=True) as opened:
            for run in overlay.runs():
                end = run.offset + run.length
                for at in range(run.offset, end, MAX_RUN):  # a constant run can be as long as the disk
                    opened.device.write(at, overlay.read(at, min(MAX_RUN, end - at)))
            opened.device.flush()
        _put_in_place(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _put_in_place(partial: Path, path: Path) -> None:
    try:
        partial.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ImageError(
            f"the overlay cannot be given its name ({error.strerror})",
            where=str(path),
            advice="Give --overlay a new file's name in a folder of your own",
            id="output-failed",
        ) from error


def _folders(image: OpenImage) -> tuple[Path, ...]:
    return tuple({file.parent for file in (*image.info.files, *image.info.backing)})
