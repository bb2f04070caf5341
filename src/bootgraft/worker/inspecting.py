"""``inspect``: what is on the disks, every Windows, and the boot chain up to the start of the one that boots."""

from collections.abc import Sequence
from typing import Final

from bootgraft.boot.chain import follow
from bootgraft.boot.start import start_steps
from bootgraft.boot.steps import Step
from bootgraft.errors import BootgraftError
from bootgraft.machine import Machine
from bootgraft.report.document import inspect_document
from bootgraft.report.documents.machine import InspectDocument
from bootgraft.report.documents.records import RecordsDocument
from bootgraft.report.inspect_text import inspect_text
from bootgraft.report.records import records_document
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.windows.events.guest_records import read_records
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.survey import read_target, windows_targets

_DONE: Final = 0


def inspect(job: Job, disks: Sequence[BlockDevice]) -> Outcome[InspectDocument]:
    """Say what is on the machine whose disks these are, in BIOS order.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
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
        return Outcome(_DONE, document, inspect_text(document))


def _records(windows: Sequence[Installation]) -> tuple[RecordsDocument, ...]:
    """What each of them recorded of its last starts."""
    return tuple(records_document(each.id, read_records(each)) for each in windows)


def _start_steps(windows: Sequence[Installation]) -> tuple[Step, ...]:
    """The links of the chain that lie inside the Windows that boots."""
    default = next((each for each in windows if each.default_boot), None)
    if default is None:
        return ()
    try:
        return start_steps(default, open_hive(default, "SYSTEM"))
    except BootgraftError as error:
        return (Step("the start of Windows cannot be followed", error.where, error.what, holds=False),)
