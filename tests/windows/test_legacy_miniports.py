"""Miniports that look for their adapters by themselves: what makes that possible, and what the verdict is then."""

from pathlib import Path

import pytest
from tests.checks.test_verdicts import diagnosis
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.checks.controller.device_binding import DETECTED, MISSING
from bootgraft.checks.diagnosis import Verdict
from bootgraft.targets.controllers import find_controller

KEY = "ControlSet001\\Services\\symmpi"
SYMMPI = "\\WINDOWS\\system32\\drivers\\symmpi.sys"
LSI = find_controller("vmware:lsilogic")


def legacy(cache: Path, *, driver: DriverFile = DriverFile.GOOD, ids: bytes = b"1000\x000030\0") -> MemoryWindows:
    """A Server 2003 whose symmpi was put in by hand, as NT 4 has it: no binding, no PnpInterface."""
    windows = memory_windows(cache, ControlSet(1, Symmpi.READY), driver=driver)
    windows.filesystem.files[SYMMPI] += ids
    windows.hive.delete_key(f"{KEY}\\Parameters\\PnpInterface")
    return windows


def test_one_that_names_the_adapter_may_find_it(machine_cache: Path) -> None:
    found = diagnosis(legacy(machine_cache), LSI)
    assert [(each.id, each.leaves_open) for each in found.findings] == [(DETECTED, True)]
    assert found.verdict is Verdict.UNKNOWN
    assert "symmpi has Start=0 and no PnpInterface" in found.findings[0].evidence[1]


@pytest.mark.parametrize(
    ("driver", "ids"), [(DriverFile.GOOD, b"104B\x001040\0"), (DriverFile.OTHER_ARCHITECTURE, b"1000\x000030\0")]
)
def test_one_that_cannot_find_it_counts_for_nothing(machine_cache: Path, driver: DriverFile, ids: bytes) -> None:
    found = diagnosis(legacy(machine_cache, driver=driver, ids=ids), LSI)
    assert [each.id for each in found.blockers] == [MISSING]


@pytest.mark.parametrize("how", ["plug and play", "storport", "not at boot"])
def test_one_that_waits_for_a_binding_counts_for_nothing(machine_cache: Path, how: str) -> None:
    driver = DriverFile.MISSING_IMPORT if how == "storport" else DriverFile.GOOD
    windows = legacy(machine_cache, driver=driver)
    if how == "plug and play":
        windows.hive.create_key(f"{KEY}\\Parameters\\PnpInterface")
        windows.hive.set_value(f"{KEY}\\Parameters\\PnpInterface", "5", 4, (1).to_bytes(4, "little"))
    elif how == "not at boot":
        windows.hive.set_value(KEY, "Start", 4, (3).to_bytes(4, "little"))
    assert [each.id for each in diagnosis(windows, LSI).blockers] == [MISSING]
