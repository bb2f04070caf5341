"""The driver package that a diagnosis asks for, from whichever source the job names."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bootgraft.boot.chain import follow
from bootgraft.checks.controller.facts import LinkFacts
from bootgraft.checks.controller.own_driver import default_link
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import DRIVER_REMEDIES
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import BootgraftError, DriverSourceError, FileSystemError, HiveError, PartitionTableError
from bootgraft.events import Monitor, silent
from bootgraft.machine import Machine
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.targets.controllers import Controller
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.worker.ipc.job import DriverSource, Job
from bootgraft.worker.survey import default_windows

if TYPE_CHECKING:  # most repairs know their driver's source
    from bootgraft.drivers.inf.source import PackageTree
    from bootgraft.drivers.inf.target_windows import TargetWindows
    from bootgraft.drivers.inf.trial import Trial


class GivenTrees:
    """The driver packages that were given by their paths, each source opened once for all controllers of a job."""

    def __init__(self, monitor: Monitor = silent) -> None:
        self.monitor = monitor
        self._opened: dict[str, PackageTree] = {}

    def open(self, location: str) -> "PackageTree":
        """A source and what was read of it so far. Raises as ``open_source``."""
        if location not in self._opened:
            from bootgraft.drivers.sources import open_source

            self._opened[location] = open_source(location, monitor=self.monitor)
        return self._opened[location]


def find_packages(
    job: Job,
    donors: Sequence[BlockDevice],
    trees: GivenTrees,
    diagnosis: Diagnosis,
    installation: Installation,
) -> tuple[DriverPackage, ...]:
    """The driver packages for one diagnosis, one for each device that lacks its driver; empty where none is needed.

    Sources that were given are asked for the controller's; what they are not asked for, this Windows may have itself.
    Empty too where neither has one. Raises DriverSourceError where no source that was given has it, or none of the
    drivers that Windows has itself fits.
    """
    facts = diagnosis.facts
    if diagnosis.controller is None or facts is None:
        return ()
    main_id = diagnosis.controller.main_id
    lacking = (each.device or main_id for each in diagnosis.findings if each.remedy in DRIVER_REMEDIES)
    is_given = job.sources.reg_files or job.sources.driver_files or job.sources.drivers

    def trial() -> "Trial":
        from bootgraft.boot.signingrules import read_rules
        from bootgraft.drivers.inf.trial import trial_in

        hive = open_hive(installation, "SYSTEM")
        return trial_in(installation, read_rules(diagnosis.chain, installation, hive, secure_boot=job.secure_boot))

    found = (
        given_package(job, donors, trees, diagnosis.controller, installation, trial)
        if is_given and device == main_id
        else _own_package(diagnosis.controller, default_link(facts, device), installation)
        for device in dict.fromkeys(lacking)
    )
    return tuple(package for package in found if package is not None)


def given_package(
    job: Job,
    donors: Sequence[BlockDevice],
    trees: GivenTrees,
    controller: Controller,
    target_windows: "Installation | TargetWindows",
    trial: "Callable[[], Trial]",
) -> DriverPackage | None:
    """The controller's driver from the sources that were given, which are asked in their order; None where none was.

    ``trial`` is what packages are tried by for that Windows.

    Raises DriverSourceError where none of them has it.
    """
    if job.sources.reg_files or job.sources.driver_files:
        from bootgraft.drivers.guest.manual import read_manual

        return read_manual(job.sources.reg_files, job.sources.driver_files, target_windows.arch)
    failure: BootgraftError | None = None
    for source in job.sources.drivers:
        try:
            if source.device is None or is_floppy(donors[source.device - job.disks]):
                with open_packages(source, donors, job.disks, trees) as tree:
                    return _inf_package(tree, controller, target_windows, trial())
            return _donor_package(donors[source.device - job.disks], source.location, controller, target_windows)
        except DriverSourceError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None


def _own_package(controller: Controller, link: LinkFacts | None, installation: Installation) -> DriverPackage | None:
    from bootgraft.drivers.guest.inbox import read_inbox

    if link is None:
        return None
    hive = open_hive(installation, "SYSTEM")
    package = read_inbox(installation, hive, controller, link.link, link.service_name)
    if package is None and link.main_id == controller.main_id:
        from bootgraft.drivers.guest.staged import read_staged

        package = read_staged(installation, hive, controller)
    return package


def is_floppy(device: BlockDevice) -> bool:
    """Whether an image is one FAT volume from its first sector on, without a partition table."""
    from bootgraft.filesystems.base import FileSystemKind
    from bootgraft.filesystems.detect import identify

    return identify(device) in (FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32)


@contextmanager
def open_packages(
    source: DriverSource, donors: Sequence[BlockDevice], disks: int, trees: GivenTrees
) -> "Iterator[PackageTree]":
    """The driver packages of a source that is no donor, for as long as they are read.

    Raises:
        DriverSourceError: it cannot be read, is damaged or hostile.
    """
    if source.device is None:
        yield trees.open(source.location)
        return
    from bootgraft.drivers.archives.volume import VolumeArchive
    from bootgraft.drivers.inf.source import PackageTree
    from bootgraft.filesystems.detect import mount

    try:
        volume = mount(donors[source.device - disks], writable=False, name=source.location)
        try:
            yield PackageTree(VolumeArchive(volume, source.location), source.location, monitor=trees.monitor)
        finally:
            volume.close()
    except FileSystemError as error:
        raise DriverSourceError(
            f"this floppy image cannot be read: {error.what}",
            where=source.location,
            advice="Copy it again, or give the files in it as a folder",
        ) from error


def _inf_package(
    tree: "PackageTree", controller: Controller, target_windows: "Installation | TargetWindows", trial: "Trial"
) -> DriverPackage:
    from bootgraft.drivers.inf.selection import require_package
    from bootgraft.drivers.inf.target_windows import read_target_windows

    if isinstance(target_windows, Installation):
        target_windows = read_target_windows(target_windows, open_hive(target_windows, "SYSTEM"))
    return require_package(tree, controller, target_windows, trial)


def _donor_package(
    device: BlockDevice, source: str, controller: Controller, target_windows: "Installation | TargetWindows"
) -> DriverPackage:
    from bootgraft.drivers.guest.donor import read_donor

    try:
        with Machine.read([device], writable=False) as machine:
            chain = follow(machine, search_others=False)
            donor = default_windows(chain)
            if donor is None:
                last = chain.steps[-1] if chain.steps else None
                raise DriverSourceError(
                    f"no Windows boots from this donor{'' if last is None else f' ({last.what}: {last.evidence})'}",
                    where=source,
                    advice="Give the system disk of a machine that runs on this controller",
                )
            hive = open_hive(donor, "SYSTEM")
            return read_donor(donor, hive, controller, target_windows, source=source)
    except DriverSourceError:
        raise
    except (PartitionTableError, FileSystemError, HiveError) as error:
        raise DriverSourceError(
            f"this donor cannot be read: {error.what}",
            where=f"{source}: {error.where}",
            advice="Give another donor, copied after a clean shutdown, or --reg and --file with an exported driver",
        ) from error
    except BootgraftError as error:  # its place alone would read as one on the machine to be repaired
        raise type(error)(
            error.what, where=f"donor {source}: {error.where}", advice=error.advice, id=error.id
        ) from error
