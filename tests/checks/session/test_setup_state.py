"""Windows whose next start is one of Setup, or of a command in place of the log-on."""

import pytest
from tests.checks.session.cases_setup_state import OOBE, setup
from tests.core_windows import guest, repaired
from tests.machines.registry_text import RegistryValue
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows
from tests.software_edits import with_software

from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.session import setup_state
from bootgraft.checks.session.setup_state import INTERRUPTED, PREPARED, UNFINISHED


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(setup_state.find(guest(windows)))


@pytest.mark.parametrize(
    "values", [{}, {"CmdLine": "setup -newsetup"}, {"SetupType": 0, "CmdLine": r"C:\WINDOWS\System32\oobe\msoobe.exe"}]
)
def test_a_command_alone_says_nothing(values: dict[str, RegistryValue]) -> None:
    assert find(setup(None, values)) == ()


def test_a_mark_of_setup_that_is_done_is_none() -> None:
    assert find(setup(3, {})) == ()
    assert find(setup(1, {})) == ()  # it counts only while Setup runs


def test_setup_that_was_interrupted_leaves_the_verdict_open() -> None:
    windows = setup(1, {"SetupType": 2, "SystemSetupInProgress": 1})
    (finding,) = find(windows)
    assert (finding.id, finding.leaves_open, finding.remedy) == (INTERRUPTED, True, Remedy.OFFERED)
    (finding,) = find(repaired(windows, (finding,)))
    assert finding.id == UNFINISHED


def test_a_command_in_place_of_the_log_on_is_taken_back() -> None:
    windows = setup(None, {"SetupType": 2, "CmdLine": "cmd.exe /c x\x1b"})
    (finding,) = find(windows)
    assert (finding.id, finding.severity) == (UNFINISHED, Severity.WARNING)
    assert "CmdLine=cmd.exe /c x?" in finding.evidence[0]
    assert find(repaired(windows, (finding,))) == ()


def test_setup_itself_is_not_called_off() -> None:
    (finding,) = find(setup(None, {"SetupType": 1, "SystemSetupInProgress": 1, "CmdLine": "setup -newsetup"}))
    assert (finding.id, finding.remedy, finding.changes) == (UNFINISHED, Remedy.NONE, ())


@pytest.mark.parametrize(
    "values",
    [
        OOBE,
        {"SetupType": 1, "CmdLine": "setup.exe -newsetup -mini"},
        {"SetupType": 1, "MiniSetupInProgress": 1},
    ],
)
def test_an_image_of_sysprep_is_as_it_should_be(values: dict[str, RegistryValue]) -> None:
    (finding,) = find(setup(None, values))
    assert (finding.id, finding.severity) == (PREPARED, Severity.INFO)


def test_the_state_that_sysprep_left_in_software_counts() -> None:
    key = r"Microsoft\Windows\CurrentVersion\Setup\State"
    state: dict[str, dict[str, RegistryValue]] = {key: {"ImageState": "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"}}
    (finding,) = find(with_software(setup(None, {"SystemSetupInProgress": 1}), WINDOWS_7, state))
    assert finding.id == PREPARED
    assert finding.evidence[1] == "SOFTWARE: ImageState=IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
