"""``bootgraft reg`` on a hive file by itself, and ``undo`` of what it did: see ``backups``.

The logs beside it count by the rule of ``storage.ownership``.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from bootgraft.cli.history import history_text, hive_records
from bootgraft.cli.options import Options
from bootgraft.cli.registry.backups import (
    PIECE,
    digest_of,
    finished_backups,
    replace_hive,
    tell_passed_over,
    unwritable,
)
from bootgraft.cli.registry.reading import check_output, read_and_print
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import ForeignFileError, JournalError, ReadOnlyError, UsageError
from bootgraft.events import Event, EventKind
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.changing import RecordDocument, UndoDocument
from bootgraft.report.documents.registry import EditDocument
from bootgraft.report.layout.lines import PrintedLine, Text, Tone, lines_of
from bootgraft.storage.confine import resolve
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.devices.padded import Padded
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.durable import sync_folder
from bootgraft.storage.ownership import require_owner
from bootgraft.worker.ipc.job import AnyOutcome, GivenSources, Job, Operation, Request
from bootgraft.worker.ipc.parent import Worker

GROWTH = 2**27
"""Bytes by which one command may make a hive grow."""
_BASE_SIZE, _BINS_SIZE_AT = 4096, 40
_LOG = "log of a hive"
_LOGS = (".log", ".log1", ".log2")


def run(options: Options) -> int:
    """Do the sub-command on a hive file."""
    request = options.registry
    if request is None:
        raise ValueError(options)
    _check_options(options)
    path = resolve(Path(options.images[0]))
    if not request.action.writes:
        check_output(options)
        return read_and_print(options, lambda output: _work(options, path, output=output)[0])
    outcome, backup = _work(options, path)
    if options.json:
        if not isinstance(outcome.document, EditDocument):
            raise TypeError(outcome.document)
        kept = None if backup is None else str(backup)
        put_json(replace(outcome.document, committed=backup is not None, backup=kept))
    else:
        text = (*_head(outcome, options), *outcome.text, *lines_of(_closing(options, backup)))
        answer(text, outcome.status, options)
    return outcome.status


def _check_options(options: Options) -> None:
    request = options.registry
    given = {
        "--hive": request is not None and request.hive is not None,
        "--windows": options.windows is not None,
        "--overlay": options.overlay is not None,
        "--journal": options.journal is not None,
        "--format": options.format is not None,
    }
    for name, is_given in given.items():
        if is_given:
            raise UsageError("this is a hive file, not a disk image", where=name, advice="Leave this option out")


def _work(
    options: Options, path: Path, output: Callable[[bytes], object] | None = None
) -> tuple[AnyOutcome, Path | None]:
    """Have the worker do the job, and replace the file where that is asked for and proven."""
    request = options.registry
    if request is None:
        raise ValueError(options)
    in_place = request.action.writes and not options.dry_run
    if in_place and not path.stat().st_mode & 0o222:
        raise ReadOnlyError(
            "the file is marked read-only",
            where=str(path),
            advice="chmod u+w makes it writable; --dry-run needs no more",
        )
    with ExitStack() as stack:
        worker = stack.enter_context(Worker())
        monitor = monitor_for(options)
        hive = stack.enter_context(RawFile(path, writable=in_place))
        for note in hive.unasked:
            monitor(Event(EventKind.NOTE, f"{path}: {note}"))
        logs = [stack.enter_context(log) for log in _open_logs(path, writing=in_place)]
        room = -(-(hive.size + GROWTH) // PIECE) * PIECE
        padded = Padded(hive, room, str(path))
        overlay = Overlay(padded)
        stack.callback(overlay.close)
        devices: list[BlockDevice] = [padded, *logs]
        specs = (DeviceSpec(str(path), "hive", room), *(DeviceSpec(str(log.path), "log", log.size) for log in logs))
        job = Job(
            request=Request(
                operation=Operation.REGISTRY,
                detailed=options.dry_run or options.verbose,
                registry=replace(request, bare_size=hive.size),
            ),
            devices=specs,
            disks=1,
            sources=GivenSources(reg_files=options.reg),
        )
        outcome = worker.run(job, devices, [overlay], monitor, output)
        if not (outcome.proven and in_place):
            return outcome, None
        bins = int.from_bytes(overlay.read(_BINS_SIZE_AT, 4), "little")
        return outcome, replace_hive(hive, overlay, max(hive.size, _BASE_SIZE + bins))


def _open_logs(path: Path, *, writing: bool) -> Iterator[RawFile]:
    """Open the hive's logs that count: with a foreign one, its owner's pages would be replayed over the hive.

    Raises:
        ForeignFileError: there is one, and the hive is to be written.
    """
    for log in _logs_beside(path):
        try:
            yield _open_log(log, path)
        except ForeignFileError as error:
            if writing:
                raise
            tell_passed_over([error])


def _open_log(log: Path, hive: Path) -> RawFile:
    require_owner(log, [hive], kind=_LOG)
    file = RawFile(log, writable=False)
    try:
        require_owner(log, [hive], kind=_LOG, descriptor=file.fileno())
    except ForeignFileError:
        file.close()
        raise
    return file


def _logs_beside(path: Path) -> list[Path]:
    """The hive's logs, by any case of their names."""
    wanted = {path.name.casefold() + suffix for suffix in _LOGS}
    with os.scandir(path.parent) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if entry.name.casefold() in wanted and entry.is_file(follow_symlinks=False)
        )


