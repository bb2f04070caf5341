"""What a Python program may use: the commands of the command line as calls, which give the documents of ``--json``.

Each call opens the images, does its work in the same two processes as the command, and closes them again: between two
calls nothing is open or locked, and the machine may be started. Nothing is printed, no signal handler is installed, and
nothing is kept between machines, so that different machines may be worked on in different threads.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from bootgraft.cli.options import Options
from bootgraft.events import Monitor, silent
from bootgraft.worker.ipc.job import Operation

if TYPE_CHECKING:  # each call loads the one that it gives
    from bootgraft.report.documents.changing import HistoryDocument, RepairDocument, ResumeDocument, UndoDocument
    from bootgraft.report.documents.machine import InspectDocument
    from bootgraft.report.documents.verdict import CheckDocument

StrPath = str | os.PathLike[str]
Form = TypeVar("Form")


class RepairWishes(TypedDict, total=False):
    """What a plan or a repair may be given; each is the option of ``repair`` of the same name.

    ``reset_journal`` and ``discard_hibernation`` are consents to a loss.
    """

    drivers: StrPath | Sequence[StrPath]
    reg: StrPath | Sequence[StrPath]
    file: StrPath | Sequence[StrPath]
    boot_code: StrPath | Sequence[StrPath]
    fix: str | Sequence[str]
    skip: str | Sequence[str]
    add_system_partition: bool
    reset_journal: bool
    discard_hibernation: bool
    isolate: bool
    recommend: bool


def open_machine(
    images: StrPath | Sequence[StrPath] = (),
    *,
    vm: StrPath | None = None,
    disks: Mapping[str, StrPath] | None = None,
    format: str | None = None,  # noqa: A002  what the option is called
    allow_paths: Sequence[StrPath] = (),
    journal: StrPath | None = None,
    windows: str | None = None,
    these_are_all_disks: bool = False,
    secure_boot: bool | None = None,
    timeout: float | None = None,
    monitor: Monitor = silent,
) -> "OfflineMachine":
    """Name a machine by its disks, in BIOS order, or by its description ``vm``; nothing is opened yet.

    ``disks`` says where disks of the description are, by their names in it; the other arguments are the options of the
    same names. ``timeout`` is in seconds, for each call. ``monitor`` is given every event: steps, progress, warnings.
    """
    options = Options(
        command="inspect",
        images=_paths(images),
        vm=_path(vm),
        disk=tuple(f"{name}={os.fspath(path)}" for name, path in (disks or {}).items()),
        format=format,
        allow_path=tuple(map(Path, _paths(allow_paths))),
        journal=_path(journal),
        windows=windows,
        these_are_all_disks=these_are_all_disks,
        secure_boot={None: None, True: "on", False: "off"}[secure_boot],
        timeout=timeout,
    )
    return OfflineMachine(options, monitor)


class OfflineMachine:
    """The disks of one machine that does not run; see :func:`open_machine`.

    Every call raises a BootgraftError where it cannot be done: what is wrong, where, what to do, and an ``id``.
    """

    def __init__(self, options: Options, monitor: Monitor) -> None:
        self._options = options
        self._monitor = monitor

    def inspect(self) -> "InspectDocument":
        """What is on the disks, and what each Windows recorded of its last starts."""
        from bootgraft.cli.inspect import look
        from bootgraft.report.documents.machine import InspectDocument

        with self._asked("inspect") as options:
            return _expect(InspectDocument, look(options, Operation.INSPECT, self._monitor).document)

    def check(
        self, *targets: str, symptom: str | None = None, why: bool = False, recommend: bool = False
    ) -> "CheckDocument":
        """Whether it would boot on the target; on all of them where none is given and no description names one."""
        from bootgraft.cli.check import checked
        from bootgraft.cli.inspect import look
        from bootgraft.report.documents.verdict import CheckDocument

        with self._asked("check", targets=targets, symptom=symptom, why=why, recommend=recommend) as options:
            return _expect(CheckDocument, look(checked(options), Operation.CHECK, self._monitor).document)

    def plan(self, *targets: str, **wishes: Unpack[RepairWishes]) -> "RepairDocument":
        """What a repair would change, proven on an overlay; nothing is written."""
        return self._repair(targets, wishes, dry_run=True)

    def repair(self, *targets: str, overlay: StrPath | None = None, **wishes: Unpack[RepairWishes]) -> "RepairDocument":
        """Make it boot: plan, prove and commit. ``committed`` says whether anything was written."""
        return self._repair(targets, wishes, overlay=_path(overlay))

    def _repair(self, targets: Sequence[str], wishes: RepairWishes, **more: Any) -> "RepairDocument":
        from bootgraft.cli.repair import repair
        from bootgraft.report.documents.changing import RepairDocument

        given = {name: each if isinstance(each, bool) else _paths(each) for name, each in wishes.items()}
        with self._asked("repair", targets=targets, **given, **more) as options:
            return _expect(RepairDocument, repair(options, self._monitor).document())

    def resume(self) -> "ResumeDocument":
        """Finish a repair that was interrupted."""
        from bootgraft.cli.undo import resumed

        with self._asked("repair", resume=True) as options:
            return resumed(options, self._monitor)[0]

    def undo(self, *, all: bool = False, dry_run: bool = False) -> "UndoDocument":  # noqa: A002  the option's name
        """Revert the newest change, or ``all``; with ``dry_run`` see whether that is possible."""
        from bootgraft.cli.undo import revert

        with self._asked("undo", undo_all=all, dry_run=dry_run) as options:
            return revert(options, self._monitor).document(done=not dry_run)

    def history(self) -> "HistoryDocument":
        """What was changed on these disks, the oldest first."""
        from bootgraft.cli.history import journals_of, record_of
        from bootgraft.report.documents.changing import HistoryDocument

        with self._asked("history") as options:
            return HistoryDocument(tuple(map(record_of, journals_of(options, self._monitor))))

    @contextmanager
    def _asked(self, command: str, **given: Any) -> Iterator[Options]:
        """The options of a command, with what the machine's description says, while its time runs."""
        from bootgraft.cli.images.vm import apply_vm_description
        from bootgraft.storage.devices.patience import limited

        options = replace(self._options, command=command, **given)
        with limited(options.timeout):
            yield apply_vm_description(options, self._monitor)


def _expect(form: type[Form], document: object) -> Form:
    if not isinstance(document, form):
        raise TypeError(document)
    return document


def _path(path: StrPath | None) -> Path | None:
    return None if path is None else Path(path)


def _paths(paths: Any) -> tuple[str, ...]:
    """One path or several: a text alone is one, and not a sequence of letters."""
    return tuple(map(os.fspath, [paths] if isinstance(paths, str | os.PathLike) else paths))
