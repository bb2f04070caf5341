"""``inspect`` as it is typed."""

from collections.abc import Callable
from pathlib import Path

from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.machines.oracles import partitions, sha256
from tests.report.contract import faults

Command = Callable[..., CommandResult]


def test_inspect_for_programs(bootgraft: Command, server1: BuiltMachine) -> None:
    before = sha256(server1.disk)
    done = bootgraft("inspect", server1.disk, "--json")
    assert (done.status, done.stderr) == (0, "")
    assert faults(done.json, "inspect") == []
    (disk,) = done.json["disks"]
    identifier, entries = partitions(server1.disk)
    assert f"0x{disk['signature']}" == identifier
    assert [(p["slot"], p["start"], p["size"], p["active"]) for p in disk["partitions"]] == [
        (entry.slot, entry.start, entry.size, entry.active) for entry in entries
    ]
    assert (disk["path"], disk["format"], disk["size"]) == (str(server1.disk), "raw", server1.disk.stat().st_size)
    assert sha256(server1.disk) == before


def test_inspect_for_people(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("inspect", server1.disk)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Microsoft Windows Server 2003 on disk 0 partition 2 is what this machine boots: \\WINDOWS, NT 5.2 build 3790"
    )
    assert "\x1b" not in done.stdout


def test_two_disks_in_bios_order(bootgraft: Command, build_server1: Callable[..., BuiltMachine]) -> None:
    disks = build_server1(name="disks", second_disk=True).disks
    done = bootgraft("inspect", *disks, "--json")
    assert [each["path"] for each in done.json["disks"]] == [str(disk) for disk in disks]
    assert done.json["windows"][0]["disk"] == 1


def test_a_machine_without_windows_can_be_inspected(bootgraft: Command, tmp_path: Path) -> None:
    blank = tmp_path / "blank.raw"
    blank.write_bytes(bytes(1 << 20))
    done = bootgraft("inspect", blank)
    assert done.status == 0
    assert done.stdout.startswith("No Windows was found that this machine would boot.")