def undo(options: Options) -> int:
    """Put back the hive file as it was before the newest change, or before all of them."""
    path = resolve(Path(options.images[0]))
    with RawFile(path, writable=not options.dry_run):
        backups = finished_backups(path)
        if not backups:
            raise JournalError(
                "there is no backup of this hive: bootgraft has not changed it",
                where=str(path),
                advice="Check the path; a backup is called NAME.bootgraft-N.DIGEST.bak and lies beside the hive",
                id="journal-missing",
            )
        gone = backups[::-1] if options.undo_all else backups[-1:]
        _require_unchanged(path, gone)
        if not options.dry_run:
            try:
                for _, _, backup in gone:
                    backup.replace(path)
                sync_folder(path.parent)
            except OSError as error:
                raise unwritable(path, error) from error
    _tell_undone(options, hive_records(path, gone), hive_records(path, backups[: -len(gone)]))
    return 0


def _require_unchanged(path: Path, backups: Sequence[tuple[int, str, Path]]) -> None:
    """Raise JournalError where the hive, or a backup that would take its place, is not what bootgraft wrote."""
    now = path
    for _, digest, backup in backups:
        if digest_of(now) != digest:
            raise JournalError(
                "the hive was changed since bootgraft wrote it; nothing was written",
                where=str(path),
                advice=f"Where the old hive is wanted all the same, copy {backup.name} over it",
                id="machine-ran-since",
            )
        now = backup


def _tell_undone(options: Options, taken: tuple[RecordDocument, ...], left: tuple[RecordDocument, ...]) -> None:
    summary = f"the change of {options.images[0]}" if len(taken) == 1 else f"all {len(taken)} changes"
    if options.json:
        put_json(UndoDocument(not options.dry_run, taken[0].journal, summary, taken, left))
    elif options.dry_run:
        answer(f"Dry run: {summary} can be reverted; nothing was written.\n", 0, options)
    elif left:
        many = len(left) > 1
        answer(
            f"Undone: {summary}; it is as it was before that change; {len(left)} earlier "
            f"{'changes are' if many else 'change is'} left.\n\n{history_text(left)}",
            0,
            options,
        )
    else:
        answer(f"Undone: {summary}; it is as it was before.\n", 0, options)


def _head(outcome: AnyOutcome, options: Options) -> Text:
    if not outcome.proven:
        return ()  # the text itself says why
    if options.dry_run:
        return (f"Dry run: {outcome.summary}, proven on an overlay; nothing was written.", "")
    return (PrintedLine(f"Done: {outcome.summary}, proven before written to {options.images[0]}.", tone=Tone.GOOD), "")


def _closing(options: Options, backup: Path | None) -> str:
    if backup is None:
        return ""
    command = shlex.join(["bootgraft", "undo", *options.images])
    return f"\nThe old hive is kept as {backup.name}.\nTo put it back:\n    {command}\n"
