"""The three machines of each finding of ``pending_removals``."""

from tests.checks.core_case import CoreCase
from tests.core_windows import SETS, core_windows
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.pending_removals import ID, find

PARTMGR = r"\??\C:\WINDOWS\system32\drivers\partmgr.sys"


def pending(*names: str) -> MemoryWindows:
    """A Windows whose list of files to rename or remove has these names, two for each."""
    data = "".join(f"{name}\0" for name in (*names, "")).encode("utf-16-le").hex(",")
    lines = "".join(
        f'[\\ControlSet{number:03d}\\Control\\Session Manager]\n"PendingFileRenameOperations"=hex(7):{data}\n\n'
        for number in SETS
    )
    return core_windows(lines)


CASES = {
    ID: CoreCase(find, lambda: pending(r"\??\C:\x.tmp", "", PARTMGR, "")),
}
