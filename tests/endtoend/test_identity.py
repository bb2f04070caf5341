r"""Names that a conversion took: signatures, offsets, GUIDs, attributes. Judged by hivexregedit, sfdisk and sgdisk.

Letters are compared as full exports of the SYSTEM hive: exactly the values that must change do, and no other.
"""

import struct
import subprocess
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, findings, grafting, hashes
from tests.machines import oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import SECTOR, MachineSpec
from tests.machines.tools import run
from tests.machines.windows2003 import (
    SECOND_DISK_SIGNATURE,
    SERVER1_SIGNATURE,
    Server1,
    dead_server,
)
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import GptLetter, Letter, Symmpi

Build = Callable[[MachineSpec], BuiltMachine]
SYSTEM = r"\WINDOWS\system32\config\SYSTEM"
NT6_SYSTEM = r"\Windows\system32\config\SYSTEM"
LSI_SAS = ("--target", "vmware:lsisas1068")
MOUNTED = "MountedDevices"
NEW = 0x77777777
FIRST_NAME, SECOND_NAME = (rf"\??\Volume{{5f40939{n}-181b-11e2-be2d-806d6172696f}}" for n in (0, 1))
ALIGNED = (2048, 2048 * 18)


def healthy(**variant: object) -> MachineSpec:
    """A server1 that starts, with C: for its loader's partition and D: for Windows."""
    return dead_server(Server1("healthy", symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD, **variant))  # type: ignore[arg-type]


def sign(disk: Path, signature: int) -> None:
    """Write a disk signature, as a converter does."""
    run("sfdisk", "--disk-id", disk, f"0x{signature:08x}") if signature else _clear(disk)


def _clear(disk: Path) -> None:
    with disk.open("r+b") as image:
        image.seek(0x1B8)
        image.write(bytes(4))


def realign(machine: BuiltMachine) -> list[tuple[int, int]]:
    """Copy every volume to a MiB boundary, as a converter does: the table anew, the volumes byte for byte."""
    (disk,) = machine.spec.disks
    old = [machine.span(number) for number in range(len(disk.partitions))]
    volumes = [machine.disk.read_bytes()[start : start + size] for start, size in old]
    new = [(start * SECTOR, size) for start, (_, size) in zip(ALIGNED, old, strict=True)]
    lines = [f"{start // SECTOR},{size // SECTOR},7{',*' if start == 2048 * SECTOR else ''}" for start, size in new]
    end = max(start + size for start, size in new) + (1 << 20)
    with machine.disk.open("r+b") as image:
        code = image.read(440)
        image.truncate(0)
        image.truncate(end)
    script = f"label: dos\nlabel-id: 0x{disk.signature:08x}\n" + "\n".join(lines) + "\n"
    run("sfdisk", "--quiet", machine.disk, stdin=script.encode())
    with machine.disk.open("r+b") as image:
        image.write(code)
        for (start, _), volume in zip(new, volumes, strict=True):
            image.seek(start)
            image.write(volume)
    return new


def name(signature: int, start: int) -> str:
    """What MountedDevices calls a partition, as hivexregedit writes it."""
    return "hex(3):" + struct.pack("<IQ", signature, start).hex(",")


def values(registry: oracles.Registry) -> dict[str, str]:
    return registry[MOUNTED]


def require_only(before: oracles.Registry, after: oracles.Registry, wanted: dict[str, str | None]) -> None:
    """Assert that two exports differ in these values of MountedDevices and in nothing else."""
    expected = values(before) | {key: data for key, data in wanted.items() if data is not None}
    for gone in (key for key, data in wanted.items() if data is None):
        del expected[gone]
    assert after == before | {MOUNTED: expected}


def test_partitions_that_a_converter_aligned_anew(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(healthy())
    spans = realign(machine)
    files = hashes(machine.disk.parent)
    before = oracles.export_hive_of(machine.disk, spans[WINDOWS], SYSTEM)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, checked.json["stop_code"]) == (1, None)
    assert findings(checked) == [
        ("blocker", "boot-sector-hidden-sectors"),
        ("blocker", "system-volume-letter-wrong"),
        ("warning", "data-volume-letter-stale"),
    ]
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--json")
    assert repaired.status == 0, repaired
    assert [each["id"] for each in repaired.json["before"][0]["findings"]] == [each for _, each in findings(checked)]
    assert repaired.json["after"][0]["findings"] == []
    after = oracles.export_hive_of(machine.disk, spans[WINDOWS], SYSTEM)
    first, second = (name(SERVER1_SIGNATURE, start) for start, _ in spans)
    require_only(
        before,
        after,
        {r"\DosDevices\C:": first, r"\DosDevices\D:": second, FIRST_NAME: first, SECOND_NAME: second},
    )
    oracles.ntfs_is_consistent(machine.disk, spans[WINDOWS])
    assert findings(bootgraft("check", machine.disk, *LSI_LOGIC, "--json")) == []
    again = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert (again.status, "nothing was changed" in again.stdout) == (0, True)
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == files


