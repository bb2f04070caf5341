"""The three machines of each finding of ``injected_driver``."""

from tests.checks.case import Case
from tests.checks.controller.injected import NO_VERSION, UNUSED, WRONG_CLASS, bound_7, bound_10, found
from tests.core_windows import repaired
from tests.memory_windows import MemoryWindows

from bootgraft.checks.controller import injected_driver


def _case(windows: MemoryWindows) -> Case:
    broken = tuple(found(windows))
    return Case(broken, tuple(found(repaired(windows, broken))), tuple(found(bound_10())))


CASES = {
    injected_driver.CLASS: _case(bound_7(class_guid=WRONG_CLASS)),
    injected_driver.BUS_TYPE: _case(bound_10(bus_type=1)),
    injected_driver.NO_VERSION: _case(bound_10(edits=NO_VERSION)),
    injected_driver.UNUSED: Case(tuple(found(bound_10(edits=UNUSED))), tuple(found(bound_7())), ()),
}
