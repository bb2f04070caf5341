"""``bootgraft drivers``: what a source of drivers holds, what would be chosen of it, and packages out of machines."""

from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import answer, monitor_for, put_json
from bootgraft.targets.controllers import find_controller
from bootgraft.worker.ipc.drivers_request import DriversAction
from bootgraft.worker.ipc.job import Operation


def run(options: Options) -> int:
    """Do one sub-command; returns its exit status."""
    request = options.drivers_request
    if request is not None and request.action is DriversAction.HARVEST:
        from bootgraft.cli.harvest import run as harvest

        return harvest(options)
    for target in options.targets:
        find_controller(target)  # a wrong name is told before anything is read
    with Session(options, writable=False, monitor=monitor_for(options)) as session:
        outcome = session.run(Operation.DRIVERS)
    if options.json:
        put_json(outcome.document)
    else:
        answer(outcome.text, outcome.status, options)
    return outcome.status
