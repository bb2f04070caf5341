"""``bootgraft repair``: plan, prove on the overlay, commit under the journal."""

import shlex

from bootgraft.cli.images.destination import Written, check_destination, is_in_place
from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.errors import UsageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.report.layout.lines import PrintedLine, Text, Tone, lines_of
from bootgraft.worker.ipc.job import Operation


def run(options: Options) -> int:
    """Repair the machine; returns 0 where it now boots, 1 where nothing was written or something is left to do outside
    the image.
    """
    if options.resume:
        from bootgraft.cli.undo import resume

        return resume(options)
    written = repair(options, monitor_for(options))
    _print(written, options)
    return written.outcome.status


def repair(options: Options, monitor: Monitor) -> Written:
    """Plan, prove and commit what the options ask for."""
    _check_options(options)
    if options.verbose:  # it costs a question to the package manager
        _tell_outdated(monitor)
    with Session(options, writable=is_in_place(options), monitor=monitor) as session:
        from bootgraft.cli.images.writing import run_and_write

        return run_and_write(session, options, monitor, lambda: session.run(Operation.REPAIR))


def _tell_outdated(monitor: Monitor) -> None:
    """Say what the library lacks, or may lack, that is going to read the volumes."""
    from bootgraft.filesystems.ntfs.version import library_version, warning_of

    warning = warning_of(library_version() or "")
    if warning is not None:
        monitor(Event(EventKind.NOTE, f"libntfs-3g, which reads the volumes: {warning}; see `bootgraft doctor`"))


def _check_options(options: Options) -> None:
    if not options.targets and not options.controllers:
        raise UsageError(
            "repair needs to know which controller the machine will have",
            where="--target",
            advice="Give --target HYPERVISOR:CONTROLLER, as vmware:lsilogic, or --vm with the machine's description.\n"
            f"To see what it takes on each target, run:\n    {shlex.join(['bootgraft', 'check', *options.images])}",
            id="target-missing",
        )
    if options.drivers and (options.reg or options.file):
        raise UsageError(
            "--drivers and --reg are two ways to give the driver",
            where="--reg",
            advice="Give a driver package or a donor's disk image, or the .reg and .sys files exported from one",
        )
    if options.file and not options.reg:
        raise UsageError("--file goes with --reg", where="--file", advice="Give the driver's exported .reg file too")
    if options.overlay and options.vm_edit is not None:
        raise UsageError(
            "--isolate edits the machine's description, which goes on naming the image and not the overlay",
            where="--isolate",
            advice="Leave one of the two out",
        )
    if options.fix or options.skip:
        from bootgraft.cli.findings.finding_ids import check_ids

        check_ids(options.fix, options.skip)
    check_destination(options)


def _print(written: Written, options: Options) -> None:
    if options.json:
        put_json(written.document())
        return
    outcome = written.outcome
    text = (*_head(written, options), *outcome.text, *lines_of(written.closing(options)))
    answer(text, outcome.status, options)


def _head(written: Written, options: Options) -> Text:
    outcome = written.outcome
    if not outcome.proven:
        return ()  # the text itself says that nothing was written
    rest = "" if outcome.status == 0 else " It does not boot before the rest is done, outside the image (see below)."
    if options.dry_run:
        result = "would make it boot" if outcome.status == 0 else "would repair the image"
        head = f"Dry run: {outcome.summary} {result}; proven on an overlay, nothing was written.{rest}"
    else:
        head = f"Repaired: {outcome.summary}, proven before written to {written.places(options)}.{rest}"
    return (PrintedLine(head, tone=Tone.GOOD if outcome.status == 0 else Tone.OPEN), "")
