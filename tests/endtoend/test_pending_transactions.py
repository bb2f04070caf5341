"""A machine that was cloned while it ran: its SYSTEM hive is complete only with the transactions in its logs."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, Build, findings, grafting, key_values, system_hive
from tests.endtoend.test_real_hives import WINDOWS_10, real_machine
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import Architecture, File, FileAttributes, HostFile, MachineSpec
from tests.machines.windows2003 import server1
from tests.machines.windows_hives import WINDOWS_2000, WINDOWS_XP
from tests.registry.log_writer import Write, bins_of, dirty_pages, new_log, old_log, rebased
from tests.registry.support import FILETIME, Memory

from bootgraft.registry.hive import Hive

CONFIG = r"\WINDOWS\system32\config"
SYSTEM = rf"{CONFIG}\system"
PENDING = r"ControlSet001\Services\pending"
BuildSpec = Callable[[MachineSpec], BuiltMachine]


def with_config(spec: MachineSpec, files: Mapping[str, bytes | HostFile], config: str = CONFIG) -> MachineSpec:
    """The machine with other files in its folder of hives."""
    disk = spec.disks[0]
    partition = disk.partitions[WINDOWS]
    assert partition.volume is not None
    named = {rf"{config}\{name}": content for name, content in files.items()}
    kept = tuple(file for file in partition.volume.files if file.path not in named)
    added = tuple(File(path, content, FileAttributes.ARCHIVE) for path, content in named.items())
    volume = replace(partition.volume, files=(*kept, *added))
    partitions = (*disk.partitions[:WINDOWS], replace(partition, volume=volume), *disk.partitions[WINDOWS + 1 :])
    return replace(spec, name=f"{spec.name}-cloned", disks=(replace(disk, partitions=partitions),))


def running_on(hive: bytes, number: int) -> bytes:
    """The hive after Windows wrote it once more: a new service, and enough in it to make the hive grow."""
    file = Memory(hive)
    edited = Hive.open(file, name="system")
    edited.create_key(f"{PENDING}{number}")
    edited.set_value(f"{PENDING}{number}", "Start", 4, struct.pack("<I", number))
    edited.set_value(f"{PENDING}{number}", "Log", 3, bytes([number]) * 9000)
    edited.commit(filetime=FILETIME + number)
    return bytes(file.data)


def half_written(before: bytes, after: bytes) -> bytes:
    """Every other page of the write had reached the file."""
    data = bytearray(before)
    for at in dirty_pages(before, after)[::2]:
        if at + 4096 <= len(bins_of(before)):
            data[4096 + at : 8192 + at] = after[4096 + at : 8192 + at]
    (number,) = struct.unpack_from("<I", before, 4)
    return rebased(bytes(data), primary=number + 2, secondary=number + 1, timestamp=FILETIME + 1)


def clean_hive(machine: BuiltMachine) -> bytes:
    return oracles.read_file(machine.disk, machine.span(WINDOWS), SYSTEM)


def assert_whole(machine: BuiltMachine, folder: Path, services: int) -> Path:
    """What was pending and what was grafted is in the hive, which needs no log; outside tools say so."""
    span = machine.span(WINDOWS)
    hive = system_hive(machine.disk, span, folder)
    for number in range(1, services + 1):
        assert key_values(hive, f"{PENDING}{number}")["Start"] == ("DWORD", f"0x{number:08X}")
    for name in ("ControlSet001", "ControlSet002"):
        assert key_values(hive, rf"{name}\Services\symmpi")["Start"] == ("DWORD", "0x00000000")
    primary, secondary = struct.unpack_from("<II", hive.read_bytes(), 4)
    assert primary == secondary
    oracles.ntfs_is_consistent(machine.disk, span)
    return hive


def test_a_log_of_windows_2003(
    build_machine: BuildSpec, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    before = clean_hive(build_server1())
    after = running_on(before, 1)
    log = old_log(before, after, sequence=struct.unpack_from("<I", before, 4)[0] + 1)
    machine = build_machine(with_config(server1(), {"system": half_written(before, after), "system.LOG": log}))
    original = oracles.sha256(machine.disk)

    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, findings(check)[0]) == (1, ("info", "hive-transactions-pending"))
    (pending,) = [each for each in check.json["findings"] if each["id"] == "hive-transactions-pending"]
    assert pending["title"] == "1 transaction is pending in the logs of the SYSTEM hive"
    assert any(line.startswith("system.LOG: transaction ") for line in pending["evidence"])
    dry = bootgraft("repair", machine.disk, *grafting(donor), "--dry-run")
    assert "note: 1 transaction that was pending in system.LOG will be written into the hive too" in dry.stdout
    assert oracles.sha256(machine.disk) == original

    repair = bootgraft("repair", machine.disk, *grafting(donor), "--json")
    assert (repair.status, repair.json["committed"]) == (0, True), repair.stderr
    hive = assert_whole(machine, tmp_path, services=1)
    assert bytes(hive.read_bytes()[12:20]) != struct.pack("<Q", FILETIME + 1), "the log is of another write now"
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, check.json["verdict"], findings(check)) == (0, "boots", [])
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == original


def test_two_logs_of_a_later_windows(
    build_machine: BuildSpec, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    states = [clean_hive(build_server1(release=WINDOWS_XP))]
    for number in (1, 2, 3):
        states.append(running_on(states[-1], number))
    (first,) = struct.unpack_from("<I", states[0], 4)
    writes = [Write(states[n], states[n + 1], first + 1 + n) for n in range(3)]
    logs = {"system.LOG1": new_log(writes[2:]), "system.LOG2": new_log(writes[:2])}
    spec = with_config(server1(release=WINDOWS_XP), {"system": half_written(states[0], states[1]), **logs})
    machine = build_machine(spec)
    original = oracles.sha256(machine.disk)
    repair = bootgraft("repair", machine.disk, *grafting(donor), "--json")
    assert repair.status == 0, repair.stderr
    (pending,) = [each for each in repair.json["before"][0]["findings"] if each["id"] == "hive-transactions-pending"]
    assert pending["title"] == "3 transactions are pending in the logs of the SYSTEM hive"
    assert pending["evidence"][1].startswith(f"system.LOG2: transactions {first + 1} to {first + 2}, ")
    assert pending["evidence"][2].startswith(f"system.LOG1: transaction {first + 3}, ")
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, findings(check)) == (0, [])
    assert_whole(machine, tmp_path, services=3)
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == original


def test_a_machine_that_needs_nothing_is_left_dirty(
    build_machine: BuildSpec, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    config = r"\WINNT\system32\config"
    before = oracles.read_file(donor.disk, donor.span(WINDOWS), rf"{config}\system")
    after = running_on(before, 1)
    log = old_log(before, after, sequence=struct.unpack_from("<I", before, 4)[0] + 1)
    changed = with_config(donor.spec, {"system": half_written(before, after), "system.LOG": log}, config)
    machine = build_machine(changed)
    original = oracles.sha256(machine.disk)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, findings(check)) == (0, [("info", "hive-transactions-pending")])
    repair = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repair.status == 0
    assert "Nothing to do: nothing was changed." in repair.stdout
    assert oracles.sha256(machine.disk) == original
    assert [file.name for file in machine.disk.parent.iterdir()] == [machine.disk.name]


def test_the_copy_that_windows_2000_falls_back_to(
    build_machine: BuildSpec, build_server1: Build, bootgraft: Bootgraft, build_donor: Build, tmp_path: Path
) -> None:
    clean = clean_hive(build_server1(release=WINDOWS_2000))
    (number,) = struct.unpack_from("<I", clean, 4)
    alternate = rebased(clean, primary=number, secondary=number, kind=1)
    machine = build_machine(with_config(server1(release=WINDOWS_2000), {"SYSTEM.ALT": alternate}))
    original = oracles.sha256(machine.disk)
    repair = bootgraft("repair", machine.disk, *grafting(build_donor(release=WINDOWS_2000)))
    assert repair.status == 0, repair.stderr + repair.stdout
    assert "note: SYSTEM.ALT, the copy of the hive that this Windows falls back to, will be written alike." in (
        repair.stdout
    )
    hive = system_hive(machine.disk, machine.span(WINDOWS), tmp_path).read_bytes()
    (number,) = struct.unpack_from("<I", hive, 4)
    copy = oracles.read_file(machine.disk, machine.span(WINDOWS), rf"{CONFIG}\SYSTEM.ALT")
    assert copy == rebased(hive, primary=number, secondary=number, kind=1)
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == original


def test_a_real_windows_10(build_machine: BuildSpec, shared_testdata: Path, bootgraft: Bootgraft) -> None:
    name = "win10-1709-x64-physical-iastorav-dirty-withlogs"
    logs = {each: HostFile(shared_testdata / "hives-system" / name / each) for each in ("SYSTEM.LOG1", "SYSTEM.LOG2")}
    spec = real_machine(shared_testdata, name, release=WINDOWS_10, arch=Architecture.X64, windows_mib=64)
    machine = build_machine(with_config(spec, logs))
    original = oracles.sha256(machine.disk)
    check = bootgraft("check", machine.disk, "--json")
    found = sorted((each["severity"], each["id"]) for each in check.json["findings"])
    assert (check.status, check.json["verdict"]) == (1, "unknown")
    assert found == [
        ("info", "hive-transactions-pending"),
        ("info", "target-not-given"),
        ("warning", "system-volume-letter-wrong"),  # the hive knows the laptop's disk
    ]
    (pending,) = [each for each in check.json["findings"] if each["id"] == "hive-transactions-pending"]
    assert pending["title"] == "24 transactions are pending in the logs of the SYSTEM hive"
    assert pending["evidence"][1:] == [
        "SYSTEM.LOG1: transactions 2107 to 2110, 40960 bytes of pages",
        "SYSTEM.LOG2: transactions 2111 to 2130, 2633728 bytes of pages",
        "the hive grows by 192512 bytes",
    ]
    assert oracles.sha256(machine.disk) == original


@pytest.mark.parametrize("command", ["check", "repair"])
def test_a_log_that_does_not_fit(
    build_machine: BuildSpec, build_server1: Build, bootgraft: Bootgraft, command: str
) -> None:
    before = clean_hive(build_server1())
    after = running_on(before, 1)
    stale = old_log(before, running_on(before, 2), sequence=3)
    machine = build_machine(with_config(server1(), {"system": half_written(before, after), "system.LOG": stale}))
    original = oracles.sha256(machine.disk)
    done = bootgraft(command, machine.disk, *LSI_LOGIC)
    assert done.status == 3
    assert "system.LOG is of another write" in done.stderr
    assert "Traceback" not in done.stderr
    assert oracles.sha256(machine.disk) == original
