r"""Where a Windows says itself that it last started from: ``Control\SystemBootDevice``, Windows XP and later.

The value holds the ARC path that ntldr had, the very text of boot.ini (ReactOS, ``ntoskrnl/io/iomgr/arcname.c``, and
real hives).
"""

from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import control_set_name, read_select


def system_boot_device(system: Hive) -> str | None:
    """The path in the default control set of a SYSTEM hive; None where there is none. Raises HiveError for damage."""
    control = system.key(f"{control_set_name(read_select(system).default)}\\Control")
    value = None if control is None else control.value("SystemBootDevice")
    return None if value is None else value.text()
