"""``bootgraft repair``: plan, prove on the overlay, commit under the journal."""

import json
import os
from pathlib import Path

from bootgraft.cli.options import Options
from bootgraft.cli.session import Session, tell_notes
from bootgraft.cli.terminal import answer, monitor_for, put
from bootgraft.errors import UsageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.commit import commit
from bootgraft.storage.imageinfo import QEMU_DRIVER, ImageFormat
from bootgraft.storage.images import OpenImage, identify, open_image
from bootgraft.storage.journalsearch import new_journal_path
from bootgraft.storage.overlay import MAX_RUN, Overlay
from bootgraft.storage.qemunbd import create_overlay
from bootgraft.storage.transaction import DiskTransaction, Transaction
from bootgraft.targets.controllers import find_controller
from bootgraft.worker.job import Operation, Outcome


def run(options: Options) -> int:
    """Repair the machine; returns 0 where it now boots, 1 where nothing was written."""
    if options.resume:
        from bootgraft.cli.undo import resume

        return resume(options)
    _check_options(options)
    in_place = not (options.dry_run or options.overlay)
    monitor = monitor_for(options)
    with Session(options, writable=in_place, monitor=monitor) as session:
        if options.overlay:
            _refuse_exports(session)
        journal = new_journal_path(options.images, options.journal) if in_place else None
        outcome = session.run(Operation.REPAIR)
        written: list[str] = []
        if outcome.proven and options.overlay is None:
            tell_notes(session.images, monitor)
        if outcome.proven and journal is not None:
            commit(_transaction(session, outcome), journal=journal, monitor=monitor)
            written = [str(journal)]
        elif outcome.proven and options.overlay is not None and not options.dry_run:
            written = _write_overlays(session, options.overlay, monitor)
    _print(outcome, options, written)
    return outcome.status


def _check_options(options: Options) -> None:
    for target in options.targets:
        find_controller(target)
    if not options.targets:
        raise UsageError(
            "repair needs to know which controller the machine will have",
            where="--target",
            advice="Give --target HYPERVISOR:CONTROLLER, as vmware:lsilogic; `bootgraft targets` lists them",
        )
    if options.drivers and (options.reg or options.file):
        raise UsageError(
            "--drivers and --reg are two ways to give the driver",
            where="--reg",
            advice="Give the donor's disk image, or the .reg and .sys files exported from it",
        )
    if options.file and not options.reg:
        raise UsageError("--file goes with --reg", where="--file", advice="Give the driver's exported .reg file too")
    if options.overlay and os.path.lexists(options.overlay):
        raise UsageError("it exists already", where=str(options.overlay), advice="Give --overlay a new file's name")
    if options.overlay and options.journal:
        raise UsageError(
            "an overlay needs no journal: the image is not written",
            where="--journal",
            advice="Leave one of the two out; to undo, delete the overlay",
        )


def _shown(path: Path) -> str:
    """The path as one would type it from here."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted meanwhile
        return str(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _transaction(session: Session, outcome: Outcome) -> Transaction:
    disks = tuple(
        DiskTransaction(image, overlay, _witnesses(outcome, number))
        for number, (image, overlay) in enumerate(zip(session.images, session.overlays, strict=True))
    )
    return Transaction(disks, outcome.summary)


def _witnesses(outcome: Outcome, disk: int) -> tuple[tuple[int, int], ...]:
    return tuple((each.offset, each.length) for each in outcome.witnesses if each.disk == disk)


def _refuse_exports(session: Session) -> None:
    for image in session.images:
        if image.info.format is ImageFormat.NBD:
            # bootgraft could not open it again: an image that names a network address may be a hostile one
            raise UsageError(
                "an overlay cannot stand on an NBD export",
                where=image.info.location,
                advice="Repair the export in place with --journal PATH",
            )


def _write_overlays(session: Session, out: Path, monitor: Monitor) -> list[str]:
    """Write one qcow2 for each disk that changed; further disks get ``-diskN`` before the suffix."""
    changed = [(n, i, o) for n, (i, o) in enumerate(zip(session.images, session.overlays, strict=True)) if o.changed]
    written = []
    for number, image, overlay in changed:
        path = out if len(changed) == 1 else out.with_stem(f"{out.stem}-disk{number}")
        monitor(Event(EventKind.STEP, f"writing {path}"))
        _write_overlay(path, image, overlay)
        written.append(str(path))
    return written


def _write_overlay(path: Path, image: OpenImage, overlay: Overlay) -> None:
    create_overlay(path, Path(image.info.location), QEMU_DRIVER[image.info.format])
    try:
        with open_image(identify(str(path), allow_paths=_folders(image)), writable=True) as opened:
            for run in overlay.runs():
                end = run.offset + run.length
                for at in range(run.offset, end, MAX_RUN):  # a constant run can be as long as the disk
                    opened.device.write(at, overlay.read(at, min(MAX_RUN, end - at)))
            opened.device.flush()
    except BaseException:
        path.unlink(missing_ok=True)  # half an overlay would look like a whole one
        raise


def _folders(image: OpenImage) -> tuple[Path, ...]:
    return tuple({file.parent for file in (*image.info.files, *image.info.backing)})


def _print(outcome: Outcome, options: Options, written: list[str]) -> None:
    if options.json:
        document = json.loads(outcome.document)
        document["committed"] = bool(written)
        document["journal"] = written[0] if written and options.overlay is None else None
        document["overlays"] = written if options.overlay is not None else []
        put(json.dumps(document) + "\n")
        return
    answer(_head(outcome, options, written) + outcome.text + _tail(options, written), outcome.status, options)


def _head(outcome: Outcome, options: Options, written: list[str]) -> str:
    if not outcome.proven:
        return ""  # the text itself says that nothing was written
    if options.dry_run:
        return f"Dry run: {outcome.summary} would make it boot; proven on an overlay, nothing was written.\n\n"
    where = ", ".join(written) if options.overlay else ", ".join(options.images)
    return f"Repaired: {outcome.summary}, proven before written to {where}.\n\n"


def _tail(options: Options, written: list[str]) -> str:
    if not written:
        return ""
    if options.overlay:
        return f"\nThe image itself is untouched. Boot from {', '.join(written)}; to undo, delete it.\n"
    return f"\nUndo journal: {_shown(Path(written[0]))}\nTo put everything back:\n    {undo_command(options)}\n"


def undo_command(options: Options) -> str:
    """The command that undoes what these options did."""
    import shlex

    words = ["bootgraft", "undo", *options.images]
    if options.journal is not None:
        words += ["--journal", str(options.journal)]
    if options.format is not None:
        words += ["--format", options.format]
    for folder in options.allow_path:
        words += ["--allow-path", str(folder)]
    return shlex.join(words)
