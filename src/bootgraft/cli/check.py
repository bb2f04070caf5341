"""``bootgraft check``: would it boot on the target, and if not, why."""

from msgspec.structs import replace

from bootgraft.cli.inspect import report
from bootgraft.cli.options import Options
from bootgraft.errors import UsageError
from bootgraft.worker.ipc.job import Operation


def run(options: Options) -> int:
    """Print the verdict with its findings."""
    return report(checked(options), Operation.CHECK)


def checked(options: Options) -> Options:
    """The options of a ``check``, with its symptom by name; raises UsageError where they do not go together."""
    if options.recommend and not options.targets and not options.controllers:
        raise UsageError(
            "--recommend needs to know which controller the machine will have",
            where="--recommend",
            advice="Give --target HYPERVISOR:CONTROLLER, or --vm with the machine's description",
            id="target-missing",
        )
    if options.symptom is not None and len(set(map(str.casefold, options.targets))) > 1:
        raise UsageError(
            "the screen of one machine is asked about, and several targets are given",
            where="--symptom",
            advice="Give the --target of the machine that shows it",
        )
    if options.symptom is not None:
        from bootgraft.cli.findings.symptoms import symptom_of

        return replace(options, symptom=symptom_of(options.symptom))
    return options
