"""What the parent asks of the child, and what it gets back."""

from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from bootgraft.changes import EditVmFile, WitnessRange
from bootgraft.checks.symptom import Symptom
from bootgraft.repair.consent import Consent
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.base import Document
from bootgraft.report.layout.lines import Text
from bootgraft.targets.descriptions.hardware import BootOrder, Processor
from bootgraft.worker.ipc.drivers_request import DriversRequest
from bootgraft.worker.ipc.registry_request import RegistryRequest


class Operation(StrEnum):
    """What to do with the machine."""

    INSPECT = "inspect"
    CHECK = "check"
    REPAIR = "repair"
    DRIVERS = "drivers"
    REGISTRY = "registry"


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked.

    ``targets`` are controllers, ``windows`` names the installation that is meant, None for the one that boots.
    ``these_are_all_disks``: one that is named and was not given exists no more.
    ``detailed`` asks for the registry changes as ``.reg`` text, ``recommend`` for the lines of a description.
    ``add_system_partition``: one that was left behind may be made in free space.
    ``fix`` are ids of findings that are only offered to be repaired, ``skip`` of those to be left as they are.
    ``secure_boot`` is whether the new machine's firmware checks signatures, None where that was not said.
    ``symptom`` is what the screen shows, where findings are asked for that explain it.
    ``why`` asks for what the Windows recorded of its last starts.
    ``registry`` says what ``reg`` is to do, ``drivers`` what ``drivers`` is to do.
    """

    operation: Operation
    targets: tuple[str, ...] = ()
    windows: str | None = None
    these_are_all_disks: bool = False
    detailed: bool = False
    recommend: bool = False
    fix: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    add_system_partition: bool = False
    secure_boot: bool | None = None
    symptom: Symptom | None = None
    why: bool = False
    registry: RegistryRequest | None = None
    drivers: DriversRequest | None = None


class DriverSource(Struct, frozen=True, forbid_unknown_fields=True):
    """One source of drivers: an image, by its place among the job's devices, or else a path that the child opens."""

    location: str
    device: int | None = None


class GivenSources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where drivers and boot code are to be had.

    ``reg_files``, ``driver_files`` and the ``drivers`` that are no images are paths of ordinary files and folders,
    which the child opens for reading itself. The last ``boot_codes`` of a job's devices give boot code only.
    """

    drivers: tuple[DriverSource, ...] = ()
    reg_files: tuple[str, ...] = ()
    driver_files: tuple[str, ...] = ()
    boot_codes: int = 0


class DescribedMachine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the machine's description says.

    ``path`` is its file, ``named`` what the user said of its disks (``NAME=PATH``),
    ``firmware`` one of ``BIOS`` and ``UEFI``. ``secure_boot`` is None where it does not say.
    ``controllers`` says which target presents each disk, for want of targets that were asked for: the one with the
    Windows counts. ``places`` says where the description has each of the disks, ``sector_sizes`` how large (bytes) the
    sectors are that it presents. ``edit`` is to be committed with the changes to the disks.
    """

    path: str
    named: tuple[str, ...] = ()
    firmware: str | None = None
    secure_boot: bool | None = None
    controllers: tuple[str | None, ...] = ()
    places: tuple[str, ...] = ()
    sector_sizes: tuple[int | None, ...] = ()
    boot_order: BootOrder | None = None
    processor: Processor | None = None
    spare_processors: str = ""
    edit: EditVmFile | None = None


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One machine's work.

    The first ``disks`` of ``devices`` are the machine's disks in BIOS order; each further one is an image among the
    sources: the only disk of a donor, or a floppy.
    """

    request: Request
    devices: tuple[DeviceSpec, ...]
    disks: int
    consent: Consent = Consent()
    sources: GivenSources = GivenSources()
    described: DescribedMachine | None = None

    @property
    def images(self) -> tuple[DeviceSpec, ...]:
        """The machine's disks."""
        return self.devices[: self.disks]

    @property
    def driver_donors(self) -> tuple[DeviceSpec, ...]:
        """The donors that may have a driver."""
        return self.devices[self.disks : len(self.devices) - self.sources.boot_codes]

    @property
    def secure_boot(self) -> bool | None:
        """Whether the new machine's firmware checks signatures: as was said, or else as its description says."""
        if self.request.secure_boot is not None or self.described is None:
            return self.request.secure_boot
        return self.described.secure_boot

    @property
    def location(self) -> str:
        """What the work is about, for messages."""
        return self.devices[0].location if self.devices else ", ".join(each.location for each in self.sources.drivers)


Answer_co = TypeVar("Answer_co", bound=Document | None, covariant=True)


class Outcome(Struct, Generic[Answer_co], frozen=True, forbid_unknown_fields=True):
    """What came of a job.

    ``status`` is the exit status it asks for, ``document`` what ``--json`` prints, None where the output is the answer;
    ``text`` is the same for people. ``proven`` says that the overlay holds changes that passed the proof and may be
    committed.
    """

    status: Literal[0, 1]
    document: Answer_co
    text: Text
    proven: bool = False
    summary: str = ""
    witnesses: tuple[WitnessRange, ...] = ()


AnyOutcome = Outcome[Document | None]


def outcome_form(operation: Operation) -> type[Outcome[Any]]:
    """What may come of an operation, with a document that answers it; few documents are loaded for any one."""
    match operation:
        case Operation.INSPECT:
            from bootgraft.report.documents.machine import InspectDocument

            return Outcome[InspectDocument]
        case Operation.CHECK:
            from bootgraft.report.documents.verdict import CheckDocument

            return Outcome[CheckDocument]
        case Operation.REPAIR:
            from bootgraft.report.documents.changing import RepairDocument

            return Outcome[RepairDocument]
        case Operation.DRIVERS:
            from bootgraft.report.documents.drivers import HarvestDocument, KitDocument, ListDocument, ShowDocument

            return Outcome[ListDocument | ShowDocument | HarvestDocument | KitDocument]
        case Operation.REGISTRY:
            from bootgraft.report.documents.registry import EditDocument, ExportDocument, QueryDocument, VerifyDocument

            return Outcome[EditDocument | ExportDocument | QueryDocument | VerifyDocument | None]
