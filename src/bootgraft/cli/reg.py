"""``bootgraft reg``: the registry of a Windows that does not run, in a disk image or in a hive file by itself."""

from bootgraft.cli.options import Options
from bootgraft.cli.registry import bare, reading, writing
from bootgraft.cli.registry.hivefile import is_hive_file


def run(options: Options) -> int:
    """Do the sub-command; returns its exit status: 1 where what is asked for is not there or not sound."""
    if options.registry is None:
        raise ValueError(options)
    if is_hive_file(options.images):
        return bare.run(options)
    if options.registry.action.writes:
        return writing.run(options)
    return reading.run(options)
