"""Disks that a BIOS cannot start, though every file is in its place: MBR code, active flag, the boot sector's numbers.

A healthy machine has single fields spoilt; a repair must give back the very image that it was made from.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.endtoend.story import LSI_LOGIC, Bootgraft, findings
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem
from tests.machines.tools import run
from tests.machines.windows2003 import Server1, dead_server
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

from bootgraft.boot.bios import syslinux_mbr

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


def test_a_disk_without_boot_code_gets_free_code(healthy: Build, bootgraft: Bootgraft) -> None:
    machine = healthy()
    table = oracles.partitions(machine.disk)
    spoil(machine.disk, {0: bytes(440)})
    spoilt, rest = oracles.sha256(machine.disk), at(machine.disk, 440, 72)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "mbr-code-missing")])
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert (repaired.status, "the free MBR code of Syslinux" in repaired.stdout) == (0, True), repaired
    assert at(machine.disk, 0, 512) == syslinux_mbr.CODE + rest
    assert oracles.partitions(machine.disk) == table
    assert bootgraft("check", machine.disk, *LSI_LOGIC, "--json").json["findings"] == []
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == spoilt


@pytest.mark.parametrize("option", ["--boot-code", "--drivers"])
def test_boot_code_of_the_mbr_comes_from_another_machine(
    option: str, healthy: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    machine = healthy()
    good, table = oracles.sha256(machine.disk), oracles.partitions(machine.disk)
    spoil(machine.disk, {0: bytes(440)})
    spoilt = oracles.sha256(machine.disk)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, option, donor.disk)
    assert repaired.status == 0, repaired
    assert "the boot code in the MBR, from the MBR of" in repaired.stdout
    assert oracles.partitions(machine.disk) == table
    assert oracles.sha256(machine.disk) == good
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == spoilt


NT6_NAMES = "BOOTMGR".encode("utf-16-le")


@pytest.mark.parametrize(
    ("spoilt", "finding", "severity"),
    [
        ({0x54: bytes(0x1FE - 0x54)}, "boot-sector-code-missing", "blocker"),
        ({512: NT6_NAMES}, "boot-sector-wrong-loader", "warning"),
    ],
    ids=["its copy", "the other volume"],
)
def test_boot_code_of_ntfs_comes_from_the_machine_itself(
    spoilt: dict[int, bytes], finding: str, severity: str, healthy: Build, bootgraft: Bootgraft
) -> None:
    machine = healthy()
    span = machine.span(0)
    good = oracles.sha256(machine.disk)
    spoil(machine.disk, {span[0] + offset: data for offset, data in spoilt.items()})
    before = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (1, [(severity, finding)])
    assert bootgraft("repair", machine.disk, *LSI_LOGIC).status == 0
    assert oracles.sha256(machine.disk) == good
    oracles.ntfs_is_consistent(machine.disk, span)
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_boot_code_of_fat_comes_from_another_machine(healthy: Build, bootgraft: Bootgraft, tmp_path: Path) -> None:
    machine = healthy(system_filesystem=FileSystem.FAT16)
    span = machine.span(0)
    good = oracles.sha256(machine.disk)
    other = tmp_path / "other.raw"
    other.write_bytes(machine.disk.read_bytes())
    made = tmp_path / "made"
    made.write_bytes(bytes(span[1]))
    run("mkfs.fat", "-F", "16", made)
    code = at(made, 0x3E, 0x1FE - 0x3E)
    spoil(machine.disk, {span[0] + 0x3E: code})
    spoil(other, {span[0] + HIDDEN: b"\x77", 440: b"\1\2\3\4"})
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert findings(checked) == [("blocker", "boot-sector-code-missing")]
    assert bootgraft("repair", machine.disk, *LSI_LOGIC).status == 1
    assert bootgraft("repair", machine.disk, *LSI_LOGIC, "--boot-code", other).status == 0
    oracles.fat_is_consistent(machine.disk, span)
    assert oracles.sha256(machine.disk) == good
