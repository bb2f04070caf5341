"""The driver package that a diagnosis asks for, from whichever source the job names."""

from collections.abc import Sequence

from bootgraft.boot.chain import follow
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.own_driver import bound_service
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import BootgraftError, DriverSourceError, FileSystemError, HiveError, PartitionTableError
from bootgraft.machine import Machine
from bootgraft.repair.plan import needs_driver
from bootgraft.storage.blockdevice import BlockDevice
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.worker.job import Job
from bootgraft.worker.survey import default_windows


def find_package(
    job: Job, donors: Sequence[BlockDevice], diagnosis: Diagnosis, installation: Installation
) -> DriverPackage | None:
    """The driver package for one diagnosis; None where none is needed, or none was given and Windows has none itself.

    Raises DriverSourceError where no source that was given has it, or none of those that Windows has itself fits.
    """
    if not needs_driver(diagnosis) or diagnosis.controller is None:
        return None
    if job.reg_files or job.driver_files:
        from bootgraft.drivers.manual import read_manual

        return read_manual(job.reg_files, job.driver_files, installation.arch)
    failure: BootgraftError | None = None
    for device, image in zip(donors, job.driver_donors, strict=True):
        try:
            return _donor_package(device, image.location, diagnosis, installation)
        except DriverSourceError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None if donors else _own_package(diagnosis, installation)


def _own_package(diagnosis: Diagnosis, installation: Installation) -> DriverPackage | None:
    from bootgraft.drivers.inbox import read_inbox

    if diagnosis.controller is None or diagnosis.facts is None:
        return None
    hive = open_hive(installation, "SYSTEM")
    return read_inbox(installation, hive, diagnosis.controller, bound_service(diagnosis.facts))


def _donor_package(device: BlockDevice, source: str, diagnosis: Diagnosis, installation: Installation) -> DriverPackage:
    from bootgraft.drivers.donor import read_donor

    if diagnosis.controller is None:
        raise ValueError(diagnosis)
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
            return read_donor(donor, hive, diagnosis.controller, installation, source=source)
    except DriverSourceError:
        raise
    except (PartitionTableError, FileSystemError, HiveError) as error:
        raise DriverSourceError(
            f"this donor cannot be read: {error.what}",
            where=f"{source}: {error.where}",
            advice="Give another donor, copied after a clean shutdown, or --reg and --file with an exported driver",
        ) from error
    except BootgraftError as error:  # its place alone would read as one on the machine to be repaired
        raise type(error)(error.what, where=f"donor {source}: {error.where}", advice=error.advice) from error
