"""The hives beside SYSTEM."""

import pytest
from tests.core_windows import core_windows, guest

from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.session import machine_hives
from bootgraft.checks.session.machine_hives import ID

HIVES = ("default", "SAM", "SECURITY", "software")


def test_windows_as_shipped_have_them() -> None:
    assert tuple(machine_hives.find(guest(core_windows()))) == ()


@pytest.mark.parametrize("name", HIVES)
def test_each_that_is_missing_stops_the_kernel(name: str) -> None:
    found = diagnose(guest(core_windows(without=(rf"system32\config\{name}",))))
    assert found.verdict is Verdict.BLOCKED
    assert [(each.id, each.stop_code) for each in found.blockers] == [(ID, "0xc0000218")]


@pytest.mark.parametrize("content", [b"", b"no hive at all"])
def test_a_file_that_is_no_hive_is_as_bad(content: bytes) -> None:
    (finding,) = machine_hives.find(guest(core_windows(files={r"system32\config\SAM": content})))
    assert finding.id == ID
