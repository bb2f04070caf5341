"""What ``drivers`` does: list what a source holds, say what would be chosen of it, take a package out of a machine."""

import shlex
from collections.abc import Callable, Sequence
from typing import Final

from bootgraft.drivers.inf.selection import PackageChoice, choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import TargetWindows, known_windows
from bootgraft.drivers.inf.trial import trial_for
from bootgraft.errors import DriverSourceError
from bootgraft.events import Monitor
from bootgraft.report.documents.base import Document
from bootgraft.report.documents.drivers import ListDocument, ShowDocument
from bootgraft.report.drivers import list_document, list_text, show_document, show_text
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.targets.controllers import find_controller
from bootgraft.worker.drivers.packages import GivenTrees, is_floppy, open_packages
from bootgraft.worker.ipc.drivers_request import DriversAction, DriversRequest
from bootgraft.worker.ipc.job import Job, Outcome

_DONE: Final = 0
_NOTHING: Final = 1


def run(
    job: Job,
    disks: Sequence[BlockDevice],
    sources: Sequence[BlockDevice],
    *,
    monitor: Monitor,
    output: Callable[[bytes], None],
) -> Outcome[Document]:
    """Do one ``drivers`` command.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    request = job.request.drivers
    if request is None:
        raise ValueError(job)
    if request.action is DriversAction.HARVEST:
        from bootgraft.worker.drivers.harvesting import harvest

        return harvest(job, disks, output)
    if request.action is DriversAction.KIT:
        from bootgraft.worker.drivers.kits import make_kit

        return make_kit(job, request, disks, sources, output)
    (source,) = job.sources.drivers
    if source.device is not None and not is_floppy(sources[source.device - job.disks]):
        raise DriverSourceError(
            "this is a disk image and no driver package",
            where=source.location,
            advice="A donor's disk is given to repair by --drivers; drivers harvest takes a package out of it.\n"
            f"To see on which controllers it runs, run:\n    {shlex.join(['bootgraft', 'check', source.location])}",
        )
    with open_packages(source, sources, job.disks, GivenTrees(monitor)) as tree:
        if request.action is DriversAction.LIST:
            return _list(tree, request, monitor)
        return _show(tree, job.request.targets[0], request)


def _list(tree: PackageTree, request: DriversRequest, monitor: Monitor) -> Outcome[ListDocument]:
    document = list_document(tree, monitor)
    text = list_text(document, detailed=request.detailed)
    return Outcome(_DONE if document.infs else _NOTHING, document, text)


def _show(tree: PackageTree, target: str, request: DriversRequest) -> Outcome[ShowDocument]:
    """What would be chosen for one Windows, or for every one that there is."""
    controller = find_controller(target)
    windows = known_windows(request.version, request.arch)
    choices: list[tuple[TargetWindows, PackageChoice]] = [
        (each, choose_package(tree, controller, each, trial_for(each))) for each in windows
    ]
    document = show_document(tree.origin, controller, choices)
    text = show_text(document, detailed=len(choices) == 1 or request.detailed)
    return Outcome(_DONE if any(choice.package for _, choice in choices) else _NOTHING, document, text)
