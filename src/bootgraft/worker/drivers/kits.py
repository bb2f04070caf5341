"""``kit``: what an administrator runs before the conversion, handed to the parent, which alone writes files."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from msgspec import structs
from msgspec.structs import replace

from bootgraft.changes import RegistryChange
from bootgraft.checks.diagnosis import Diagnosis, diagnose, within
from bootgraft.checks.finding import DRIVER_REMEDIES
from bootgraft.drivers.inf.target_windows import TargetWindows, known_windows, read_target_windows
from bootgraft.drivers.inf.trial import trial_for
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError, UsageError
from bootgraft.kit.contents import Kit
from bootgraft.kit.plan import plan_inbox_kit, plan_kit, plan_kit_for
from bootgraft.kit.render import render
from bootgraft.machine import Machine
from bootgraft.repair.plan import commit_notes, needs_driver, plan_repair
from bootgraft.report.documents.drivers import KitDocument, KitFileDocument
from bootgraft.report.kit import kit_text
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.targets.controllers import Controller, find_controller
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import SERVER_2003
from bootgraft.worker.drivers.packages import GivenTrees, find_packages, given_package
from bootgraft.worker.ipc.drivers_request import DriversRequest
from bootgraft.worker.ipc.job import Job, Outcome
from bootgraft.worker.survey import command_on, survey

_DONE: Final = 0
_X86_UP_TO = SERVER_2003


def make_kit(
    job: Job,
    request: DriversRequest,
    disks: Sequence[BlockDevice],
    sources: Sequence[BlockDevice],
    output: Callable[[bytes], None],
) -> Outcome[KitDocument]:
    """Make the kit; the files' contents go to ``output``, one by one.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    controller = find_controller(job.request.targets[0])
    if disks:
        kit = _kit_for_machine(job, request, disks, sources, controller)
        if kit is None:
            raise DriverSourceError(
                f"no driver for {controller.target} was given, and this Windows has none itself",
                where=job.location,
                advice="Give --drivers SOURCE (a driver package or a donor's disk), or --reg and --file",
                id="driver-not-found",
            )
    else:
        kit = _kit_for_windows(job, sources, controller, _target_windows(request))
    files = () if kit.is_empty else render(kit)
    document = KitDocument(
        target=kit.target,
        windows=kit.target_windows.name,
        nt_version=f"{kit.target_windows.version[0]}.{kit.target_windows.version[1]}",
        arch=kit.target_windows.arch,
        service=kit.service,
        origin=kit.origin,
        keys=tuple(kit.entries),
        installs=tuple(file.path for file in kit.files),
        package=kit.inf or None,
        present=tuple(kit.present),
        notes=tuple(kit.notes),
        files=tuple(
            KitFileDocument(name=name.replace("\\", "/"), size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, data in files
        ),
        out=None,
    )
    for _, data in files:
        output(data)
    return Outcome(_DONE, document, kit_text(document))


def _target_windows(request: DriversRequest) -> TargetWindows:
    """The Windows that is named; x86 up to Server 2003 and x64 later, where no architecture is."""
    if request.version is None:
        raise UsageError("it is not known for which Windows", where="kit", advice="Give --windows, or an image")
    fitting = known_windows(request.version, request.arch)
    wanted = Architecture.X86 if fitting[0].version <= _X86_UP_TO else Architecture.X64
    return next((each for each in fitting if each.arch is wanted), fitting[0])


def _kit_for_windows(
    job: Job, sources: Sequence[BlockDevice], controller: Controller, target_windows: TargetWindows
) -> Kit:
    """The kit for a machine of which only the Windows is known."""
    package = given_package(job, sources, GivenTrees(), controller, target_windows, partial(trial_for, target_windows))
    return (
        plan_inbox_kit(controller, target_windows)
        if package is None
        else plan_kit((package,), controller, target_windows)
    )


def _kit_for_machine(
    job: Job,
    request: DriversRequest,
    disks: Sequence[BlockDevice],
    sources: Sequence[BlockDevice],
    controller: Controller,
) -> Kit | None:
    """The kit with what this machine lacks; None where its driver is to be had nowhere."""
    with Machine.read(disks, writable=False) as machine:
        whichever = structs.replace(job.request, windows=None)
        found = survey(structs.replace(job, request=whichever), machine)
        if found.installation is None or found.hive is None:
            raise DriverSourceError(
                "no Windows boots from this machine",
                where=job.location,
                advice=f"To see why, run:\n    {command_on(job, 'inspect')}",
                id="no-windows",
            )
        target_windows = read_target_windows(found.installation, found.hive)
        _require_same(target_windows, request, job.location)
        diagnosis = diagnose(found.on(controller))
        if diagnosis.facts is None:
            raise DriverSourceError(
                f"it cannot be judged what {target_windows} lacks for {controller.target}",
                where=job.location,
                advice="Give --windows and --arch in place of the image.\nTo see why, run:\n"
                f"    {command_on(job, 'check')} --target {controller.target}",
            )
        packages = find_packages(job, sources, GivenTrees(), diagnosis, found.installation)
        if needs_driver(diagnosis) and not packages:
            return None
        work: list[tuple[Diagnosis, DriverPackage | None]] = [(diagnosis, each) for each in packages or (None,)]
        plan = plan_repair(found.installation, found.hive, work)
        of_commit = set(commit_notes(found.hive))  # nothing is written to this image
        notes = (*(note for note in plan.notes if note not in of_commit), *_not_repaired(diagnosis))
        return plan_kit_for(found.installation, replace(plan, notes=notes), packages, controller, target_windows)


def _not_repaired(diagnosis: Diagnosis) -> Iterator[str]:
    """What else would stop the machine on the target: no driver repairs it, and no value of a service."""
    for finding in diagnosis.outside:
        yield f"Left to do outside the image: {finding.title}."
    for finding in within(diagnosis.blockers):
        changes = [each for each in finding.changes if isinstance(each, RegistryChange)]
        if finding.remedy not in DRIVER_REMEDIES and (not changes or len(changes) < len(finding.changes)):
            yield f"The kit does not repair this: {finding.title}. A repair of the image after the conversion may."


def _require_same(target_windows: TargetWindows, request: DriversRequest, where: str) -> None:
    """Raise where another Windows was named than the image has."""
    if request.version is None and request.arch is None:
        return
    fitting = [target_windows] if request.version is None else known_windows(request.version, request.arch)
    if not any(each.version == target_windows.version and each.arch is target_windows.arch for each in fitting):
        raise UsageError(
            f"--windows and --arch name another Windows than this image has: {target_windows}",
            where=where,
            advice="Leave them out: the image tells",
        )
