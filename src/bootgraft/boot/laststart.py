r"""Where a Windows says itself that it last started from: ``Control\SystemBootDevice``, Windows XP and later.

It holds the ARC path that ntldr had, the very text of boot.ini: where partitions were dropped since, it is what tells
one Windows from another of the same directory (reference: ReactOS, ``ntoskrnl/io/iomgr/arcname.c``, and real hives).
"""

from bootgraft.boot.arc import ArcPath, parse_arc
from bootgraft.boot.search import system_hive
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.machine import Volume


def last_start(volume: Volume, directory: str) -> ArcPath | None:
    """The ARC path that a Windows last started from, by its own registry; None where it says none."""
    try:
        hive = volume.hive(system_hive(directory))
        select = hive.key("Select")
        default = None if select is None else select.value("Default")
        number = None if default is None else default.dword()
        control = None if number is None else hive.key(f"ControlSet{number:03d}\\Control")
        value = None if control is None else control.value("SystemBootDevice")
        text = None if value is None else value.text()
    except (HiveError, FileSystemError):  # what cannot be read proves nothing
        return None
    parsed = parse_arc(text) if text else None
    return None if parsed is None else parsed[0]
