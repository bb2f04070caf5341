"""Volumes that bootgraft cannot use: each cause is named by `inspect`, `check` and `repair`, and nothing is written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.endtoend.refusals import Photograph, Run, refused
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, Build, findings, grafting, require_repaired
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import SECTOR, MachineSpec
from tests.machines.windows2003 import server1
from tests.storage.ldm_disk import DATABASE, Extent, Group, Plex, write_ldm

OWN, OTHER = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"


def write(machine: BuiltMachine, offset: int, data: bytes) -> None:
    with machine.disk.open("r+b") as disk:
        disk.seek(offset)
        disk.write(data)


def bitlocker(machine: BuiltMachine) -> None:
    write(machine, machine.span(WINDOWS)[0] + 3, b"-FVE-FS-")


def refs(machine: BuiltMachine) -> None:
    write(machine, machine.span(WINDOWS)[0] + 3, b"ReFS\0\0\0\0")


def veracrypt(machine: BuiltMachine) -> None:
    write(machine, 5, b" VeraCrypt Boot Loader\r\n\0")
    write(machine, machine.span(WINDOWS)[0], os.urandom(65536))


def unknown(machine: BuiltMachine) -> None:
    write(machine, machine.span(WINDOWS)[0], os.urandom(65536))


def fault_tolerant(machine: BuiltMachine) -> None:
    write(machine, 0x1BE + 16 + 4, b"\x87")


CAUSES: dict[str, tuple[Callable[[BuiltMachine], None], str, str]] = {
    "bitlocker-volume": (bitlocker, "encrypted with BitLocker", "suspending is not enough"),
    "refs-volume": (refs, "formatted with ReFS", "pnputil"),
    "disk-encryption": (veracrypt, "encrypted with VeraCrypt", "Decrypt it on the source machine with VeraCrypt"),
    "volume-maybe-encrypted": (unknown, "full of bytes that look random", "if not, copy it again"),
    "fault-tolerant-set": (fault_tolerant, "a member of a fault-tolerant set", "Break the set"),
}


@pytest.mark.parametrize("identifier", CAUSES)
def test_the_cause_is_named_and_nothing_is_written(
    identifier: str, build_server1: Build, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    spoil, what, advice = CAUSES[identifier]
    machine = build_server1()
    spoil(machine)
    before = Photograph.of(tmp_path)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert check.status == 1
    assert identifier in [each["id"] for each in check.json["findings"]]
    if identifier != "fault-tolerant-set":  # that one can be read, and the driver is missing
        assert (check.json["verdict"], len(check.json["findings"])) == ("unknown", 1)
    found = next(each for each in check.json["findings"] if each["id"] == identifier)
    assert found["title"].startswith(f"the volume disk 0 partition 2 is {what}")
    assert advice in found["explanation"]
    refusal = refused(bootgraft, ("repair", machine.disk, *grafting(donor)), watch=tmp_path)
    assert (refusal.where, advice in refusal.advice) == ("disk 0 partition 2", True)
    assert what in refusal.what
    words = ("reg", "set", machine.disk, r"HKLM\SYSTEM\Setup", "--value", "x", "--data", "y")
    assert refused(bootgraft, words, watch=tmp_path).what == refusal.what
    inspect = bootgraft("inspect", machine.disk, "--json").json
    assert [each["note"] and each["note"].startswith(what) for each in inspect["disks"][0]["partitions"]] == [
        None,
        True,
    ]
    assert what in bootgraft("inspect", machine.disk).stdout
    assert before.differences(Photograph.of(tmp_path)) == []


def test_a_disk_encrypted_from_its_first_sector_on(build_server1: Build, bootgraft: Run, tmp_path: Path) -> None:
    machine = build_server1()
    write(machine, 0, b"\xeb\x48\x90PGPGUARD".ljust(SECTOR, b"\0"))
    refusal = refused(bootgraft, ("check", machine.disk, *LSI_LOGIC), watch=tmp_path)
    assert "encrypted with Symantec (PGP) Whole Disk Encryption" in refusal.what


# Dynamic disks.


@pytest.fixture
def build_dynamic(build_machine: Callable[[MachineSpec], BuiltMachine]) -> Callable[[str], BuiltMachine]:
    """The dead server on a dynamic disk: both partitions are of type 0x42, and the last MiB is the database."""

    def make(kind: str) -> BuiltMachine:
        spec = server1(name="dynamic")
        (disk,) = spec.disks
        partitions = tuple(replace(each, type=0x42) for each in disk.partitions)
        wider = replace(disk, sectors=disk.sectors + 2 * DATABASE, partitions=partitions)
        machine = build_machine(replace(spec, disks=(wider,)))
        first = disk.partitions[0].start
        own = [Extent(1, each.start - first, each.sectors) for each in disk.partitions]
        plexes = {
            "simple": (Plex(2, (own[1],)),),
            "spanned": (Plex(2, (own[1], Extent(2, 0, 4096))),),
            "mirrored": (Plex(2, (own[1],)), Plex(2, (Extent(2, 0, own[1].sectors),))),
        }[kind]
        group = Group(
            (OWN, OTHER) if len(plexes) + len(plexes[0].extents) > 2 else (OWN,),
            (
                ("Volume1", (Plex(2, (own[0],)),)),
                ("Volume2", plexes),
            ),
        )
        image = bytearray(machine.disk.read_bytes())
        write_ldm(image, group, 1, first_sector=first)
        machine.disk.write_bytes(image)
        return machine

    return make


def test_a_simple_volume_of_a_dynamic_disk_is_repaired_like_any_other(
    build_dynamic: Callable[[str], BuiltMachine], donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_dynamic("simple")
    before = oracles.sha256(machine.disk)

    def start(number: int) -> None:
        for name in ("dmio", "dmload"):
            key = rf"HKLM\SYSTEM\CurrentControlSet\Services\{name}"
            words = ("reg", "set", machine.disk, key, "--value", "Start", "--type", "REG_DWORD", "--data", str(number))
            assert bootgraft(*words).status == 0

    start(4)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    drivers = [each for each in check.json["findings"] if each["id"] == "dynamic-disk-driver"]
    assert [each["severity"] for each in drivers] == ["blocker", "blocker", "warning", "warning"]
    notes = [each["note"] for each in bootgraft("inspect", machine.disk, "--json").json["disks"][0]["partitions"]]
    assert notes == ["a simple volume of a dynamic disk"] * 2
    start(0)
    done = bootgraft("repair", machine.disk, *grafting(donor))
    assert done.status == 0, done
    require_repaired(machine.disk, machine.span(WINDOWS), donor, tmp_path)
    assert (bootgraft("check", machine.disk, *LSI_LOGIC, "--json").json["findings"]) == []
    for _ in range(5):
        assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


@pytest.mark.parametrize("kind", ["spanned", "mirrored"])
def test_a_volume_on_several_dynamic_disks_is_explained(
    kind: str, build_dynamic: Callable[[str], BuiltMachine], donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    machine = build_dynamic(kind)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert ("warning", "dynamic-disk-volume") in findings(check)
    refusal = refused(bootgraft, ("repair", machine.disk, *grafting(donor)), watch=tmp_path)
    assert f"part of a {kind} volume of dynamic disks" in refusal.what
    assert f"Volume2 as {kind} on 2 disks; 1 of them not given: {OTHER}" in refusal.what
    assert ("Break the mirror" if kind == "mirrored" else "or the volume simple") in refusal.advice
