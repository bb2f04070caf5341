"""``bootgraft check``: would it boot on the target, and if not, why."""

from bootgraft.cli.inspect import report
from bootgraft.cli.options import Options
from bootgraft.targets.controllers import find_controller
from bootgraft.worker.job import Operation


def run(options: Options) -> int:
    """Print the verdict with its findings."""
    for target in options.targets:
        find_controller(target)  # a wrong name is told before anything is opened
    return report(options, Operation.CHECK)
