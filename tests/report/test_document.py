"""The documents are exactly what docs/json.md says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem
from tests.machines.windows_hives import ControlSet, Instance, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import diagnosis
from tests.report.contract import faults, printed
from tests.worker.in_process import do, overlays_on

from bootgraft.boot.chain import Step
from bootgraft.changes import FileId
from bootgraft.checks.diagnosis import diagnose
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine
from bootgraft.report.device import DeviceSpec
from bootgraft.report.document import (
    check_document,
    inspect_document,
    windows_document,
)
from bootgraft.report.programs.remediation import RepairContext
from bootgraft.storage.disks.partitions import Partition
from bootgraft.worker.ipc.job import Operation

HIVE = FileId(0, 8192, "disk 0 partition 1", "\\WINDOWS\\system32\\config\\SYSTEM")


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX, instance=Instance.DISABLED), ControlSet(2))


def test_check_keeps_the_contract(windows: MemoryWindows) -> None:
    document = printed(check_document(diagnosis(windows), repair=RepairContext()))
    assert faults(document, "check") == []
    assert document["target"] == "vmware:lsilogic"
    assert document["windows"]["select"] == {"current": 1, "default": 1, "failed": 0, "last_known_good": 2}
    assert document["windows"]["version"] == "5.2"
    assert [each["fixable"] for each in document["findings"]] == [True] * len(document["findings"])


def test_check_of_a_machine_without_windows_keeps_it_too() -> None:
    document = printed(check_document(diagnose(guest_of(chain(holds=False))), repair=RepairContext()))
    assert faults(document, "check") == []
    assert (document["target"], document["windows"], document["stop_code"]) == (None, None, None)


@pytest.mark.parametrize("name", ["plain", "logical", "two", "disks", "fat"])
def test_inspect_keeps_the_contract(build_server1: Callable[..., BuiltMachine], name: str) -> None:
    variants: dict[str, dict[str, Any]] = {
        "plain": {}, "logical": {"logical": True}, "two": {"second_installation": True}, "disks": {"second_disk": True},
        "fat": {"system_filesystem": FileSystem.FAT16},
    }  # fmt: skip
    machine = build_server1(name=name, **variants[name])
    outcome = do(Operation.INSPECT, overlays_on(*machine.disks), targets=())
    document = printed(outcome.document)
    assert faults(document, "inspect") == []
    numbers = [each["number"] for disk in document["disks"] for each in disk["partitions"]]
    assert None in numbers if name == "logical" else None not in numbers
    assert sum(each["default_boot"] for each in document["windows"]) == 1


def test_repair_keeps_the_contract_before_anything_is_written(server1: BuiltMachine, donor: BuiltMachine) -> None:
    for donors in ([donor.disk], []):
        document = printed(do(Operation.REPAIR, overlays_on(server1.disk), donors).document)
        assert (document["committed"], document["journal"], document["overlays"]) == (False, None, [])
        assert faults(document, "repair") == []


def inspected(machine: Machine, **changes: Any) -> Any:
    images = [DeviceSpec(f"{number}.raw", "raw", 1) for number in range(len(machine.disks))]
    return printed(inspect_document(machine, images, [], changes.get("steps", ()), changes.get("unreadable", ())))


def test_inspect_of_a_machine_with_nothing_on_it() -> None:
    document = inspected(machine_of([], []))
    assert faults(document, "inspect") == []
    assert [each["table"] for each in document["disks"]] == ["none", "none"]
    assert document["disks"][0]["signature"] is None


def test_inspect_tells_labels_problems_steps_and_what_cannot_be_read() -> None:
    labelled = volume_of("\\ntldr")
    labelled.label, labelled.kind = "SYSTEM", FileSystemKind.FAT16
    machine = machine_of([FakePartition(labelled, active=True), FakePartition()], problems=["entry 3 overlaps entry 2"])
    steps = [Step("a", "b", "c", holds=False)]
    document = inspected(machine, steps=steps, unreadable=["disk 0 partition 2: damaged"])
    assert faults(document, "inspect") == []
    first, second = document["disks"][0]["partitions"]
    assert (first["label"], first["filesystem"], first["active"]) == ("SYSTEM", "fat16", True)
    assert (second["label"], second["filesystem"]) == (None, None)
    assert document["disks"][0]["problems"] == ["entry 3 overlaps entry 2"]
    assert document["disks"][0]["signature"] == "12345678"
    assert document["boot_chain"] == [{"link": "", "what": "a", "where": "b", "evidence": "c", "holds": False}]
    assert document["unreadable"] == ["disk 0 partition 2: damaged"]


def test_an_installation_in_words(windows: MemoryWindows) -> None:
    document = printed(windows_document(windows.installation))
    assert (document["id"], document["root"], document["arch"]) == ("disk0-partition1-WINDOWS", "\\WINDOWS", "x86")
    assert document["control_sets"] == [1, 2]
    assert isinstance(windows.installation.volume.partition, Partition)
