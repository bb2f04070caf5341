"""virt-v2v's first-boot service: one that is to run yet, and one that never ends."""

import pytest
from msgspec.structs import replace
from tests.checks.session.first_boots import AGENT, DRIVERS, converted, failed
from tests.core_windows import guest, in_sets, repaired
from tests.machines.registry_text import RegistryValue
from tests.memory_windows import MemoryWindows

from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.session import first_boot
from bootgraft.checks.session.first_boot import PENDING, REPEATS
from bootgraft.windows.leftovers.first_boot import FOLDER, LOG


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(first_boot.find(guest(windows)))


def test_a_script_that_fails_at_every_start_is_named_with_what_it_said() -> None:
    (finding,) = find(converted(failed() * 5))
    assert (finding.id, finding.severity, finding.remedy) == (REPEATS, Severity.WARNING, Remedy.OFFERED)
    assert DRIVERS in finding.title
    assert any("exit code 249, 5 times in a row" in each for each in finding.evidence)
    assert any("Failed to install smbus.inf." in each for each in finding.evidence)
    assert not finding.leaves_open


def test_to_disable_it_leaves_nothing_to_say() -> None:
    windows = converted(failed() * 2)
    findings = find(windows)
    assert len(findings[0].changes) == 2  # in both control sets
    assert find(repaired(windows, findings)) == ()


@pytest.mark.parametrize(
    "log",
    [
        None,
        "",
        "starting firstboot service\r\n",
        failed(),
        failed(code=0) * 3,
        failed(AGENT) * 3 + failed(),
        'running "C:\\x\\hangs.bat"\r\nstill busy\r\n',
        ".... exit code 249\r\n" * 5,
    ],
    ids=["no log", "empty", "no script yet", "once", "done", "another one before", "no end", "no name"],
)
def test_a_first_boot_that_is_to_go_on_is_no_fault(log: str | None) -> None:
    (finding,) = find(converted(log))
    assert (finding.id, finding.severity) == (PENDING, Severity.INFO)


def test_a_script_that_failed_once_is_told() -> None:
    (finding,) = find(converted(failed()))
    assert any("exit code 249, once" in each for each in finding.evidence)


def test_a_script_that_is_done_does_not_count() -> None:
    (finding,) = find(converted(failed() * 4, scripts=(AGENT,)))
    assert finding.id == PENDING


def test_a_service_without_scripts_ends_at_once() -> None:
    assert find(converted(failed() * 4, scripts=())) == ()


def test_a_program_on_another_drive_never_runs() -> None:
    windows = converted(None)
    windows = replace(windows, installation=replace(windows.installation, drive_letter="D:"))
    (finding,) = find(windows)
    assert "will never run" in finding.explanation


OTHER: dict[str, dict[str, RegistryValue]] = {
    r"services\firstboot": {"ImagePath": r"C:\Tools\firstboot.exe"},
    r"services\firstboot\Parameters": {"CommandLine": "other"},
}
DISABLED: dict[str, dict[str, RegistryValue]] = {r"services\firstboot": {"Start": 4}}


@pytest.mark.parametrize("keys", [OTHER, DISABLED], ids=["another one's", "disabled"])
def test_another_service_of_that_name_does_not_count(keys: dict[str, dict[str, RegistryValue]]) -> None:
    assert find(converted(failed() * 3, edits=in_sets(keys))) == ()


def test_a_huge_or_foreign_log_is_read_at_its_end() -> None:
    windows = converted(None)
    windows.filesystem.files[LOG] = bytes(range(256)) * 4000 + b"\r\n" + failed().encode() * 2
    (finding,) = find(windows.reread())
    assert finding.id == REPEATS
    assert all(each.isprintable() for each in finding.evidence)


def test_what_is_no_folder_has_no_scripts() -> None:
    windows = converted(failed() * 3, scripts=())
    windows.filesystem.files[rf"{FOLDER}\scripts"] = b"a file"
    assert find(windows.reread()) == ()
