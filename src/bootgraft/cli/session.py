"""One command's hold on its images: opened, locked, served to the worker, and closed whatever happens."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from bootgraft.cli.options import Options
from bootgraft.cli.repeated import refuse_repeated
from bootgraft.errors import ReadOnlyError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.imageinfo import ImageFormat, ImageInfo
from bootgraft.storage.images import OpenImage, find_children, identify, open_image
from bootgraft.storage.journalsearch import require_no_unfinished
from bootgraft.storage.overlay import Overlay
from bootgraft.worker.job import Job, Operation, Outcome
from bootgraft.worker.parent import Worker


class Session:
    """The images of one machine and its donors, and the child process that reads them.

    A context manager. ``writable`` opens the machine's disks for writing in place; donors are only ever read.
    """

    def __init__(self, options: Options, *, writable: bool, monitor: Monitor) -> None:
        self._options = options
        self._writable = writable
        self._monitor = monitor
        self._stack = ExitStack()
        self.images: tuple[OpenImage, ...] = ()
        self.overlays: tuple[Overlay, ...] = ()
        self._donors: tuple[OpenImage, ...] = ()

    def __enter__(self) -> Self:
        refuse_repeated(self._options)
        with ExitStack() as stack:
            # First, so that its interpreter loads while the images are opened; and it holds none of them.
            self._worker = stack.enter_context(Worker())
            require_no_unfinished(self._options.images, self._options.journal)
            self.images = tuple(stack.enter_context(self._open(each)) for each in self._options.images)
            self._donors = tuple(stack.enter_context(self._open_donor(each)) for each in self._options.drivers)
            self.overlays = tuple(Overlay(image.device) for image in self.images)
            for overlay in self.overlays:
                stack.callback(overlay.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def run(self, operation: Operation) -> Outcome:
        """Have the worker do the command's job; what it changed stands in :attr:`overlays`."""
        opened = (*self.images, *self._donors)
        job = Job(
            operation,
            tuple(_spec(image) for image in opened),
            len(self.images),
            self._options.targets,
            self._options.reg,
            self._options.file,
            self._options.windows,
            self._options.dry_run or self._options.verbose,
        )
        devices = [image.device for image in opened]
        return self._worker.run(job, devices, self.overlays, self._monitor)

    def _open(self, location: str) -> OpenImage:
        chosen = None if self._options.format is None else ImageFormat(self._options.format)
        info = identify(location, format=chosen, allow_paths=self._options.allow_path)
        if self._writable:
            refuse_unwritable(info)
        return open_image(info, writable=self._writable)

    def _open_donor(self, location: str) -> OpenImage:
        return open_image(identify(location, allow_paths=self._options.allow_path), writable=False)


def _spec(image: OpenImage) -> DeviceSpec:
    info = image.info
    return DeviceSpec(info.location, f"{info.format.value} {info.subformat}".rstrip(), image.device.size)


def tell_notes(images: Iterable[OpenImage], monitor: Monitor) -> None:
    """Warn of what the user should know of images that are about to be written."""
    for image in images:
        for note in image.info.notes:
            monitor(Event(EventKind.WARNING, f"{image.info.location}: {note}"))


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
            f"{_names(children)} built on it: writing to it would make {'them' if len(children) > 1 else 'it'} useless",
            where=info.location,
            advice=advice,
        )


def _names(children: Sequence[object]) -> str:
    shown = ", ".join(str(child) for child in children[:3])
    more = f" and {len(children) - 3} more" if len(children) > 3 else ""
    return f"{shown}{more} {'is' if len(children) == 1 else 'are'}"
