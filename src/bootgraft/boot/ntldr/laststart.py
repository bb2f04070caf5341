r"""Where a Windows last started from, by its own word (:mod:`bootgraft.windows.boot_device`), as an ARC path.

Where partitions were dropped since, that is what tells one Windows from another of the same directory.
"""

from bootgraft.boot.ntldr.arc import ArcPath, parse_arc
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.machine import Volume
from bootgraft.windows.boot_device import system_boot_device
from bootgraft.windows.hives import hive_path


def last_start(volume: Volume, directory: str) -> ArcPath | None:
    """The ARC path that a Windows last started from, by its own registry; None where it says none."""
    try:
        text = system_boot_device(volume.hive(hive_path(directory, "SYSTEM")))
    except (HiveError, FileSystemError):  # what cannot be read proves nothing
        return None
    parsed = parse_arc(text) if text else None
    return None if parsed is None else parsed[0]
