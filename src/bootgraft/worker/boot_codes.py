"""The boot code of the installations that a job was given, read where the boot chain asks for it."""

from collections.abc import Sequence
from functools import cache

from bootgraft.boot.bios.bootcode import BootCode, CodeSource, harvest
from bootgraft.machine import Machine
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.worker.ipc.job import Job


def given_code(job: Job, donors: Sequence[BlockDevice]) -> CodeSource:
    """What gives the boot code of every donor, those for boot code only first."""

    @cache
    def read() -> tuple[BootCode, ...]:
        named = list(zip(donors, job.devices[job.disks :], strict=True))
        count = len(named) - job.sources.boot_codes
        found: list[BootCode] = []
        for device, image in (*named[count:], *named[:count]):
            with Machine.read([device], writable=False) as machine:
                found += harvest(machine, image.location)
        return tuple(found)

    return read
