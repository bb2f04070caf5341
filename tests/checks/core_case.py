"""The three machines of a finding about Windows' own drivers and files: made when they are asked for."""

from collections.abc import Callable
from functools import cached_property

from tests.checks.case import Find
from tests.core_windows import core_windows, driver_file, guest, repaired
from tests.memory_windows import MemoryWindows

from bootgraft.checks.finding import Finding


class CoreCase:
    """What a check says of a Windows that was broken, of the same with the finding's changes, and of a whole one.

    Where the finding carries no changes, the file is ``put_back`` by hand.
    """

    def __init__(
        self, find: Find, broken: Callable[[], MemoryWindows], put_back: Callable[[], MemoryWindows] | None = None
    ) -> None:
        self._find = find
        self._make = broken
        self._put_back = put_back

    @cached_property
    def broken(self) -> tuple[Finding, ...]:
        """The findings about the broken machine."""
        return self._look(self._make())

    @cached_property
    def repaired(self) -> tuple[Finding, ...]:
        """Those about the repaired one."""
        windows = self._make()
        return self._look(self._put_back() if self._put_back else repaired(windows, self._look(windows)))

    @cached_property
    def healthy(self) -> tuple[Finding, ...]:
        """Those about one that never had the fault."""
        return self._look(core_windows())

    def _look(self, windows: MemoryWindows) -> tuple[Finding, ...]:
        return tuple(self._find(guest(windows)))


def with_a_copy_of(file: str) -> Callable[[], MemoryWindows]:
    """A Windows without a file of which it has a copy in dllcache."""
    name = file.rpartition("\\")[2]
    return lambda: core_windows(without=(file,), files={rf"system32\dllcache\{name}": driver_file()})
