"""One machine's work, start to end: a synchronous, re-entrant call on block devices.

All writing goes to the devices it is given, which are overlays; whether anything reaches an image is decided by
whoever called, and only when the outcome says that it is proven.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bootgraft.boot.chain import follow
from bootgraft.boot.steps import Step
from bootgraft.errors import BootgraftError
from bootgraft.events import Monitor
from bootgraft.machine import Machine
from bootgraft.report.document import inspect_document
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.inspect_text import inspect_text
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.worker.ipc.job import AnyOutcome, Job, Operation, Outcome
from bootgraft.worker.survey import read_target, windows_targets

BOOTS: Final = 0
DOES_NOT_BOOT: Final = 1


def _dropped(_data: bytes) -> None:
    """Take an answer that nobody wants."""


def run_job(
    job: Job,
    disks: Sequence[BlockDevice],
    donors: Sequence[BlockDevice],
    *,
    monitor: Monitor,
    output: Callable[[bytes], None] = _dropped,
) -> AnyOutcome:
    """Do the job on the machine whose disks these are, in BIOS order.

    ``output`` takes an answer that may be too large for the outcome: what ``reg query`` and ``export`` read.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    match job.request.operation:
        case Operation.INSPECT:
            return _inspect(job, disks)
        case Operation.CHECK:
            from bootgraft.worker.checking import check

            return check(job, disks)
        case Operation.REPAIR:
            from bootgraft.worker.repairing import repair  # most jobs only look

            return repair(job, disks, donors, monitor=monitor)
        case Operation.DRIVERS:
            from bootgraft.worker.drivers.jobs import run as run_drivers

            return run_drivers(job, disks, donors, output=output)
        case Operation.REGISTRY:
            from bootgraft.worker.registry.jobs import run as run_registry

            return run_registry(job, disks, donors, monitor=monitor, output=output)


def _inspect(job: Job, disks: Sequence[BlockDevice]) -> Outcome[InspectDocument]:
    with Machine.read(disks, writable=False) as machine:
        chain = follow(machine)
        windows, unreadable = [], []
        for target in windows_targets(chain):
            try:
                windows.append(read_target(target, default_boot=target is chain.default))
            except BootgraftError as error:  # one damaged installation must not hide the others
                unreadable.append(str(error))
        unreadable += chain.notes
        steps = (*chain.steps, *_start_steps(windows))
        document = inspect_document(machine, job.images, windows, steps, unreadable, _records(windows))
        return Outcome(BOOTS, document, inspect_text(document))


def _records(windows: Sequence[Installation]) -> tuple[RecordsDocument, ...]:
    """What each of them recorded of its last starts."""
    from bootgraft.report.records import records_document
    from bootgraft.windows.events.guest_records import read_records

    return tuple(records_document(each.id, read_records(each)) for each in windows)


def _start_steps(windows: Sequence[Installation]) -> tuple[Step, ...]:
    """The links of the chain that lie inside the Windows that boots."""
    from bootgraft.boot.start import start_steps

    default = next((each for each in windows if each.default_boot), None)
    if default is None:
        return ()
    try:
        return start_steps(default, open_hive(default, "SYSTEM"))
    except BootgraftError as error:
        return (Step("the start of Windows cannot be followed", error.where, error.what, holds=False),)
