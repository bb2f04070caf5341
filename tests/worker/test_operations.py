"""One machine's work from start to end, on images that outside tools built; no child process in between."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.machines.build import BuiltMachine, content
from tests.machines.registry_text import reg_text
from tests.machines.spec import Architecture, File, HiveState, VolumeState
from tests.machines.windows_files import DriverFile, symmpi_binary
from tests.machines.windows_hives import ControlSet, Instance, Select, Symmpi, binding_keys, symmpi_keys
from tests.report.contract import printed
from tests.storage.sample_disks import MemoryDisk
from tests.worker.in_process import do, overlays_on

from bootgraft.errors import (
    BootgraftError,
    DriverSourceError,
    PartitionTableError,
    UnsafeVolumeError,
    UsageError,
)
from bootgraft.events import Event
from bootgraft.machine import Firmware
from bootgraft.report.layout.lines import plain
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.worker.ipc.job import AnyOutcome, Operation

Build = Callable[..., BuiltMachine]


def document(outcome: AnyOutcome) -> Any:
    return printed(outcome.document)


def findings(check: Any) -> list[tuple[str, str]]:
    return [(each["id"], each["severity"]) for each in check["findings"]]


def test_inspect_tells_the_whole_machine(server1: BuiltMachine) -> None:
    outcome = do(Operation.INSPECT, overlays_on(server1.disk), targets=())
    found = document(outcome)
    assert outcome.status == 0
    assert [(p["number"], p["active"], p["filesystem"]) for p in found["disks"][0]["partitions"]] == [
        (1, True, "ntfs"),
        (2, False, "ntfs"),
    ]
    assert [(each["id"], each["default_boot"]) for each in found["windows"]] == [("disk0-partition2-WINDOWS", True)]
    assert all(step["holds"] for step in found["boot_chain"])
    assert found["unreadable"] == []
    assert plain(outcome.text).startswith(
        "Microsoft Windows Server 2003 on disk 0 partition 2 is what this machine boots"
    )


def test_an_installation_that_cannot_be_read_does_not_hide_the_machine(build_server1: Build) -> None:
    machine = build_server1(name="corrupt", system_state=HiveState.NOT_A_HIVE)
    outcome = do(Operation.INSPECT, overlays_on(machine.disk), targets=())
    found = document(outcome)
    assert found["windows"] == []
    assert len(found["unreadable"]) == 1
    assert "SYSTEM" in found["unreadable"][0]
    assert "cannot be read:" in plain(outcome.text)


def test_check_without_a_target_is_never_better_than_unknown(server1: BuiltMachine) -> None:
    outcome = do(Operation.CHECK, overlays_on(server1.disk), targets=())
    assert outcome.status == 1
    assert document(outcome)["verdict"] == "unknown"
    assert findings(document(outcome)) == [("target-not-given", "info")]


def test_check_of_a_controller_that_windows_has_the_drivers_for(server1: BuiltMachine) -> None:
    outcome = do(Operation.CHECK, overlays_on(server1.disk), targets=["vmware:ide"])
    assert (outcome.status, document(outcome)["verdict"]) == (0, "boots")


def test_check_repair_check_repair(server1: BuiltMachine, donor: BuiltMachine) -> None:
    disks = overlays_on(server1.disk)
    check = do(Operation.CHECK, disks)
    assert check.status == 1
    assert document(check)["verdict"] == "blocked"
    assert document(check)["stop_code"] == "0x7b"
    assert findings(document(check)) == [("device-binding-missing", "blocker"), ("device-binding-missing", "warning")]
    events: list[Event] = []
    repair = do(Operation.REPAIR, disks, [donor.disk], monitor=events.append)
    assert (repair.status, repair.proven) == (0, True)
    assert repair.summary == "1 file and 32 registry changes"
    assert [event.text for event in events] == [
        "reading the machine",
        "reading the driver sources",
        "verifying the hives that are to be edited",
        "applying the plan to the overlay",
        "proving the result on the overlay, mounted again",
    ]
    told = document(repair)
    assert [each["verdict"] for each in told["before"]] == ["blocked"]
    assert [each["verdict"] for each in told["after"]] == ["boots"]
    assert (told["committed"], told["journal"]) == (False, None)
    assert do(Operation.CHECK, disks).status == 0
    again = do(Operation.REPAIR, disks, [donor.disk])
    assert (again.status, again.proven, document(again)["changes"]) == (0, False, [])
    assert plain(again.text).startswith("Nothing to do: nothing was changed.")


@pytest.mark.parametrize(
    ("variant", "before"),
    [
        ({"name": "in-box", "symmpi": Symmpi.IN_BOX}, ["device-binding-missing"]),
        (
            {"name": "sets", "control_sets": (1, 3), "select": Select(current=1, default=3, last_known_good=1)},
            ["device-binding-missing"],
        ),
        (
            {"name": "disabled", "symmpi": Symmpi.READY, "binding": True, "instance": Instance.DISABLED,
             "driver": DriverFile.GOOD},
            ["enum-instance-defeats-binding"],
        ),
        (
            {"name": "stale", "instance": Instance.UNSERVICED},
            ["device-binding-missing"],
        ),
        ({"name": "older", "driver": DriverFile.OLDER}, ["device-binding-missing"]),
        (
            {"name": "other-arch", "symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.OTHER_ARCHITECTURE},
            ["driver-file-wrong-architecture"],
        ),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_the_messier_machines(
    build_server1: Build, donor: BuiltMachine, variant: dict[str, Any], before: list[str]
) -> None:
    disks = overlays_on(build_server1(**variant).disk)
    check = document(do(Operation.CHECK, disks))
    assert [each["id"] for each in check["findings"] if each["severity"] == "blocker"] == before
    repair = do(Operation.REPAIR, disks, [donor.disk])
    assert (repair.status, repair.proven) == (0, True), plain(repair.text)
    assert document(do(Operation.CHECK, disks))["findings"] == []
    assert document(do(Operation.REPAIR, disks, [donor.disk]))["changes"] == []


def test_only_a_disabled_instance_needs_no_driver_source(build_server1: Build) -> None:
    machine = build_server1(
        name="disabled", symmpi=Symmpi.READY, binding=True, instance=Instance.DISABLED, driver=DriverFile.GOOD
    )
    repair = do(Operation.REPAIR, overlays_on(machine.disk))
    assert (repair.status, repair.summary) == (0, "2 registry changes")


def test_a_repair_without_a_source_writes_nothing_and_says_what_to_give(server1: BuiltMachine) -> None:
    disks = overlays_on(server1.disk)
    outcome = do(Operation.REPAIR, disks)
    assert (outcome.status, outcome.proven) == (1, False)
    assert plain(outcome.text).startswith("Nothing was written.")
    assert "--drivers SOURCE" in plain(outcome.text)
    assert not disks[0].changed


def test_a_repair_that_would_not_make_it_boot_says_so_first(build_server1: Build, donor: BuiltMachine) -> None:
    machine = build_server1(name="lacks-port", arch=Architecture.X86)
    disks = overlays_on(machine.disk)
    with_binding_only = _write(donor.disk.parent / "binding.reg", _BINDING_ONLY)
    outcome = do(Operation.REPAIR, disks, reg=[with_binding_only])  # and no --file
    assert (outcome.status, outcome.proven) == (1, False)
    assert plain(outcome.text).startswith(
        "Nothing was written: it is not proven that the machine would boot with these changes."
    )
    assert [each["id"] for each in document(outcome)["after"][0]["findings"]] == ["driver-file-missing"] * 2
    assert re.search(
        r"\n    bootgraft repair \S+ --target vmware:lsilogic --reg DRIVER.reg --file DRIVER.sys\n\Z",
        plain(outcome.text),
    )


@pytest.mark.parametrize(("root", "encoding"), [("CurrentControlSet", "utf-16"), ("ControlSet003", "utf-8")])
def test_the_manual_way_of_the_story(
    build_server1: Build, machine_cache: Path, tmp_path: Path, root: str, encoding: str
) -> None:
    keys = symmpi_keys(Symmpi.READY) | binding_keys()
    text = reg_text(keys, version_line=True, root=f"HKEY_LOCAL_MACHINE\\SYSTEM\\{root}")
    (tmp_path / "symmpi.reg").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    driver = symmpi_binary(Architecture.X86, (5, 2, 3790, 3959))
    (tmp_path / "symmpi.sys").write_bytes(content(File("", driver), machine_cache))
    disks = overlays_on(build_server1(name="sets", control_sets=(1, 3)).disk)
    given: dict[str, Any] = {"reg": [tmp_path / "symmpi.reg"], "files": [tmp_path / "symmpi.sys"]}
    outcome = do(Operation.REPAIR, disks, **given)
    assert outcome.proven, plain(outcome.text)
    created = {change["key"] for change in document(outcome)["changes"] if change["kind"] == "create-key"}
    assert {"ControlSet001\\Services\\symmpi", "ControlSet003\\Services\\symmpi"} <= created
    assert document(do(Operation.CHECK, disks))["findings"] == []
    assert document(do(Operation.REPAIR, disks, **given))["changes"] == []


_BINDING_ONLY = r"""REGEDIT4

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\symmpi]
"Type"=dword:00000001
"Start"=dword:00000000

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\CriticalDeviceDatabase\pci#ven_1000&dev_0030]
"ClassGUID"="{4D36E97B-E325-11CE-BFC1-08002BE10318}"
"Service"="symmpi"
"""


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"name": "without", "control_sets": (ControlSet(1), ControlSet(2))}, "has no driver for"),
        ({"name": "fileless", "driver": DriverFile.ABSENT}, "has no driver file"),
        ({"name": "garbage", "driver": DriverFile.GARBAGE}, "cannot be used"),
        ({"name": "x64", "arch": Architecture.X64}, "built for x64"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_a_donor_that_cannot_help_is_named(
    server1: BuiltMachine, build_donor: Build, variant: dict[str, Any], said: str
) -> None:
    disks = overlays_on(server1.disk)
    with pytest.raises(DriverSourceError) as caught:
        do(Operation.REPAIR, disks, [build_donor(**variant).disk])
    assert said in caught.value.what
    assert caught.value.where.startswith(variant["name"])
    assert not disks[0].changed


def test_the_second_donor_helps_where_the_first_cannot(
    server1: BuiltMachine, donor: BuiltMachine, build_donor: Build
) -> None:
    useless = build_donor(name="fileless", driver=DriverFile.ABSENT)
    outcome = do(Operation.REPAIR, overlays_on(server1.disk), [useless.disk, donor.disk])
    assert outcome.proven


def test_a_donor_without_windows_is_named(server1: BuiltMachine, tmp_path: Path) -> None:
    empty = tmp_path / "empty.raw"
    empty.write_bytes(bytes(1 << 20))
    with pytest.raises(DriverSourceError, match="no Windows boots from this donor") as caught:
        do(Operation.REPAIR, overlays_on(server1.disk), [empty])
    assert caught.value.where == "empty.raw"


def test_a_fault_on_the_donor_is_told_as_the_donors(server1: BuiltMachine, build_server1: Build) -> None:
    broken = build_server1(name="broken", system_state=HiveState.NOT_A_HIVE)
    with pytest.raises(BootgraftError) as caught:
        do(Operation.REPAIR, overlays_on(server1.disk), [broken.disk])
    assert caught.value.where.startswith("broken.raw: ")
    assert caught.value.what.startswith("this donor cannot be read: ")


@pytest.mark.parametrize("state", [VolumeState.UNCLEAN, VolumeState.LOG_2_0, VolumeState.HIBERNATED])
def test_a_volume_that_is_not_clean_is_read_and_not_written(
    build_server1: Build, donor: BuiltMachine, state: VolumeState
) -> None:
    disks = overlays_on(build_server1(name="unclean", volume_state=state).disk)
    check = document(do(Operation.CHECK, disks))
    assert check["verdict"] == "blocked"
    expected = "hibernated-session" if state is VolumeState.HIBERNATED else "volume-not-clean"
    assert (expected, "warning") in findings(check)
    with pytest.raises(UnsafeVolumeError) as caught:
        do(Operation.REPAIR, disks, [donor.disk])
    assert caught.value.where == "disk 0 partition 2"
    assert "shutdown /s" in caught.value.advice
    assert not disks[0].changed


def test_another_installation_by_name(build_server1: Build, donor: BuiltMachine) -> None:
    machine = build_server1(name="two", second_installation=True)
    disks = overlays_on(machine.disk)
    assert document(do(Operation.CHECK, disks))["windows"]["root"] == "\\W2"
    other = do(Operation.REPAIR, disks, [donor.disk], windows="DISK0-partition2-windows")
    assert other.proven
    assert document(other)["after"][0]["windows"]["root"] == "\\WINDOWS"
    assert document(do(Operation.CHECK, disks))["verdict"] == "blocked"  # \W2 is what boots


def test_an_installation_that_is_not_there(server1: BuiltMachine) -> None:
    with pytest.raises(UsageError, match="no Windows of that name: nope") as caught:
        do(Operation.CHECK, overlays_on(server1.disk), windows="nope")
    assert "disk0-partition2-WINDOWS" in caught.value.advice
    assert caught.value.exit_status == 2


def test_a_disk_without_a_partition_table() -> None:
    with pytest.raises(PartitionTableError) as caught:
        do(Operation.CHECK, [Overlay(MemoryDisk(bytearray(1 << 20)))])
    assert caught.value.where == "disk0.raw"
    assert "--format" in caught.value.advice


def test_two_targets_in_one_repair(server1: BuiltMachine, donor: BuiltMachine) -> None:
    disks = overlays_on(server1.disk)
    targets = ["vmware:lsilogic", "virtualbox:lsilogic"]
    outcome = do(Operation.REPAIR, disks, [donor.disk], targets=targets)
    assert outcome.proven
    assert [each["target"] for each in document(outcome)["after"]] == targets
    assert outcome.summary == "1 file and 32 registry changes"  # both want the same


def test_a_target_that_the_donor_does_not_serve(server1: BuiltMachine, donor: BuiltMachine) -> None:
    with pytest.raises(DriverSourceError, match="no driver for PCI"):
        do(Operation.REPAIR, overlays_on(server1.disk), [donor.disk], targets=["vmware:lsilogic", "vmware:pvscsi"])


def test_one_target_that_can_never_be_stops_the_repair(server1: BuiltMachine, donor: BuiltMachine) -> None:
    outcome = do(Operation.REPAIR, overlays_on(server1.disk), [donor.disk], targets=["vmware:lsilogic", "hyperv:gen2"])
    assert (outcome.status, outcome.proven) == (1, False), plain(outcome.text)


def test_what_lies_outside_the_image_does_not_keep_the_graft_from_being_proven(
    server1: BuiltMachine, donor: BuiltMachine
) -> None:
    disks = overlays_on(server1.disk)
    outcome = do(Operation.REPAIR, disks, [donor.disk], firmware=Firmware.UEFI)
    assert (outcome.status, outcome.proven, outcome.summary) == (1, True, "1 file and 32 registry changes")
    assert outcome.witnesses
    after = document(outcome)["after"][0]
    assert (after["verdict"], after["image_verdict"]) == ("blocked", "boots")
    assert [(each["id"], each["fault_in"]) for each in after["findings"]] == [("vm-firmware", "outside")]
    left = "Left to do outside the image:\n    the machine has UEFI firmware, and its disk starts with BIOS only\n"
    assert left in plain(outcome.text)
    assert do(Operation.CHECK, disks, firmware=Firmware.BIOS).status == 0
    again = do(Operation.REPAIR, disks, [donor.disk], firmware=Firmware.UEFI)
    assert (again.status, again.proven, document(again)["changes"]) == (1, False, [])
    assert plain(again.text).startswith("Nothing to do on the image: nothing was changed.")
    assert left in plain(again.text)


def test_what_lacks_in_the_image_is_still_not_written_half(server1: BuiltMachine) -> None:
    disks = overlays_on(server1.disk)
    outcome = do(Operation.REPAIR, disks, firmware=Firmware.UEFI)
    assert (outcome.status, outcome.proven, disks[0].changed) == (1, False, False)
    assert plain(outcome.text).startswith("Nothing was written.")
