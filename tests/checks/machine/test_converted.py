"""Traces of the tools that converted a machine before."""

import pytest
from msgspec.structs import replace
from tests.checks.machine.cases_converted import with_folder
from tests.core_windows import core_windows, guest, in_sets
from tests.machines.bindings import SCSI_ADAPTER, Binding, database_keys
from tests.machines.registry_text import reg_text
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10
from tests.memory_windows import MemoryWindows

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine import converted
from bootgraft.windows.installation import Select

X64 = Architecture.X64


def guestor(name: str | None = None) -> MemoryWindows:
    binding = Binding((r"PCI\VEN_1AF4&DEV_1001",), SCSI_ADAPTER, "viostor", "guestor.inf", "guestor_conf")
    keys = reg_text(database_keys((binding,), (10, 0), X64))
    if name is not None:
        named = next(each for each in keys.split('"') if each.startswith("guestor.inf_"))
        keys = keys.replace(named, name)
    return core_windows(f"{keys}\n\n", release=WINDOWS_10, arch=X64)


def evidence(windows: MemoryWindows) -> str:
    (finding,) = converted.find(guest(windows))
    assert finding.severity is Severity.INFO
    return f"{finding.title}\n" + "\n".join(finding.evidence)


def test_a_machine_that_was_never_converted_has_no_trace() -> None:
    assert tuple(converted.find(guest(core_windows()))) == ()


@pytest.mark.parametrize(("folder", "tool"), [(r"\Program Files\Guestfs", "virt-v2v"), (r"\hyper2kvm", "hyper2kvm")])
def test_the_folder_of_a_tool_is_its_trace(folder: str, tool: str) -> None:
    assert f"by {tool}" in evidence(with_folder(folder))


def test_a_file_of_that_name_is_none() -> None:
    windows = core_windows()
    windows.filesystem.files[r"\hyper2kvm"] = b""
    assert tuple(converted.find(guest(windows))) == ()


def test_two_tools_are_both_named() -> None:
    windows = core_windows(in_sets({r"Services\hyper2kvm-firstboot": {"Start": 2}}))
    windows.filesystem.directories.append(r"\Program Files\Guestfs")
    assert "by virt-v2v and by hyper2kvm" in evidence(windows.reread())


def test_the_one_driver_that_virt_v2v_bound_is_named() -> None:
    text = evidence(guestor())
    assert "guestor.inf binds viostor" in text
    assert "Windows Update" not in text


def test_a_package_of_a_wrong_name_is_told() -> None:
    assert "its package is called guestor_tmp" in evidence(guestor("guestor_tmp"))


def test_that_virt_v2v_wrote_into_another_control_set_is_told() -> None:
    windows = guestor()
    windows = replace(windows, installation=replace(windows.installation, select=Select(2, 1, 0, 2)))
    assert "ControlSet002 (Current) only, and Windows starts with ControlSet001" in evidence(windows)
