"""Changes to a SYSTEM hive that several checks make."""

from datetime import UTC, datetime

from tests.core_windows import core_windows, in_sets
from tests.machines.registry_text import RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10

from bootgraft.changes import Plan
from bootgraft.checks.hive_edit import disable_service
from bootgraft.repair.apply import apply
from bootgraft.windows.services import read_service

OWN: dict[str, dict[str, RegistryValue]] = {
    r"Services\own": {"Type": 1, "Start": 0},
    r"Services\own\StartOverride": {"0": 0, "1": 3},
}


def test_what_replaces_start_is_set_too() -> None:
    windows = core_windows(in_sets(OWN), release=WINDOWS_10, arch=Architecture.X64)
    changes = disable_service(windows.installation, windows.hive, "own")
    apply(Plan(changes), windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    windows = windows.reread()
    for number in (1, 2):
        service = read_service(windows.hive, number, "own")
        assert service is not None
        assert (service.start, {each.start for each in service.start_overrides}) == (4, {4})
    assert disable_service(windows.installation, windows.hive, "own") == ()


def test_a_service_that_is_not_there_is_not_made() -> None:
    windows = core_windows()
    assert disable_service(windows.installation, windows.hive, "no-such") == ()
