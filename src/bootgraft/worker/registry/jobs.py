"""``reg``: the registry of an installation, or of a hive file by itself, without a running Windows."""

from collections.abc import Sequence

from bootgraft.events import Monitor
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.worker.ipc.job import AnyOutcome, Job
from bootgraft.worker.registry.hives import opened
from bootgraft.worker.registry.reading import Output, read
from bootgraft.worker.registry.writing import write


def run(
    job: Job, disks: Sequence[BlockDevice], logs: Sequence[BlockDevice], *, monitor: Monitor, output: Output
) -> AnyOutcome:
    """Do the job's registry request. ``logs`` are those of a hive file by itself. Raises the BootgraftError family."""
    request = job.request.registry
    if request is None:
        raise ValueError(job)
    if request.action.writes:
        return write(job, request, disks, logs, monitor)
    with opened(job, request, disks, logs, writable=False) as hives:
        return read(hives, request, output)
