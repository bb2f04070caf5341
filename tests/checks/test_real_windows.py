"""Real SYSTEM hives, with the files that their services name: none of them lacks anything on its own controller."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.core_windows import GPT_GUID
from tests.real_windows import REAL, real_windows

from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Severity
from bootgraft.targets.controllers import find_controller


@pytest.mark.parametrize("without_disabled", [False, True], ids=["every file", "none of disabled services"])
@pytest.mark.parametrize("machine", REAL)
def test_a_real_windows_lacks_nothing_on_its_own_controller(
    machine: str, without_disabled: bool, machine_cache: Path
) -> None:
    windows = real_windows(machine, machine_cache, without_disabled=without_disabled)
    installation = windows.installation
    if installation.version >= (6, 0):
        installation.volume.partition = replace(installation.volume.partition, guid=GPT_GUID)
    target = REAL[machine][2]
    controller = None if target is None else find_controller(target)
    found = diagnose(guest_of(chain(), installation, windows.hive, controller))
    assert [each for each in found.findings if each.severity is not Severity.INFO] == []
    assert found.verdict is (Verdict.UNKNOWN if controller is None else Verdict.BOOTS)
