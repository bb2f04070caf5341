"""What the parent asks of the child, and what it gets back."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bootgraft.report.device import DeviceSpec

if TYPE_CHECKING:  # only a repair has the first, only `reg` the second
    from bootgraft.changes import EditVmFile, WitnessRange
    from bootgraft.worker.drivers_request import DriversRequest
    from bootgraft.worker.registry_request import RegistryRequest


class Operation(StrEnum):
    """What to do with the machine."""

    INSPECT = "inspect"
    CHECK = "check"
    REPAIR = "repair"
    DRIVERS = "drivers"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class DriverSource:
    """One source of drivers: an image, by its place among the job's devices, or else a path that the child opens."""

    location: str
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One machine's work.

    The first ``disks`` of ``devices`` are the machine's disks in BIOS order; each further one is an image among the
    driver sources (the only disk of a donor, or a floppy), the last ``boot_codes`` of them disks that give boot code
    only. ``reg_files``, ``driver_files`` and the other ``sources`` are paths of ordinary files and
    folders, which the child opens for reading itself. ``detailed`` asks for the registry changes as ``.reg`` text.
    ``registry`` says what ``reg`` is to do, ``drivers`` what ``drivers`` is to do.
    ``reset_journal`` and ``discard_hibernation`` are what the user consents to lose (see :mod:`.consent`).

    ``vm_path`` is the machine's description, ``vm_firmware`` what it says of the firmware (``BIOS``, ``UEFI``).
    ``controllers`` says which target presents each disk, for want of ``targets``: the one with the Windows counts.
    ``vm_edit`` is to be committed with the changes to the disks; ``recommend`` asks for the lines of a description.
    """

    operation: Operation
    devices: tuple[DeviceSpec, ...]
    disks: int
    targets: tuple[str, ...] = ()
    reg_files: tuple[str, ...] = ()
    driver_files: tuple[str, ...] = ()
    windows: str | None = None
    detailed: bool = False
    registry: "RegistryRequest | None" = None
    reset_journal: bool = False
    discard_hibernation: bool = False
    boot_codes: int = 0
    sources: tuple[DriverSource, ...] = ()
    drivers: "DriversRequest | None" = None
    vm_path: str = ""
    vm_firmware: str | None = None
    controllers: tuple[str | None, ...] = ()
    vm_edit: "EditVmFile | None" = None
    recommend: bool = False

    @property
    def driver_donors(self) -> tuple[DeviceSpec, ...]:
        """The donors that may have a driver."""
        return self.devices[self.disks : len(self.devices) - self.boot_codes]

    @property
    def location(self) -> str:
        """What the work is about, for messages."""
        return self.devices[0].location if self.devices else ", ".join(each.location for each in self.sources)

    def to_json(self) -> bytes:
        """The job as a frame's payload."""
        return json.dumps(asdict(self), default=_latin_1).encode()

    @staticmethod
    def from_json(payload: bytes) -> "Job":
        """The job in a frame's payload, which comes from our own parent."""
        fields = json.loads(payload)
        fields["operation"] = Operation(fields["operation"])
        fields["devices"] = tuple(DeviceSpec(**device) for device in fields["devices"])
        for name in ("targets", "reg_files", "driver_files", "controllers"):
            fields[name] = tuple(fields[name])
        fields["sources"] = tuple(DriverSource(**source) for source in fields["sources"])
        if fields["drivers"] is not None:
            from bootgraft.worker.drivers_request import DriversRequest

            fields["drivers"] = DriversRequest.from_fields(fields["drivers"])
        if fields["vm_edit"] is not None:
            fields["vm_edit"] = _vm_edit(**fields["vm_edit"])
        if fields["registry"] is not None:
            from bootgraft.worker.registry_request import RegistryRequest

            fields["registry"] = RegistryRequest.from_fields(fields["registry"])
        return Job(**fields)


def _latin_1(item: object) -> str:
    """Bytes as JSON can hold them."""
    if not isinstance(item, bytes):
        raise TypeError(item)
    return item.decode("latin-1")


def _vm_edit(path: str, cards: list[str], plugged: bool, before: str, data: str) -> "EditVmFile":  # noqa: FBT001
    from bootgraft.changes import EditVmFile

    return EditVmFile(path, tuple(cards), plugged, before.encode("latin-1"), data.encode("latin-1"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    ``status`` is the exit status it asks for, ``document`` the JSON of the command's contract, ``text`` the same for
    people. ``proven`` says that the overlay holds changes that passed the proof and may be committed.
    """

    status: int
    document: str
    text: str
    proven: bool = False
    summary: str = ""
    witnesses: tuple["WitnessRange", ...] = ()

    def to_json(self) -> bytes:
        """The outcome as a frame's payload."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def from_json(payload: bytes) -> "Outcome":
        """The outcome in a frame's payload; TypeError, KeyError, AttributeError or ValueError where it is none."""
        fields = json.loads(payload)
        witnesses = tuple(_witness(**witness) for witness in fields.pop("witnesses"))
        fields["document"] = json.dumps(json.loads(fields["document"]))  # whatever it was, now it is plain JSON
        outcome = Outcome(**fields, witnesses=witnesses)
        texts = (outcome.document, outcome.text, outcome.summary)
        if not all(isinstance(each, str) for each in texts) or type(outcome.proven) is not bool:
            raise ValueError(payload[:80])
        if type(outcome.status) is not int or outcome.status not in (0, 1):
            raise ValueError(outcome.status)
        return outcome


def _witness(disk: int, offset: int, length: int) -> "WitnessRange":
    from bootgraft.changes import WitnessRange

    if not all(type(each) is int and each >= 0 for each in (disk, offset, length)):
        raise ValueError(disk)
    return WitnessRange(disk, offset, length)
