"""``check`` as it is typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.machines.oracles import sha256
from tests.report.contract import faults

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


def test_quiet_is_the_answer_alone(bootgraft: Command, server1: BuiltMachine) -> None:
    done = bootgraft("check", server1.disk, *LSI, "--quiet")
    assert done.stdout.count("\n") == 1
    assert "will stop with 0x7B" in done.stdout


def test_without_a_target(bootgraft: Command, donor: BuiltMachine) -> None:
    done = bootgraft("check", donor.disk, "--json")
    assert (done.status, done.json["verdict"], done.json["target"]) == (1, "unknown", None)


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
