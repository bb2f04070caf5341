"""``bootgraft check``: would it boot on the target, and if not, why."""

from bootgraft.cli.inspect import report
from bootgraft.cli.options import Options
from bootgraft.worker.job import Operation


def run(options: Options) -> int:
    """Print the verdict with its findings."""
    return report(options, Operation.CHECK)
