"""The lines of a description that present the machine's disks on the target: what ``--recommend`` asks for."""

from typing import TYPE_CHECKING

from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.machine import Firmware
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.worker.ipc.job import Job

if TYPE_CHECKING:  # few ask for them
    from bootgraft.targets.recommend import Fragment


def recommend(job: Job, diagnosis: Diagnosis) -> "tuple[Fragment, ...]":
    """The fragments for one target; none where they were not asked for, or the machine would not boot with them."""
    if not job.request.recommend or diagnosis.controller is None or diagnosis.verdict is Verdict.BLOCKED:
        return ()
    from bootgraft.targets.recommend import DiskFile, fragments

    names = [(image.location, image.format.partition(" ")[0]) for image in job.images]
    disks = [DiskFile(location, ImageFormat(name).qemu_driver or "raw") for location, name in names]
    return fragments(diagnosis.controller, diagnosis.chain.firmware or Firmware.BIOS, disks)
