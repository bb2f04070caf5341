"""Jobs done without a child process, on overlays over raw images."""

from collections.abc import Sequence
from pathlib import Path

from tests.storage.sample_disks import SparseDisk

from bootgraft.events import Monitor, silent
from bootgraft.machine import Firmware
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.job import AnyOutcome, DescribedMachine, DriverSource, GivenSources, Job, Operation, Request
from bootgraft.worker.operations import run_job

LSI = "vmware:lsilogic"


def overlays_on(*images: Path) -> list[Overlay]:
    return [Overlay(SparseDisk(image)) for image in images]


def do(
    operation: Operation,
    disks: Sequence[BlockDevice],
    donors: Sequence[Path] = (),
    *,
    targets: Sequence[str] = (LSI,),
    reg: Sequence[Path] = (),
    files: Sequence[Path] = (),
    windows: str | None = None,
    firmware: Firmware | None = None,
    monitor: Monitor = silent,
) -> AnyOutcome:
    """Do one operation on disks that may be overlays with changes already.

    ``firmware`` is what the machine's description says.
    """
    donor_disks = [SparseDisk(donor) for donor in donors]
    specs = [DeviceSpec(f"disk{number}.raw", "raw", disk.size) for number, disk in enumerate(disks)]
    specs += [DeviceSpec(donor.name, "raw", disk.size) for donor, disk in zip(donors, donor_disks, strict=True)]
    sources = tuple(DriverSource(donor.name, len(disks) + number) for number, donor in enumerate(donors))
    job = Job(
        request=Request(operation=operation, targets=tuple(targets), windows=windows),
        devices=tuple(specs),
        disks=len(disks),
        described=None if firmware is None else DescribedMachine(path="server1.vmx", firmware=firmware.value),
        sources=GivenSources(drivers=sources, reg_files=tuple(map(str, reg)), driver_files=tuple(map(str, files))),
    )
    return run_job(job, disks, donor_disks, monitor=monitor)