def test_a_new_signature_on_a_machine_that_lacks_its_driver_too(
    build_machine: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """The driver is what it stops on first; one repair repairs both."""
    machine = build_machine(dead_server(Server1()))
    sign(machine.disk, NEW)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert checked.json["stop_code"] == "0x7b"
    assert {"disk-signature-changed", "system-volume-letter-wrong"} < {each for _, each in findings(checked)}
    assert "To fix it" in bootgraft("check", machine.disk, *LSI_LOGIC).stdout
    unrepaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert (unrepaired.status, "Nothing was written" in unrepaired.stdout) == (1, True), "it still lacks the driver"
    repaired = bootgraft("repair", machine.disk, *grafting(donor), "--json")
    assert (repaired.status, repaired.json["before"][0]["stop_code"]) == (0, "0x7b"), repaired
    after = values(oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM))
    first, second = (name(NEW, machine.span(number)[0]) for number in (0, WINDOWS))
    letters = {r"\DosDevices\C:": first, r"\DosDevices\D:": second, FIRST_NAME: first, SECOND_NAME: second}
    assert after == letters
    assert oracles.partitions(machine.disk)[0] == f"0x{NEW:08x}", "the disk keeps what it has"


def test_a_signature_that_was_cleared_comes_back(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(healthy())
    good = oracles.sha256(machine.disk)
    sign(machine.disk, 0)
    cleared = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, "--json")
    assert findings(checked) == [("info", "target-not-given"), ("blocker", "disk-signature-zero")]
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--json")
    assert (repaired.status, [each["kind"] for each in repaired.json["changes"]]) == (0, ["write-sectors"]), repaired
    assert oracles.partitions(machine.disk)[0] == f"0x{SERVER1_SIGNATURE:08x}"
    assert oracles.sha256(machine.disk) == good
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == cleared


