"""What a job looks at first: the machine's boot chain, and the Windows that the work is about."""

import shlex
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from bootgraft.boot.bios.bootcode import CodeSource, none_given
from bootgraft.boot.chain import BootChain, BootTarget, follow
from bootgraft.checks.diagnosis import Diagnosis, diagnose
from bootgraft.checks.fix_choice import FixChoice
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.errors import PartitionTableError, UsageError
from bootgraft.machine import Firmware, Machine
from bootgraft.report.next_steps import Given
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.disks.partitions import TableKind, read_partition_table
from bootgraft.targets.controllers import Controller, find_controller
from bootgraft.windows.installation import Installation, open_hive, read_installation
from bootgraft.worker.ipc.job import Job

if TYPE_CHECKING:  # most machines have their loader
    from bootgraft.drivers.guest.start_files import StartFilesSource


def diagnoses_of(job: Job, guest: Guest) -> tuple[Diagnosis, ...]:
    """Diagnose for each target of the job, or once where there is none."""
    return tuple(diagnose(guest.on(each)) for each in controllers_of(job, guest) or (None,))


def controllers_of(job: Job, guest: Guest) -> tuple[Controller, ...]:
    """The targets that were asked for, each once; else the controller of the disk with the Windows, if that is known.

    Raises UsageError for one that there is not.
    """
    described = () if job.described is None else job.described.controllers
    targets = job.request.targets
    if not targets and described:
        disk = 0 if guest.installation is None else guest.installation.volume.disk
        targets = tuple(each for each in described[disk : disk + 1] if each is not None)
    presented = [each for each in described if each is not None]
    return tuple(dict.fromkeys(find_controller(each, presented) for each in targets))


def survey(
    job: Job,
    machine: Machine,
    boot_code: CodeSource = none_given,
    *,
    start_files: "StartFilesSource | None" = None,
) -> Guest:
    """Follow the boot chain to the Windows that the job is about: the one that boots, or the one that it names.

    ``boot_code`` and ``start_files`` have those of other installations.

    Raises the BootgraftError family where there is no disk, no such Windows, or a damaged one.
    """
    if all(disk.table.kind is TableKind.NONE for disk in machine.disks):
        raise _no_table(machine, job.devices[0].location)
    machine.is_complete = job.request.these_are_all_disks
    windows = job.request.windows
    chain = follow(machine, search_others=windows is not None)
    installation = default_windows(chain) if windows is None else _named(chain, windows)
    hive = None if installation is None else open_hive(installation, "SYSTEM")
    described = _described(job)
    return Guest(
        machine,
        chain,
        installation,
        hive,
        described=described,
        secure_boot=job.secure_boot,
        boot_code=boot_code,
        start_files=start_files,
        choice=FixChoice(frozenset(job.request.fix), frozenset(job.request.skip), job.request.add_system_partition),
        disk_controllers=_disk_controllers(job),
        sector_sizes=tuple(image.sector_size for image in job.images),
    )


def _disk_controllers(job: Job) -> tuple[Controller | None, ...]:
    """What each disk is attached to, by the description: of no meaning where targets were asked for."""
    if job.described is None or job.request.targets:
        return ()
    return tuple(None if each is None else find_controller(each) for each in job.described.controllers)


def _described(job: Job) -> DescribedVm | None:
    described = job.described
    if described is None:
        return None
    firmware = None if described.firmware is None else Firmware(described.firmware)
    return DescribedVm(
        described.path,
        firmware,
        described.places,
        described.boot_order,
        described.processor,
        described.sector_sizes,
        described.spare_processors,
    )


def _no_table(machine: Machine, location: str) -> PartitionTableError:
    from bootgraft.filesystems.detect import identify
    from bootgraft.filesystems.foreign import disk_encryption

    product = disk_encryption(machine.disks[0].device)
    if product is not None:
        return PartitionTableError(
            f"the disk is encrypted with {product}: its boot code stands in sector 0, and there is no partition table",
            where=location,
            advice=f"Decrypt it on the source machine with {product}, and convert it again",
            id="disk-encrypted",
        )
    kind = identify(machine.disks[0].device)
    if kind is not None:
        return PartitionTableError(
            f"it holds one {kind.value.upper()} volume and no partition table",
            where=location,
            advice="Give the image of the whole disk, from its first sector on",
            id="no-partition-table",
        )
    return PartitionTableError(
        "there is no partition table on it",
        where=location,
        advice="Make sure that it is a whole disk and was copied from its first sector on; if it is an image in "
        "another format than it looks like, give --format",
        id="no-partition-table",
    )


def default_windows(chain: BootChain) -> Installation | None:
    """The Windows that the chain arrives at."""
    return None if chain.default is None else read_target(chain.default, default_boot=True)


def _named(chain: BootChain, name: str) -> Installation:
    found = [read_target(each, default_boot=each is chain.default) for each in windows_targets(chain)]
    for installation in found:
        if installation.id.casefold() == name.casefold():
            return installation
    known = ", ".join(each.id for each in found) or "none"
    raise UsageError(
        f"no Windows of that name: {name}", where="--windows", advice=f"There are: {known}", id="windows-unknown"
    )


def windows_targets(chain: BootChain) -> tuple[BootTarget, ...]:
    """Every Windows that the chain knows, each once, the one that boots first."""
    default = () if chain.default is None else (chain.default,)
    places = {(t.volume.disk, t.volume.partition.start, t.directory.casefold()): t for t in (*chain.others, *default)}
    return (*default, *(each for each in places.values() if each not in default))


def read_target(target: BootTarget, *, default_boot: bool) -> Installation:
    """Read the Windows that a line of the boot menu names."""
    return read_installation(target.volume, target.directory, default_boot=default_boot)


def command_on(job: Job, verb: str) -> str:
    """The command about the same disks, as it is typed."""
    return shlex.join(["bootgraft", *verb.split(), *(each.location for each in job.images)])


def said_again(job: Job, disks: Sequence[BlockDevice]) -> Given:
    """What a command that is advised has to repeat, so that it is about the same machine and the same wishes.

    ``disks`` are the machine's, to see whether one may be another machine's.
    """
    request, described = job.request, job.described
    words = []
    if described is not None:
        words.append(f"--vm {quote(described.path)}")
        words += (f"--disk {quote(each)}" for each in described.named)
    if described is not None and described.edit is not None:
        words.append("--isolate")
    if request.windows is not None:
        words.append(f"--windows {quote(request.windows)}")
    if request.recommend:
        words.append("--recommend")  # printed once the machine would boot
    if request.these_are_all_disks:
        words.append("--these-are-all-disks")
    if request.secure_boot is not None:
        words.append(f"--secure-boot {'on' if request.secure_boot else 'off'}")
    words += (f"--{name} {each}" for name, ids in (("fix", request.fix), ("skip", request.skip)) for each in ids)
    startable = tuple(_startable(job, disks)) if described is None and len(disks) > 1 else ()
    return Given(tuple(words), described is not None and not request.targets, startable)


def _startable(job: Job, disks: Sequence[BlockDevice]) -> Iterator[str]:
    """The disks behind the first from which a firmware could start by themselves."""
    from bootgraft.boot.bootmgr.uefi import SYSTEM_PARTITION  # most machines have one disk

    for image, disk in list(zip(job.images, disks, strict=True))[1:]:
        if any(each.active or each.type == SYSTEM_PARTITION for each in read_partition_table(disk).partitions):
            yield image.location
