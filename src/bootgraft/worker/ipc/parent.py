"""The parent's side: starts the child, serves it the devices' bytes, takes its overlay and its outcome."""

import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from bootgraft.errors import BootgraftError, ImageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.jsontext import from_json, to_json
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.channel import (
    MAX_READ,
    READ_REQUEST,
    RUN_HEAD,
    Channel,
    ChannelClosedError,
    Frame,
    decode_error,
    encode_error,
)
from bootgraft.worker.ipc.job import AnyOutcome, Job, outcome_form
from bootgraft.worker.ipc.process import signals_held, start

_NONSENSE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)
"""What decoding a frame raises where the child does not keep to the protocol."""
_PATIENCE = 5
"""Seconds for a child that hung up to end; an honest one needs none."""


class Worker:
    """A child process that waits for one job. Made early, it loads what it needs while the images are opened.

    It has nothing but its end of a socket pair, and a pipe to complain into: no image, no journal, no terminal.

    Raises:
        BootgraftError: it cannot be started.
    """

    def __init__(self) -> None:
        with ExitStack() as stack:
            with signals_held() as held:
                try:
                    ours, theirs = map(stack.enter_context, socket.socketpair())
                    self._process = start(theirs, held)
                except OSError as error:
                    raise _not_started(error) from error
                stack.callback(self._process.close)
                theirs.close()
            stack.pop_all()  # a signal that came meanwhile did not get here
        self._channel = Channel(ours)
        self._last_read: int | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child and reap it."""
        self._channel.close()
        self._process.close()

    def run(
        self,
        job: Job,
        devices: Sequence[BlockDevice],
        overlays: Sequence[Overlay],
        monitor: Monitor,
        output: Callable[[bytes], object] | None = None,
    ) -> AnyOutcome:
        """Have the child do the job on these devices; what it changed is written into ``overlays``, one per disk.

        ``output`` takes an answer that is too large for the outcome, piece by piece. What the child wrote to its
        standard error is told to ``monitor``: as a warning where it is at fault itself, as a note else.

        Raises the child's own BootgraftError, or ImageError where the child crashed on what it read or does not keep
        to the protocol.
        """
        its_fault = False
        try:
            return self._converse(job, devices, overlays, monitor, output)
        except ChannelClosedError as error:
            status = self._end_status()
            its_fault = status >= 0
            raise self._crash(job, status) from error
        except _NONSENSE as error:
            its_fault = True
            raise self._nonsense(job) from error
        except BootgraftError as error:
            its_fault = error.id == "bug"
            raise
        finally:
            said = self._process.complaint().rstrip()
            if said:
                kind = EventKind.WARNING if its_fault else EventKind.NOTE
                monitor(Event(kind, f"the process that reads volumes wrote:\n{said}"))

    def _converse(
        self,
        job: Job,
        devices: Sequence[BlockDevice],
        overlays: Sequence[Overlay],
        monitor: Monitor,
        output: Callable[[bytes], object] | None,
    ) -> AnyOutcome:
        self._channel.send(Frame.JOB, to_json(job).encode())
        form = outcome_form(job.request.operation)  # loaded while the child works
        while True:
            frame, payload = self._channel.receive()
            match frame:
                case Frame.READ:
                    self._serve(payload, devices)
                case Frame.EVENT:
                    monitor(from_json(payload, Event))
                case Frame.OUTPUT if output is not None:
                    output(payload)
                case Frame.RUN:
                    _take_run(payload, overlays)
                case Frame.DONE:
                    return from_json(payload, form)
                case Frame.FAULT:
                    raise decode_error(payload)
                case _:
                    raise ValueError(frame)

    def _serve(self, payload: bytes, devices: Sequence[BlockDevice]) -> None:
        number, offset, length = READ_REQUEST.unpack(payload)
        if number >= len(devices) or length > MAX_READ:
            raise ValueError(payload)
        self._last_read = number
        try:
            data = devices[number].read(offset, length)
        except BootgraftError as error:
            self._channel.send(Frame.FAULT, encode_error(error))
        else:
            self._channel.send(Frame.DATA, data)

    def _end_status(self) -> int:
        status = self._process.wait(_PATIENCE)
        return self._process.end() if status is None else status

    def _crash(self, job: Job, status: int) -> ImageError:
        what, advice = _explain_end(status)
        others = [each for each in _given(job) if each != self._read_last(job)]
        if self._last_read is not None and others:
            advice += f". It was read from last; open, too, was {', '.join(others)}"
        return ImageError(
            f"the process that reads its volumes {what}",
            where=self._read_last(job),
            advice=f"Nothing was written. {advice}",
            id="worker-failed",
        )

    def _nonsense(self, job: Job) -> ImageError:
        return ImageError(
            "the process that reads its volumes sent an invalid reply",
            where=self._read_last(job),
            advice="Nothing was written. Run the command again with --verbose and report what it says",
            id="worker-failed",
        )

    def _read_last(self, job: Job) -> str:
        """The image that was being read, as far as the parent knows; all that were given before the first read."""
        return ", ".join(_given(job)) if self._last_read is None else job.devices[self._last_read].location


def _given(job: Job) -> tuple[str, ...]:
    """All that the child reads, each once."""
    sources = (each.location for each in job.sources.drivers if each.device is None)
    files = (*sources, *job.sources.reg_files, *job.sources.driver_files)
    return tuple(dict.fromkeys((*(each.location for each in job.devices), *files)))


def _not_started(error: OSError) -> BootgraftError:
    return BootgraftError(
        f"the process that reads volumes cannot be started ({error.strerror})",
        where=sys.executable,
        advice="Raise the limits on processes, memory and open files ('ulimit -a' shows them), and try again",
        id="worker-failed",
    )


def _explain_end(status: int) -> tuple[str, str]:
    """What happened to a child that broke the protocol, and what to do about it."""
    if status >= 0:
        return f"ended with status {status}", "Report what it said above, or says with --verbose"
    if -status == signal.SIGKILL:
        return (
            "was killed (SIGKILL), as the kernel does when memory runs out",
            "Check whether dmesg says so, and run the command again with more memory free",
        )
    if -status == signal.SIGXCPU:
        return (
            "used up its processor time: structures that are damaged, or made for that, have no end",
            "Run the command again with --verbose to see what it was at, and check that volume with chkdsk on a copy",
        )
    if -status == signal.SIGSYS:
        return (
            "was killed (SIGSYS), as a filter of system calls does when a call is forbidden",
            "Have the service's or container's filter answer with an error instead (SystemCallErrorNumber=EPERM)",
        )
    return (
        f"was killed ({_signal_name(-status)}): a structure on them is damaged beyond what can be read",
        "Check the volume with chkdsk or `ntfsresize -f -i` on a copy",
    )


def _signal_name(number: int) -> str:
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number, f"signal {number}")


def _take_run(payload: bytes, overlays: Sequence[Overlay]) -> None:
    disk, offset, length, fill = RUN_HEAD.unpack_from(payload)
    data = payload[RUN_HEAD.size :]
    if disk >= len(overlays) or offset + length > overlays[disk].size or not -1 <= fill <= 0xFF:
        raise ValueError(payload[: RUN_HEAD.size])
    if len(data) != (length if fill < 0 else 0):
        raise ValueError(payload[: RUN_HEAD.size])
    if fill < 0:
        overlays[disk].write(offset, data)
    else:
        overlays[disk].fill(offset, length, fill)
