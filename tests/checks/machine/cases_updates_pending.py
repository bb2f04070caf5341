"""The three machines of each finding of ``updates_pending``: only Windows itself finishes them."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows, in_sets
from tests.machines.registry_text import Multi
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows

from bootgraft.checks.machine.updates_pending import ID, find

POQEXEC = r"\SystemRoot\System32\poqexec.exe /display_progress \SystemRoot\WinSxS\pending.xml"
PENDING = {r"WinSxS\pending.xml": b"<PendingTransaction/>"}


def updating(value: str = "SetupExecute", files: dict[str, bytes] = PENDING) -> MemoryWindows:
    """Windows 7 in the middle of an update."""
    edits = in_sets({r"Control\Session Manager": {value: Multi((POQEXEC,))}})
    return core_windows(edits, release=WINDOWS_7, files=files)


CASES = {
    ID: CoreCase(find, updating, lambda: core_windows(release=WINDOWS_7)),
}
