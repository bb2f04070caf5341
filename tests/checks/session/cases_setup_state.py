"""The three machines of each finding of ``setup_state``."""

from collections.abc import Mapping

from tests.checks.core_case import CoreCase
from tests.core_windows import core_windows
from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows

from bootgraft.checks.session.setup_state import INTERRUPTED, PREPARED, UNFINISHED, find


def setup(child: int | None, values: Mapping[str, RegistryValue]) -> MemoryWindows:
    """Windows 7 with these values of the key Setup; ``child`` is what Setup's own part is marked as."""
    keys: dict[str, dict[str, RegistryValue]] = {"Setup": dict(values)}
    if child is not None:
        keys[r"Setup\Status\ChildCompletion"] = {"setup.exe": child}
    return core_windows(f"{reg_text(keys)}\n\n", release=WINDOWS_7)


OOBE: dict[str, RegistryValue] = {"SetupType": 2, "SystemSetupInProgress": 1, "CmdLine": r"oobe\windeploy.exe"}

CASES = {
    INTERRUPTED: CoreCase(find, lambda: setup(1, OOBE), lambda: setup(3, {"SetupType": 0})),
    UNFINISHED: CoreCase(find, lambda: setup(None, {"SetupType": 2, "CmdLine": "cmd.exe"})),
    PREPARED: CoreCase(find, lambda: setup(None, OOBE), lambda: setup(None, {"SetupType": 0})),
}
