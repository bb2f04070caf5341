"""``check`` of one target, of several and of all: each row says what is said of its target alone."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.machines import bcd, vista
from tests.machines.build import BuiltMachine
from tests.report.contract import printed
from tests.worker.in_process import do, overlays_on

from bootgraft.targets.controllers import CONTROLLERS
from bootgraft.worker.ipc.job import Operation

Build = Callable[..., BuiltMachine]
ROW = ("target", "verdict", "image_verdict", "stop_code")


def check(machine: BuiltMachine, *targets: str) -> tuple[int, Any]:
    outcome = do(Operation.CHECK, overlays_on(machine.disk), targets=targets)
    return outcome.status, printed(outcome.document)


@pytest.fixture
def uefi(build_machine: Build) -> BuiltMachine:
    """A Windows that UEFI firmware starts from a GPT disk."""
    own = [bcd.gpt_device(vista.DISK_GUID, guid) for guid in (vista.ESP_GUID, vista.WINDOWS_GUID, vista.RECOVERY_GUID)]
    return build_machine(vista.uefi(vista.full_store(*own, uefi=True), files=vista.with_resume("efi")))


@pytest.mark.parametrize("name", ["server1", "uefi"])
def test_the_table_has_every_target_and_says_of_each_what_is_said_of_it_alone(
    name: str, request: pytest.FixtureRequest
) -> None:
    machine = request.getfixturevalue(name)
    status, found = check(machine)
    assert (status, found["target"]) == (1, None)
    rows = {each["target"]: each for each in found["targets"]}
    assert list(rows) == [each.target for each in CONTROLLERS]
    for target in ("vmware:lsilogic", "vmware:ide", "kvm:ide", "hyperv:gen2", "xen:pv"):
        alone = check(machine, target)[1]
        assert {each: rows[target][each] for each in ROW} == {each: alone[each] for each in ROW}
        together = [*found["findings"], *rows[target]["findings"]]
        assert all(each in together for each in alone["findings"])


def test_several_targets_are_all_answered_and_the_worst_decides(server1: BuiltMachine) -> None:
    status, found = check(server1, "vmware:ide", "proxmox:virtio-blk", "kvm:virtio-blk")
    assert (status, found["verdict"]) == (1, "blocked")
    assert [each["target"] for each in found["targets"]] == ["vmware:ide", "kvm:virtio-blk"]
    assert check(server1, "vmware:ide", "hyperv:gen1")[0] == 0


def test_one_target_given_twice_is_one(server1: BuiltMachine) -> None:
    status, found = check(server1, "vmware:ide", "VMware:IDE")
    assert (status, found["target"]) == (0, "vmware:ide")
    assert "targets" not in found
