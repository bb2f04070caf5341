"""Boot code and start files of the installations that a job was given, read where the boot chain asks for them."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from bootgraft.boot.bios.bootcode import BootCode, CodeSource, harvest
from bootgraft.errors import DriverSourceError, MissingDependencyError
from bootgraft.machine import Machine
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.worker.ipc.job import Job

if TYPE_CHECKING:  # most machines have their loader
    from bootgraft.drivers.guest.start_files import StartFiles, StartFilesSource


def given_code(job: Job, donors: Sequence[BlockDevice]) -> CodeSource:
    """What gives the boot code of every donor, those for boot code only first."""

    @cache
    def read() -> tuple[BootCode, ...]:
        found: list[BootCode] = []
        for device, image in _in_order(job, donors):
            with Machine.read([device], writable=False) as machine:
                found += harvest(machine, image.location)
        return tuple(found)

    return read


def given_start_files(job: Job, donors: Sequence[BlockDevice]) -> "StartFilesSource":
    """What gives ntldr and NTDETECT.COM of every donor that ntldr starts, in the same order, then of setup media."""

    @cache
    def read() -> tuple["StartFiles", ...]:
        from bootgraft.drivers.guest.start_files import of_machine

        found: list[StartFiles] = []
        for device, image in _in_order(job, donors):
            with Machine.read([device], writable=False) as machine:
                found += of_machine(machine, image.location)
        for source in job.sources.drivers:
            if source.device is None:
                found += _of_medium(source.location)
        return tuple(found)

    return read


def _of_medium(location: str) -> tuple["StartFiles", ...]:
    from bootgraft.drivers.guest.start_files import of_medium
    from bootgraft.drivers.sources import open_source

    try:
        return of_medium(open_source(location))
    except (DriverSourceError, MissingDependencyError):  # told where a driver is sought in it
        return ()


def _in_order(job: Job, donors: Sequence[BlockDevice]) -> list[tuple[BlockDevice, DeviceSpec]]:
    named = list(zip(donors, job.devices[job.disks :], strict=True))
    count = len(named) - job.sources.boot_codes
    return [*named[count:], *named[:count]]
