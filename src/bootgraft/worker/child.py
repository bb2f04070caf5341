"""The child process: takes one job from its parent's socket, does it, hands back the overlay and the outcome."""

import os
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path

from bootgraft.confinement.limits import limit, limit_memory
from bootgraft.confinement.reader import confine
from bootgraft.errors import BootgraftError
from bootgraft.events import Event, EventKind
from bootgraft.jsontext import from_json, to_json
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.devices.readcache import LIMIT, ReadCache
from bootgraft.worker.ipc.channel import (
    MAX_READ,
    RUN_HEAD,
    Channel,
    ChannelClosedError,
    Frame,
    ProxyDevice,
    encode_error,
)
from bootgraft.worker.ipc.job import GivenSources, Job, Operation

_MOUNTING_ONCE = frozenset({Operation.INSPECT, Operation.CHECK, Operation.DRIVERS})

CPU_LIMIT = 120
"""Seconds of processor time. The work needs under one, a repair some 0.02 for each MB of a hive beyond that; to read
3,000 INFs in an ISO takes one (benchmarks/results.md), and one pass over an archive is given thirty. The bound is for
structures made to loop."""
CPU_GRACE = 5

FILE_LIMIT = 16 * 2**30
"""Bytes of the overlay's temporary file, the only one that it has open for writing."""
DESCRIPTORS = 256


def serve(endpoint: int) -> int:
    """Do the job that comes through the socket with this number; returns the process's exit status."""
    os.closerange(3, endpoint)
    os.closerange(endpoint + 1, os.sysconf("SC_OPEN_MAX"))
    limit_memory()
    limit(resource.RLIMIT_CPU, CPU_LIMIT, grace=CPU_GRACE)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, FILE_LIMIT)
    limit(resource.RLIMIT_NOFILE, DESCRIPTORS)
    limit(resource.RLIMIT_NPROC, 0)
    channel = Channel(socket.socket(fileno=endpoint))
    try:
        _work(channel)
    except ChannelClosedError:
        return 1  # the parent is gone: nobody is left to tell
    return 0


def _work(channel: Channel) -> None:
    # Loaded while the parent still opens its images.
    from bootgraft.worker.operations import run_job

    _, payload = channel.receive()
    job = from_json(payload, Job)
    devices = [_device(channel, job, number) for number in range(len(job.devices))]
    overlays = [Overlay(device) for device in devices[: job.disks]]
    for overlay in overlays:
        overlay.open_spool()
    sys.dont_write_bytecode = True  # in the cage it cannot be written
    try:
        # From here on hostile bytes are read.
        for shortfall in confine(_paths(job.sources)):
            _report(channel, Event(EventKind.NOTE, shortfall))
        outcome = run_job(
            job,
            overlays,
            devices[job.disks :],
            monitor=lambda event: _report(channel, event),
            output=lambda data: _send_output(channel, data),
        )
        for number, overlay in enumerate(overlays):
            _hand_over(channel, number, overlay)
    except ChannelClosedError:
        raise
    except BootgraftError as error:
        channel.send(Frame.FAULT, encode_error(error))
    except Exception as error:  # noqa: BLE001  the one boundary: whatever happens to one image ends as one clear error
        import traceback

        with suppress(BlockingIOError):  # the pipe is full of what a library said
            traceback.print_exc()
        channel.send(Frame.FAULT, encode_error(_bug(job, error)))
    else:
        channel.send(Frame.DONE, to_json(outcome).encode())


def _device(channel: Channel, job: Job, number: int) -> BlockDevice:
    """A device of the parent's; what is read of it is kept where it is mounted more than once."""
    spec = job.devices[number]
    proxy = ProxyDevice(channel, number, spec.size, spec.location)
    if job.request.operation in _MOUNTING_ONCE:
        return proxy
    return ReadCache(proxy, limit=LIMIT // len(job.devices))


def _paths(sources: GivenSources) -> tuple[str, ...]:
    """The files and folders that the job opens itself; an INF stands for its folder."""
    drivers = (source.location for source in sources.drivers if source.device is None)
    folders = (str(Path(each).parent) if each.casefold().endswith(".inf") else each for each in drivers)
    return (*folders, *sources.reg_files, *sources.driver_files)


def _report(channel: Channel, event: Event) -> None:
    channel.send(Frame.EVENT, to_json(event).encode())


def _send_output(channel: Channel, data: bytes) -> None:
    for at in range(0, len(data), MAX_READ):
        channel.send(Frame.OUTPUT, data[at : at + MAX_READ])


def _hand_over(channel: Channel, number: int, overlay: Overlay) -> None:
    for run in overlay.runs():
        if run.fill is not None:
            channel.send(Frame.RUN, RUN_HEAD.pack(number, run.offset, run.length, run.fill))
        else:
            data = overlay.read(run.offset, run.length)  # a run of data is short: see overlay.MAX_RUN
            channel.send(Frame.RUN, RUN_HEAD.pack(number, run.offset, run.length, -1), data)


def _bug(job: Job, error: Exception) -> BootgraftError:
    return BootgraftError(
        f"bootgraft itself failed on it ({type(error).__name__}: {error})",
        where=job.location,
        advice="Nothing was written. Please report this with the lines above",
    )


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1])))
