"""Drivers for the old machine's processor and AGP bridge."""

import pytest
from tests.checks.core.cases_old_hardware import found, with_driver
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.old_hardware import AGP, PROCESSOR, find
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.guest import DescribedVm
from bootgraft.targets.controllers import find_controller
from bootgraft.targets.descriptions.hardware import Processor
from bootgraft.windows.leftovers.old_hardware import Hardware, make_of


def on_processor(windows: MemoryWindows, model: str) -> tuple[Finding, ...]:
    described = DescribedVm("100.conf", processor=Processor(model, f"cpu: {model}", 4, ""))
    target = find_controller("kvm:ide")
    return tuple(find(guest_of(chain(), windows.installation, windows.hive, target, described=described)))


def test_without_a_description_it_is_told_and_offered() -> None:
    (finding,) = found(with_driver("intelppm", 1))
    assert (finding.id, finding.severity, finding.remedy) == (PROCESSOR, Severity.INFO, Remedy.OFFERED)
    assert len(finding.changes) == 2


@pytest.mark.parametrize(
    ("driver", "model", "expected"),
    [
        ("intelppm", "EPYC-Rome", [Severity.WARNING]),
        ("intelppm", "Haswell-noTSX", []),
        ("intelppm", "", [Severity.INFO]),
        ("AmdK7", "Skylake-Server", [Severity.WARNING]),
        ("AmdK7", "Opteron_G5", []),
        ("Crusoe", "Penryn", [Severity.WARNING]),
        ("Processor", "Penryn", [Severity.INFO]),
    ],
)
def test_a_processor_of_another_make_makes_it_a_warning(driver: str, model: str, expected: list[Severity]) -> None:
    findings = on_processor(with_driver(driver, 1), model)
    assert [each.severity for each in findings] == expected
    if expected == [Severity.WARNING]:
        assert findings[0].evidence[1] == f"100.conf, line 4: cpu: {model}"


@pytest.mark.parametrize(
    ("driver", "met", "expected"),
    [
        ("intelppm", "AuthenticAMD_-_x86_Family_15_Model_4", Severity.WARNING),
        ("intelppm", "GenuineIntel_-_x86_Family_6_Model_37", Severity.INFO),
        ("AmdK8", "GenuineIntel_-_x86_Family_6_Model_37", Severity.WARNING),
        ("Processor", "AuthenticAMD_-_x86_Family_15_Model_4", Severity.INFO),
    ],
)
def test_one_that_the_image_was_made_with_is_a_warning(driver: str, met: str, expected: Severity) -> None:
    (finding,) = found(with_driver(driver, 1, met=met))
    assert finding.severity is expected


@pytest.mark.parametrize("start", [0, 3, 4])
def test_one_that_plug_and_play_starts_does_not_count(start: int) -> None:
    assert found(with_driver("intelppm", start)) == ()


def test_one_without_a_file_is_another_check_s_matter() -> None:
    assert found(with_driver("intelppm", 1, file=False)) == ()


@pytest.mark.parametrize(("target", "expected"), [("kvm:ide", [AGP]), ("vmware:ide", []), ("hyperv:gen1", [])])
def test_machines_with_the_bridge_need_its_filter(target: str, expected: list[str]) -> None:
    assert [each.id for each in found(with_driver("agp440", 0), target)] == expected


def test_later_windows_have_plug_and_play_start_them() -> None:
    assert found(with_driver("intelppm", 1, WINDOWS_7)) == ()


@pytest.mark.parametrize(
    ("model", "make"),
    [("EPYC", Hardware.AMD), ("kvm64", Hardware.INTEL), ("qemu64", None), ("x86-64-v2-AES", None), ("", None)],
)
def test_the_make_of_a_model(model: str, make: Hardware | None) -> None:
    assert make_of(model) is make
