"""One machine's work, start to end: a synchronous, re-entrant call on block devices.

All writing goes to the devices it is given, which are overlays; whether anything reaches an image is decided by
whoever called, and only when the outcome says that it is proven.
"""

from collections.abc import Callable, Sequence

from bootgraft.events import Monitor
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.worker.checking import check
from bootgraft.worker.ipc.job import AnyOutcome, Job, Operation


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
            from bootgraft.worker.inspecting import inspect

            return inspect(job, disks)
        case Operation.CHECK:
            return check(job, disks)
        case Operation.REPAIR:
            from bootgraft.worker.repairing import repair  # most jobs only look

            return repair(job, disks, donors, monitor=monitor)
        case Operation.DRIVERS:
            from bootgraft.worker.drivers.jobs import run as run_drivers

            return run_drivers(job, disks, donors, monitor=monitor, output=output)
        case Operation.REGISTRY:
            from bootgraft.worker.registry.jobs import run as run_registry

            return run_registry(job, disks, donors, monitor=monitor, output=output)
