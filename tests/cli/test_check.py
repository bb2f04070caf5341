"""``check`` as it is typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.machines.event_logs import entry, evt
from tests.machines.oracles import sha256
from tests.machines.spec import File, VolumeState
from tests.report.contract import faults
from tests.report.schemas import schema_faults

from bootgraft.targets.controllers import CONTROLLERS

Command = Callable[..., CommandResult]
LSI = ("--target", "vmware:lsilogic")


def test_the_dead_server(bootgraft: Command, server1: BuiltMachine) -> None:
    before = sha256(server1.disk)
    done = bootgraft("check", server1.disk, *LSI)
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.startswith(
        "Microsoft Windows Server 2003 on disk 0 partition 2 will stop with 0x7B on vmware:lsilogic: no driver for"
    )
    assert f"bootgraft repair {server1.disk} --target vmware:lsilogic --drivers SOURCE" in done.stdout
    assert sha256(server1.disk) == before
    assert [path.name for path in server1.disk.parent.iterdir()] == [server1.disk.name]


def test_the_dead_server_for_programs(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk, *LSI, "--json")
    assert (done.status, done.stderr) == (1, "")
    assert faults(done.json, "check") == []
    assert (done.json["verdict"], done.json["stop_code"], done.json["target"]) == ("blocked", "0x7b", "vmware:lsilogic")


def test_the_healthy_donor(bootgraft: Command, donor: BuiltMachine) -> None:
    done = bootgraft("check", donor.disk, *LSI)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == "Microsoft Windows Server 2003 on disk 0 partition 2 would boot on vmware:lsilogic.\n"


def test_what_the_screen_shows_is_explained(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk, *LSI, "--symptom", "STOP: 0x0000007B")
    assert (done.status, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[2:5] == [
        "What the screen shows: STOP 0x7B INACCESSIBLE_BOOT_DEVICE.",
        "It is explained by: device-binding-missing (below).",
        "",
    ]
    assert lines[5].startswith("blocker: ")


def test_a_blocker_that_does_not_explain_the_screen_is_said_not_to(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk, *LSI, "--symptom", "NTLDR is missing", "--json")
    assert (done.status, done.stderr) == (1, "")
    symptom = done.json["symptom"]
    assert symptom["explained_by"] == symptom["perhaps"] == symptom["not_looked_at"] == []
    assert symptom["unexplained"] == [{"id": "device-binding-missing", "shows": ["0x7b"]}]
    assert "boot-sector-wrong-loader" in symptom["looked_at"]


@pytest.mark.parametrize(
    ("symptom", "said"),
    [("0x99", "nothing is known of the code 0x99"), ("flubber", "Known are"), ("logn lop", "--symptom 'logon loop'\n")],
)
def test_a_symptom_that_nobody_knows_is_told_before_anything_is_read(
    symptom: str, said: str, bootgraft: Command, tmp_path: Path
) -> None:
    done = bootgraft("check", tmp_path / "nope", "--symptom", symptom)
    assert (done.status, done.stdout) == (2, "")
    assert said in done.stderr


def test_quiet_is_the_answer_alone(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk, *LSI, "--quiet")
    assert done.stdout.count("\n") == 1
    assert "will stop with 0x7B" in done.stdout


def test_without_a_target(bootgraft: Command, donor: BuiltMachine) -> None:
    done = bootgraft("check", donor.disk, "--json")
    assert (done.status, done.json["verdict"], done.json["target"]) == (1, "unknown", None)


def test_without_a_target_every_one_has_its_row(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk)
    assert (done.status, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "Microsoft Windows Server 2003 on disk 0 partition 2 would boot as it is on 4 of the "
        f"{len(CONTROLLERS)} targets: vmware:ide, hyperv:gen1, azure:gen1, virtualbox:piix4."
    )
    rows = {line.split()[0]: " ".join(line.split()[1:4]) for line in lines if line.startswith("  ") and ":" in line}
    assert rows["vmware:ide"] == "boots as it"
    assert rows["vmware:lsilogic"] == "needs a driver"
    assert rows["kvm:ide"] == "boots after a"
    assert rows["hyperv:gen2"].startswith("cannot boot")
    assert rows["xen:pv"].startswith("unknown")
    assert f"    bootgraft check {server1.disk} --target vmware:ide" in lines


def test_several_targets_are_all_answered(bootgraft: Command, server1: BuiltMachine) -> None:
    targets = ("--target", "vmware:ide", "--target", "kvm:ide")
    done = bootgraft("check", server1.disk, *targets, "--json")
    assert (done.status, done.stderr) == (1, "")
    assert [(each["target"], each["prospect"]) for each in done.json["targets"]] == [
        ("vmware:ide", "boots"),
        ("kvm:ide", "fixable"),
    ]
    assert bootgraft("check", server1.disk, *targets, "--quiet").stdout.endswith(
        "1 of the 2 targets given: vmware:ide.\n"
    )
    assert bootgraft("check", server1.disk, *targets[:2], "--target", "hyperv:gen1").status == 0


def test_a_windows_that_is_not_there(bootgraft: Command, donor: BuiltMachine) -> None:
    done = bootgraft("check", donor.disk, *LSI, "--windows", "disk9")
    assert done.status == 2
    assert "There are: disk0-partition2-WINNT" in done.stderr


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100, bytes(511)], ids=len)
def test_a_file_that_is_no_disk(bootgraft: Command, tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "no.raw"
    image.write_bytes(content)
    done = bootgraft("check", image)
    assert done.status == 3
    assert str(image) in done.stderr
    assert "Traceback" not in done.stderr
    assert image.read_bytes() == content


OPEN = ": the disk was copied while it ran, it was cut off, or it stopped without a trace"


def recorded(build_server1: Callable[..., BuiltMachine]) -> BuiltMachine:
    """The dead server, whose event log has a STOP and hostile names, and was open when the disk was copied."""
    started = (entry("EventLog", 6009), entry("EventLog", 6005))
    stopped = entry("Save Dump", 1001, "0x0000007b (0xf78d2524, 0xc0000034, 0x00000000, 0x00000000)", minutes=3)
    hostile = entry("Service Control Manager", 7000, "evil\x1b[2J\nblocker: \N{RIGHT-TO-LEFT OVERRIDE}", minutes=4)
    log = evt([*started, *started, stopped, hostile], dirty=True)
    files = (
        File(r"\WINDOWS\system32\config\SysEvent.Evt", log),
        File(r"\WINDOWS\MEMORY.DMP", b"no dump"),
        File(r"\WINDOWS\setupapi.log\no file", b""),
    )
    return build_server1(name="recorded", extra=files, volume_state=VolumeState.UNCLEAN)


def test_why(bootgraft: Command, build_server1: Callable[..., BuiltMachine]) -> None:
    disk = recorded(build_server1).disk
    before = sha256(disk)
    done = bootgraft("check", disk, *LSI, "--why")
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.startswith("Microsoft Windows Server 2003 on disk 0 partition 2 will stop with 0x7B")
    tail = done.stdout.partition("last starts of ")[2].splitlines()
    assert tail[:4] == [
        "disk0-partition2-WINDOWS, as it recorded them (UTC)",
        "  2026-03-01 06:00:00  stopped with 0x0000007B (0xf78d2524, 0xc0000034, 0x0, 0x0) (Save Dump 1001)",
        f"  2026-03-01 06:00:00  its end is not recorded{OPEN}",
        "                       service evil?[2J?blocker: ? did not start (Service Control Manager 7000)",
    ]
    assert "  STOP 0x0000007B (Save Dump 1001): may be the same cause: device-binding-missing" in tail
    assert "\x1b" not in done.stdout
    (unreadable,) = (line for line in tail if line.startswith("  cannot be read in full: "))
    assert unreadable.startswith("  cannot be read in full: \\WINDOWS\\setupapi.log: ")
    assert sha256(disk) == before


def test_why_for_programs(bootgraft: Command, build_server1: Callable[..., BuiltMachine]) -> None:
    disk = recorded(build_server1).disk
    plain = bootgraft("check", disk, *LSI, "--json").json
    assert "records" not in plain
    asked = bootgraft("check", disk, *LSI, "--why", "--json").json
    records = asked.pop("records")
    assert asked == plain
    assert schema_faults({**plain, "records": records}) == []
    assert records["matches"] == [
        {"record": "STOP 0x0000007B (Save Dump 1001)", "findings": ["device-binding-missing"]}
    ]
    for targets in ((), (*LSI, "--target", "kvm:virtio-blk")):
        several = bootgraft("check", disk, *targets, "--why", "--json").json
        explained = ["device-binding-missing"] if targets else []
        assert [each["findings"] for each in several["records"]["matches"]] == [explained]
        assert schema_faults(several) == []
    inspected = bootgraft("inspect", disk, "--json").json
    assert faults(inspected, "inspect") == []
    assert inspected["records"] == [{**records, "matches": []}]
