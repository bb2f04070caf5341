"""No disk stands twice on one command line."""

from bootgraft.cli.options import Options
from bootgraft.errors import UsageError
from bootgraft.storage.journal.journaldisks import disk_file

TWICE = "this disk is given twice"


def refuse_repeated(options: Options) -> None:
    """Raise UsageError where one disk is given twice: it would be told as one that another program has open."""
    seen: set[object] = set()
    for location in (*options.images, *options.drivers, *options.boot_code):
        disk = disk_file(location) or location
        if disk in seen:
            raise UsageError(
                TWICE,
                where=location,
                advice="Give each disk of the machine once, in BIOS order; a donor is another machine's disk",
            )
        seen.add(disk)
