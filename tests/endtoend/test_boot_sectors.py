"""Disks that a BIOS cannot start, though every file is in its place: MBR code, active flag, the boot sector's numbers.

A healthy machine has single fields spoilt; a repair must give back the very image that it was made from.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.endtoend.story import LSI_LOGIC, Bootgraft, findings, grafting
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem
from tests.machines.windows2003 import Server1, dead_server
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

Build = Callable[..., BuiltMachine]
FLAGS = [446 + 16 * slot for slot in range(4)]
HIDDEN, GEOMETRY = 0x1C, 0x18


def spoil(disk: Path, fields: Mapping[int, bytes]) -> None:
    with disk.open("r+b") as image:
        for offset, data in fields.items():
            image.seek(offset)
            image.write(data)


def at(disk: Path, offset: int, length: int) -> bytes:
    with disk.open("rb") as image:
        image.seek(offset)
        return image.read(length)


@pytest.fixture
def healthy(build_machine: Build) -> Callable[..., BuiltMachine]:
    """A server1 that starts: loader on partition 1, Windows with its driver on partition 2."""

    def make(**variant: Any) -> BuiltMachine:
        ready = Server1("healthy", symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD, **variant)
        return build_machine(dead_server(ready))

    return make


@pytest.mark.parametrize("filesystem", [FileSystem.NTFS, FileSystem.FAT16, FileSystem.FAT32])
def test_a_healthy_machine_has_no_such_fault(filesystem: FileSystem, healthy: Build, bootgraft: Bootgraft) -> None:
    machine = healthy(system_filesystem=filesystem, system_mib=40)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (0, [])


def mended_to_the_byte(machine: BuiltMachine, fields: dict[int, bytes], finding: str, bootgraft: Bootgraft) -> None:
    good = oracles.sha256(machine.disk)
    spoil(machine.disk, fields)
    spoilt = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", finding)])
    dry = bootgraft("repair", machine.disk, *LSI_LOGIC, "--dry-run")
    assert (dry.status, "patch   disk 0, byte " in dry.stdout) == (0, True)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--json")
    assert (repaired.status, {each["kind"] for each in repaired.json["changes"]}) == (0, {"write-sectors"}), repaired
    assert oracles.sha256(machine.disk) == good
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == spoilt


@pytest.mark.parametrize("filesystem", [FileSystem.NTFS, FileSystem.FAT16, FileSystem.FAT32])
def test_hidden_sectors_of_a_partition_that_was_moved(
    filesystem: FileSystem, healthy: Build, bootgraft: Bootgraft
) -> None:
    machine = healthy(system_filesystem=filesystem, system_mib=40)
    start, size = machine.span(0)
    copies = {FileSystem.NTFS: [start + size - 512], FileSystem.FAT16: [], FileSystem.FAT32: [start + 6 * 512]}
    wrong = dict.fromkeys([place + HIDDEN for place in (start, *copies[filesystem])], (2048).to_bytes(4, "little"))
    mended_to_the_byte(machine, wrong, "boot-sector-hidden-sectors", bootgraft)


@pytest.mark.parametrize("flags", [b"\0\0", b"\x80\x80", b"\x01\0"], ids=["none", "two", "invalid"])
def test_active_flags(flags: bytes, healthy: Build, bootgraft: Bootgraft) -> None:
    fields = {offset: bytes([flag]) for offset, flag in zip(FLAGS, flags, strict=False)}
    mended_to_the_byte(healthy(), fields, "active-partition-wrong", bootgraft)


def test_no_active_flag_where_two_could_have_it(healthy: Build, bootgraft: Bootgraft) -> None:
    machine = healthy(second_disk=True)
    first, second = machine.disks
    spoil(first, {FLAGS[0]: b"\0"})
    checked = bootgraft("check", second, first, *LSI_LOGIC, "--json")
    assert findings(checked) == [("blocker", "boot-chain-broken")]


@pytest.mark.parametrize(("heads", "per_track"), [(240, 63), (16, 63), (255, 32), (0, 0)])
def test_the_geometry_of_another_controller(heads: int, per_track: int, healthy: Build, bootgraft: Bootgraft) -> None:
    machine = healthy()
    start, size = machine.span(0)
    places = [start + GEOMETRY, start + size - 512 + GEOMETRY]
    spoil(machine.disk, dict.fromkeys(places, per_track.to_bytes(2, "little") + heads.to_bytes(2, "little")))
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (0, [("warning", "boot-sector-geometry")])
    assert bootgraft("repair", machine.disk, *LSI_LOGIC).status == 0
    assert [at(machine.disk, place, 4) for place in places] == [b"\x3f\0\x40\0"] * 2
    oracles.ntfs_is_consistent(machine.disk, machine.span(0))
    assert bootgraft("check", machine.disk, *LSI_LOGIC, "--json").json["findings"] == []


def test_a_disk_without_boot_code_is_told_and_not_repaired(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    spoil(server1.disk, {0: bytes(440)})
    before = oracles.sha256(server1.disk)
    checked = bootgraft("check", server1.disk, *LSI_LOGIC, "--json")
    assert ("blocker", "mbr-code-missing") in findings(checked)
    repaired = bootgraft("repair", server1.disk, *grafting(donor))
    assert (repaired.status, "fixmbr" in repaired.stdout) == (1, True), repaired
    assert oracles.sha256(server1.disk) == before
