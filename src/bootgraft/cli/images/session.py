"""One command's hold on its images: opened, locked, served to the worker, and closed whatever happens."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bootgraft.checks.symptom import Symptom
from bootgraft.cli.options import Options
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.repair.consent import Consent
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.job import AnyOutcome, DescribedMachine, DriverSource, GivenSources, Job, Operation, Request
from bootgraft.worker.ipc.parent import Worker

if TYPE_CHECKING:  # loaded beside the child
    from bootgraft.storage.images.opening import OpenImage


_SECURE_BOOT = {"on": True, "off": False}


class Session:
    """The images of one machine and its driver sources, and the child process that reads them.

    A context manager. ``writable`` opens the machine's disks for writing in place; sources are only ever read.
    """

    def __init__(self, options: Options, *, writable: bool, monitor: Monitor) -> None:
        self._options = options
        self._writable = writable
        self._monitor = monitor
        self._stack = ExitStack()
        self.images: tuple[OpenImage, ...] = ()
        self.overlays: tuple[Overlay, ...] = ()
        self._sources: tuple[tuple[str, OpenImage | None], ...] = ()
        self._boot_code: tuple[OpenImage, ...] = ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # First: its interpreter loads while this one loads what opens images, and opens them. It holds none.
            self._worker = stack.enter_context(Worker())
            from bootgraft.cli.images import opening

            opening.refuse_before_opening(self._options)
            opening.tell_of_clouds(self._options, self._monitor)
            monitor = self._monitor
            self.images = opening.open_machine(self._options, stack, monitor, writable=self._writable)
            self._sources = tuple(opening.open_sources(self._options, stack, monitor))
            self._boot_code = tuple(opening.open_boot_code(self._options, stack, monitor))
            self.overlays = tuple(Overlay(image.device) for image in self.images)
            sources = [image for _, image in self._sources if image is not None]
            tell_open((*self.images, *sources, *self._boot_code), self._monitor)
            for overlay in self.overlays:
                stack.callback(overlay.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def run(self, operation: Operation, output: Callable[[bytes], object] | None = None) -> AnyOutcome:
        """Have the worker do the command's job; what it changed stands in :attr:`overlays`.

        ``output`` takes what ``reg`` reads, piece by piece.
        """
        opened = [*self.images]
        sources = []
        for location, image in self._sources:
            sources.append(DriverSource(location, None if image is None else len(opened)))
            opened += [] if image is None else [image]
        opened += self._boot_code
        job = Job(
            request=Request(
                operation=operation,
                targets=self._options.targets,
                windows=self._options.windows,
                these_are_all_disks=self._options.these_are_all_disks,
                detailed=self._options.dry_run or self._options.verbose,
                recommend=self._options.recommend,
                why=self._options.why,
                symptom=None if self._options.symptom is None else Symptom(self._options.symptom),
                fix=self._options.fix,
                skip=self._options.skip,
                add_system_partition=self._options.add_system_partition,
                secure_boot=_SECURE_BOOT.get(self._options.secure_boot or ""),
                registry=self._options.registry,
                drivers=self._options.drivers_request,
            ),
            devices=tuple(_spec(image) for image in opened),
            disks=len(self.images),
            consent=Consent(
                reset_journal=self._options.reset_journal, discard_hibernation=self._options.discard_hibernation
            ),
            sources=GivenSources(
                drivers=tuple(sources),
                reg_files=self._options.reg,
                driver_files=self._options.file,
                boot_codes=len(self._options.boot_code),
            ),
            described=_described(self._options),
        )
        devices = [image.device for image in opened]
        return self._worker.run(job, devices, self.overlays, self._monitor, output)


def _described(options: Options) -> DescribedMachine | None:
    description = options.description
    if description is None:
        return None
    return DescribedMachine(
        path=str(description.path),
        named=options.disk,
        firmware=None if description.firmware is None else description.firmware.value,
        secure_boot=description.secure_boot,
        controllers=options.controllers,
        places=options.places,
        sector_sizes=options.sector_sizes,
        boot_order=description.boot_order,
        processor=description.processor,
        spare_processors=description.spare_processors,
        edit=options.vm_edit,
    )


def _spec(image: "OpenImage") -> DeviceSpec:
    info = image.info
    return DeviceSpec(
        info.location, f"{info.format.value} {info.subformat}".rstrip(), image.device.size, info.sector_size
    )


def tell_open(images: Iterable["OpenImage"], monitor: Monitor) -> None:
    """Warn of lock signs beside images that do not count; note what could not be asked of who else uses them.

    What is known of those that are only read is noted too.
    """
    for image in images:
        for text in image.passed_over:
            monitor(Event(EventKind.WARNING, f"{image.info.location}: {text}"))
        for note in (*image.unasked, *(() if image.writable else image.info.notes)):
            monitor(Event(EventKind.NOTE, f"{image.info.location}: {note}"))


def tell_notes(images: Iterable["OpenImage"], monitor: Monitor) -> None:
    """Warn of what the user should know of images that are about to be written."""
    for image in images:
        for note in image.info.notes:
            monitor(Event(EventKind.WARNING, f"{image.info.location}: {note}"))
