"""The three machines of each finding of ``deleted_drivers``."""

from collections.abc import Iterator

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows, driver_file
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.deleted_drivers import ID, find
from bootgraft.checks.finding import Finding
from bootgraft.checks.fix_choice import FixChoice
from bootgraft.checks.guest import Guest

FILE = r"system32\drivers\vmstorfl.sys"
COPY = r"System32\DriverStore\FileRepository\wstorflt.inf_x86_neutral_x\vmstorfl.sys"


def asked(guest: Guest) -> Iterator[Finding]:
    """What is found where the user asks for the fix."""
    guest.choice = FixChoice(fix=frozenset({ID}))
    return find(guest)


def without(*files: str, copy: bool = True) -> MemoryWindows:
    """Windows 7 without these files; with a copy of vmstorfl.sys in its DriverStore."""
    return core_windows(release=WINDOWS_7, without=files, files={COPY: driver_file(WINDOWS_7)} if copy else {})


CASES = {
    ID: CoreCase(asked, lambda: without(FILE)),
}