def test_windows_on_a_second_disk_that_got_a_new_signature(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(healthy(second_disk=True))
    first, second = machine.disks
    sign(second, NEW)
    before = oracles.export_hive_of(second, machine.span(0, disk=1), SYSTEM)
    checked = bootgraft("check", first, second, *LSI_LOGIC, "--json")
    assert findings(checked) == [("info", "disk-signature-changed"), ("blocker", "system-volume-letter-wrong")]
    assert f"{SECOND_DISK_SIGNATURE:08x}" in checked.json["findings"][0]["title"]
    repaired = bootgraft("repair", first, second, *LSI_LOGIC, "--json")
    assert repaired.status == 0, repaired
    mine = name(NEW, machine.span(0, disk=1)[0])
    after = oracles.export_hive_of(second, machine.span(0, disk=1), SYSTEM)
    require_only(before, after, {r"\DosDevices\D:": mine, SECOND_NAME: mine})
    assert bootgraft("undo", first, second).status == 0
    assert oracles.export_hive_of(second, machine.span(0, disk=1), SYSTEM) == before


def test_a_clone_that_is_attached_too(build_machine: Build, tmp_path: Path, bootgraft: Bootgraft) -> None:
    machine = build_machine(healthy())
    clone = tmp_path / "clone.raw"
    clone.write_bytes(machine.disk.read_bytes())
    checked = bootgraft("check", machine.disk, clone, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (1, [("warning", "disk-signature-collision")])
    assert checked.json["verdict"] == "unknown"
    assert not checked.json["findings"][0]["fixable"]


def test_windows_7_whose_store_and_letter_name_the_old_signature(build_machine: Build, bootgraft: Bootgraft) -> None:
    """Windows proves by its letter that the store means its partition; then both get the new name, in one repair."""
    files = vista.installation(letters=(Letter("C", vista.SIGNATURE, vista.WINDOWS.offset),))
    machine = build_machine(vista.system_reserved(name="win7-letters", files=files))
    sign(machine.disk, NEW)
    before = hashes(machine.disk.parent)
    registry = oracles.export_hive_of(machine.disk, machine.span(1), NT6_SYSTEM)
    repaired = bootgraft("repair", machine.disk, *LSI_SAS, "--json")
    assert repaired.status == 0, repaired
    found = [(each["severity"], each["id"]) for each in repaired.json["before"][0]["findings"]]
    assert ("blocker", "bcd-device-wrong") in found
    assert ("warning", "system-volume-letter-wrong") in found
    assert {each["hive"].rpartition("\\")[2] for each in repaired.json["changes"]} == {"BCD", "SYSTEM"}
    mine = name(NEW, vista.WINDOWS.offset)
    after = oracles.export_hive_of(machine.disk, machine.span(1), NT6_SYSTEM)
    require_only(registry, after, {r"\DosDevices\C:": mine, FIRST_NAME: mine})
    assert bootgraft("check", machine.disk, *LSI_SAS).status == 0
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def sgdisk(disk: Path, *arguments: str) -> str:
    return subprocess.run(["sgdisk", *arguments, str(disk)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def uefi(build_machine: Build) -> BuiltMachine:
    files = vista.installation(loader="winload.efi", letters=(GptLetter("C", vista.WINDOWS_GUID),))
    return build_machine(vista.uefi(name="letters", files=files))


def attributes(disk: Path, slots: Iterable[int] = (1, 2, 3, 4)) -> dict[int, str]:
    """The attribute bits of each partition, by sgdisk."""
    lines = {slot: sgdisk(disk, f"--info={slot}").splitlines() for slot in slots}
    return {slot: next(x.split()[-1] for x in found if x.startswith("Attribute")) for slot, found in lines.items()}


def test_attributes_that_hide_windows(uefi: BuiltMachine, bootgraft: Bootgraft) -> None:
    good = oracles.sha256(uefi.disk)
    checked = bootgraft("check", uefi.disk, "--json")
    assert "gpt-attributes-hide-volume" not in {each for _, each in findings(checked)}
    sgdisk(uefi.disk, *(f"--attributes={slot}:set:{bit}" for slot in (3, 4) for bit in (60, 62, 63)))
    assert attributes(uefi.disk)[3] == "D000000000000000"
    checked = bootgraft("check", uefi.disk, "--json")
    assert ("warning", "gpt-attributes-hide-volume") in findings(checked)
    hidden = oracles.sha256(uefi.disk)
    repaired = bootgraft("repair", uefi.disk, *LSI_SAS, "--json")
    assert (repaired.status, len(repaired.json["changes"])) == (0, 6), repaired
    assert attributes(uefi.disk) == dict.fromkeys((1, 2, 3), "0" * 16) | {4: "D000000000000000"}
    assert "No problems found" in sgdisk(uefi.disk, "--verify")
    fixed = uefi.disk.read_bytes()
    assert bootgraft("undo", uefi.disk).status == 0
    assert oracles.sha256(uefi.disk) == hidden
    uefi.disk.write_bytes(fixed)
    sgdisk(uefi.disk, *(f"--attributes=4:clear:{bit}" for bit in (60, 62, 63)))
    assert oracles.sha256(uefi.disk) == good


def test_a_gap_before_windows_is_closed_on_demand(uefi: BuiltMachine, bootgraft: Bootgraft) -> None:
    """With attributes to be cleared too: both are one repair, and one undo."""
    sgdisk(uefi.disk, "--transpose=3:5", *(f"--attributes=5:set:{bit}" for bit in (60, 62)))
    broken = oracles.sha256(uefi.disk)
    checked = bootgraft("check", uefi.disk, "--json")
    assert ("warning", "gpt-entry-gap") in findings(checked)
    repaired = bootgraft("repair", uefi.disk, *LSI_SAS, "--fix", "gpt-entry-gap")
    assert repaired.status == 0, repaired
    assert attributes(uefi.disk) == {1: "0" * 16, 2: "0" * 16, 3: "0" * 16, 4: "0" * 16}
    assert "No problems found" in sgdisk(uefi.disk, "--verify")
    ids = {each for _, each in findings(bootgraft("check", uefi.disk, *LSI_SAS, "--json"))}
    assert not ids & {"gpt-entry-gap", "gpt-attributes-hide-volume"}
    assert bootgraft("undo", uefi.disk).status == 0
    assert oracles.sha256(uefi.disk) == broken


def test_a_new_guid_of_the_partition_of_windows(build_machine: Build, bootgraft: Bootgraft) -> None:
    """The store has the new GUID already, as bcdboot leaves it; the letter has the old one."""
    files = vista.installation(loader="winload.efi", letters=(GptLetter("C", vista.RECOVERY_GUID[:-1] + "9"),))
    machine = build_machine(vista.uefi(name="other-guid", files=files))
    span, path = machine.span(2), NT6_SYSTEM
    before = oracles.export_hive_of(machine.disk, span, path)
    checked = bootgraft("check", machine.disk, "--json")
    assert ("warning", "system-volume-letter-wrong") in findings(checked)
    repaired = bootgraft("repair", machine.disk, *LSI_SAS)
    assert repaired.status == 0, repaired
    own = "hex(3):" + (b"DMIO:ID:" + uuid.UUID(vista.WINDOWS_GUID).bytes_le).hex(",")
    require_only(before, oracles.export_hive_of(machine.disk, span, path), {r"\DosDevices\C:": own})
    oracles.ntfs_is_consistent(machine.disk, span)
    assert "system-volume-letter-wrong" not in {
        each for _, each in findings(bootgraft("check", machine.disk, "--json"))
    }
