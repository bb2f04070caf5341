"""``drivers harvest``: a package out of a working machine, handed to the parent, which alone writes files."""

import hashlib
from collections.abc import Callable, Sequence

from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.drivers.guest.donor import read_donor
from bootgraft.drivers.guest.harvest import HarvestedFile
from bootgraft.drivers.guest.harvest import harvest as harvest_files
from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import TargetWindows, read_target_windows
from bootgraft.errors import DriverSourceError
from bootgraft.machine import Machine
from bootgraft.report.documents.drivers import HarvestDocument, HarvestedDocument
from bootgraft.report.drivers import harvest_text
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.targets.controllers import Controller, find_controller
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.survey import command_on, survey


def harvest(job: Job, disks: Sequence[BlockDevice], output: Callable[[bytes], None]) -> Outcome[HarvestDocument]:
    """Take the driver of the job's target out of its machine; the files' contents go to ``output``, one by one.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    controller = find_controller(job.request.targets[0])
    with Machine.read(disks, writable=False) as machine:
        found = survey(job, machine)
        if found.installation is None or found.hive is None:
            raise DriverSourceError(
                "no Windows boots from this machine",
                where=job.location,
                advice=f"To see why, run:\n    {command_on(job, 'inspect')}",
                id="no-windows",
            )
        installation = found.installation
        package = read_donor(installation, found.hive, controller, installation, source=job.location)
        files = harvest_files(package, installation, found.hive, controller)
        by_inf = _is_whole(files, controller, read_target_windows(installation, found.hive))
    document = HarvestDocument(
        windows=installation.id,
        target=controller.target,
        service=package.service,
        files=tuple(
            HarvestedDocument(
                name=file.name,
                origin=file.origin,
                size=len(file.data),
                sha256=hashlib.sha256(file.data).hexdigest(),
            )
            for file in files
        ),
        has_inf=by_inf,
        out="",
    )
    for file in files:
        output(file.data)
    return Outcome(0, document, harvest_text(document))


def _is_whole(files: Sequence[HarvestedFile], controller: Controller, target_windows: TargetWindows) -> bool:
    """Whether the INF among the files gives the driver back on such a machine."""
    tree = PackageTree(MemoryArchive(((file.name, file.data) for file in files), "harvest"), "harvest")
    try:
        return choose_package(tree, controller, target_windows).package is not None
    except DriverSourceError:
        return False
