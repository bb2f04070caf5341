"""Every target in every Windows: what is said of a machine that has only what Windows itself shipped.

The machines are made as real hives of the same release are. To take over what was changed on purpose:
``WRITE_GOLDENS=1 pytest tests/checks/test_verdicts.py``, then read the diff.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.checks.cases import chain
from tests.machines.spec import Architecture
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_11,
    WINDOWS_2000,
    WINDOWS_VISTA,
    WINDOWS_XP,
    ControlSet,
    Release,
    Select,
)
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import needs_driver, plan_repair
from bootgraft.targets.controllers import CONTROLLERS, Controller

GOLDEN = Path(__file__).with_name("goldens") / "verdicts.txt"
X86, X64 = Architecture.X86, Architecture.X64
RELEASES: dict[str, tuple[Release, Architecture]] = {
    "NT 4": (NT_4, X86), "2000": (WINDOWS_2000, X86), "XP": (WINDOWS_XP, X86), "2003": (SERVER_2003, X86),
    "Vista": (WINDOWS_VISTA, X64), "7": (WINDOWS_7, X64), "8": (WINDOWS_8, X64), "8.1": (WINDOWS_8_1, X64),
    "10": (WINDOWS_10, X64), "11": (WINDOWS_11, X64),
}  # fmt: skip
GPT_GUID = "0d2b7e51-8c40-4b67-8f00-51e2a0c3d003"


def diagnosis(windows: MemoryWindows, controller: Controller) -> Diagnosis:
    """The diagnosis of the Windows; one that can lie on a GPT disk does."""
    installation = windows.installation
    if installation.version >= (6, 0):
        volume = installation.volume
        volume.partition = replace(volume.partition, guid=GPT_GUID)
    return diagnose(chain(), installation, windows.hive, controller)


def machine(name: str, cached: Path) -> MemoryWindows:
    """A Windows of the release as Setup leaves it; from Windows 8 on, one that ran on hardware that is gone."""
    release, arch = RELEASES[name]
    return memory_windows(
        cached, ControlSet(1), directory=release.directory, release=release, arch=arch, select=Select(last_known_good=1)
    )


def verdict(windows: MemoryWindows, controller: Controller) -> str:
    """``boots``, ``can be mended`` (without a driver source), ``needs a driver``, ``never`` or ``unknown``."""
    found = diagnosis(windows, controller)
    if found.verdict is not Verdict.BLOCKED:
        return found.verdict.value
    if any(not each.fixable for each in found.blockers):
        return "never"
    return "needs a driver" if needs_driver(found) else "can be mended"


def told(cached: Path) -> str:
    lines = []
    for name in RELEASES:
        windows = machine(name, cached)
        lines.append(f"Windows {name}")
        by_verdict: dict[str, list[str]] = {}
        for controller in CONTROLLERS:
            by_verdict.setdefault(verdict(windows, controller), []).append(controller.target)
        for found in sorted(by_verdict):
            lines += [f"  {found}", *(f"    {target}" for target in by_verdict[found])]
    return "\n".join(lines) + "\n"


def test_every_target_in_every_windows(machine_cache: Path) -> None:
    found = told(machine_cache)
    if "WRITE_GOLDENS" in os.environ:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


@pytest.mark.parametrize("name", RELEASES)
def test_what_can_be_mended_boots_then_and_needs_no_second_repair(name: str, machine_cache: Path) -> None:
    at_first = machine(name, machine_cache)
    for controller in CONTROLLERS:
        if verdict(at_first, controller) != "can be mended":
            continue
        windows = machine(name, machine_cache)
        plan = plan_repair(windows.installation, windows.hive, [(diagnosis(windows, controller), None)])
        assert plan.changes
        apply(plan, windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
        windows = windows.reread()
        assert verdict(windows, controller) == "boots", controller.target
        again = plan_repair(windows.installation, windows.hive, [(diagnosis(windows, controller), None)])
        assert again.changes == ()
