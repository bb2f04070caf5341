"""``bootgraft reg``: the registry of a Windows that does not run, in a disk image or in a hive file by itself."""

from bootgraft.cli import reg_bare, reg_read, reg_write
from bootgraft.cli.hivefile import is_hive_file
from bootgraft.cli.options import Options


def run(options: Options) -> int:
    """Do the sub-command; returns its exit status: 1 where what is asked for is not there or not sound."""
    if options.registry is None:
        raise ValueError(options)
    if is_hive_file(options.images):
        return reg_bare.run(options)
    if options.registry.action.writes:
        return reg_write.run(options)
    return reg_read.run(options)
