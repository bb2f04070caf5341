"""The lines of a description that present the machine's disks on the target: what ``--recommend`` asks for."""

from bootgraft.boot.steps import Firmware
from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.report.device import DeviceSpec
from bootgraft.targets.recommend import Disk, Fragment, fragments
from bootgraft.worker.job import Job
from bootgraft.worker.survey import Survey

_QEMU_NAMES = {"vhd": "vpc", "nbd": "raw"}


def recommend(job: Job, found: Survey, diagnosis: Diagnosis) -> tuple[Fragment, ...]:
    """The fragments for one target; none where they were not asked for, or the machine would not boot with them."""
    if not job.recommend or diagnosis.controller is None or diagnosis.verdict is Verdict.BLOCKED:
        return ()
    return fragments(
        diagnosis.controller, found.chain.firmware or Firmware.BIOS, [_disk(each) for each in job.devices[: job.disks]]
    )


def _disk(image: DeviceSpec) -> Disk:
    name = image.format.partition(" ")[0]
    return Disk(image.location, _QEMU_NAMES.get(name, name))
