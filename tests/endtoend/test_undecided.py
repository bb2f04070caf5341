"""Machines whose disk does not show whether they start: never called bootable, repaired where possible."""

from collections.abc import Callable

import pytest
from tests.endtoend.story import LSI_LOGIC, Bootgraft, Build, findings
from tests.machines import oracles
from tests.machines.bindings import SCSI_ADAPTER
from tests.machines.build import BuiltMachine
from tests.machines.spec import VolumeState
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import LSI_LOGIC_DEVICE, Symmpi

from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, text_data
from bootgraft.storage.devices.rawfile import RawFile

READY = {"symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.GOOD}
SETS = ("ControlSet001", "ControlSet002")


def edit(machine: BuiltMachine, change: Callable[[Hive], None]) -> None:
    """Change the SYSTEM hive of the dead server."""
    disk = RawFile(machine.disk, writable=True)
    with Machine.read([disk], writable=True) as opened:
        volume = opened.volume(0, 2)
        assert volume is not None
        hive = volume.hive(r"\WINDOWS\system32\config\SYSTEM")
        change(hive)
        hive.commit(filetime=130_000_000_000_000_000)
    disk.close()


def name_by_system_root(hive: Hive) -> None:
    """A path that the kernel understands, and the service control manager writes for drivers that start later."""
    path = text_data(r"\SystemRoot\system32\DRIVERS\symmpi.sys")
    for name in SETS:
        hive.set_value(rf"{name}\Services\symmpi", "ImagePath", ValueType.REG_EXPAND_SZ, path)


def bind_one_slot_only(hive: Hive) -> None:
    """The machine ran with the controller in one PCI slot, and has no binding for any other."""
    for name in SETS:
        hive.delete_key(rf"{name}\Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}")
        key = rf"{name}\Enum\PCI\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\3&61aaa01&0&80"
        hive.create_key(key)
        hive.set_value(key, "ClassGUID", ValueType.REG_SZ, text_data(SCSI_ADAPTER))
        hive.set_value(key, "Service", ValueType.REG_SZ, text_data("symmpi"))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (name_by_system_root, "boot-service-path-not-relative"),
        (bind_one_slot_only, "device-binding-only-in-enum"),
    ],
)
def test_it_is_unknown_until_it_is_repaired(
    change: Callable[[Hive], None],
    finding: str,
    build_server1: Build,
    bootgraft: Bootgraft,
) -> None:
    machine = build_server1(**READY)
    edit(machine, change)
    before = oracles.sha256(machine.disk)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, check.json["verdict"], check.json["stop_code"]) == (1, "unknown", None)
    assert findings(check) == [("warning", finding)] * 2
    assert bootgraft("repair", machine.disk, *LSI_LOGIC).status == 0
    after = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_a_windows_that_is_hibernated_resumes_on_hardware_that_it_does_not_know(
    build_server1: Build, bootgraft: Bootgraft
) -> None:
    machine = build_server1(**READY, volume_state=VolumeState.HIBERNATED)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, check.json["verdict"]) == (1, "unknown")
    assert findings(check) == [("warning", "hibernated-session")]
