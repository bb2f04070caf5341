"""The three machines of each finding of ``converted``: nothing repairs what was."""

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows
from tests.memory_windows import MemoryWindows

from bootgraft.checks.machine.converted import ID, find


def with_folder(folder: str) -> MemoryWindows:
    """A Windows with a folder at the root of its volume."""
    windows = core_windows()
    windows.filesystem.directories.append(folder)
    return windows


CASES = {
    ID: CoreCase(find, lambda: with_folder(r"\Program Files\Guestfs"), lambda: with_folder(r"\Program Files\Other")),
}
