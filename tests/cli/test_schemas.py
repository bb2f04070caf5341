"""Every command with ``--json``: what it prints is what its schema in ``docs/schema`` says."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_reg import make_dirty
from tests.conftest import CommandResult
from tests.drivers.inf.infs import GOOD, driver
from tests.explain import logs
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.report.contract import faults
from tests.report.schemas import schema_faults, validators

LSI = ("--target", "vmware:lsilogic")
SELECT = r"HKLM\SYSTEM\Select"
NOTE = r"HKLM\SOFTWARE\Note"
VMX = """.encoding = "UTF-8"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "server1.raw"
scsi0:0.deviceType = "scsi-hardDisk"
ethernet0.present = "TRUE"
ethernet0.startConnected = "TRUE"
"""


class Recorder:
    """Runs commands with ``--json`` and keeps what they printed."""

    def __init__(self, bootgraft: Callable[..., CommandResult]) -> None:
        self._bootgraft = bootgraft
        self.documents: list[Any] = []

    def __call__(self, *words: str | Path, status: int = 0) -> Any:
        done = self._bootgraft(*words, "--json")
        assert done.status == status, (words, done.stdout, done.stderr)
        self.documents.append(done.json)  # which is judged there
        if "--events" in words:
            self.documents += (events := [json.loads(line) for line in done.stderr.splitlines()])
            assert [fault for each in events for fault in faults(each, "event")] == []
            assert [each for each in events if each["total"] and each["unit"] == "bytes"]
        return done.json

    def schemas(self) -> set[str]:
        """The schemas that were seen."""
        listed = (each if isinstance(each, list) else [each] for each in self.documents)
        return {document["schema"] for documents in listed for document in documents}


@pytest.fixture
def record(bootgraft: Callable[..., CommandResult]) -> Recorder:
    return Recorder(bootgraft)


def test_every_command(
    record: Recorder, server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path, machine_cache: Path
) -> None:
    machines(record, server1.disk, donor.disk)
    descriptions(record, server1.disk.with_name("server1.vmx"))
    registries(record, server1, tmp_path)
    sources(record, donor.disk, tmp_path, machine_cache)
    (tmp_path / "agent.log").write_text(logs.AGENT_50)
    record("explain-log", tmp_path / "agent.log")
    record("explain", "0x7b")
    record("targets")
    record("doctor")
    record("check", tmp_path / "nope", status=3)
    assert record.schemas() == set(validators())


def machines(record: Recorder, disk: Path, donor: Path) -> None:
    record("inspect", disk)
    record("check", disk, *LSI, status=1)
    record("check", disk, *LSI, "--recommend", status=1)
    record("repair", disk, *LSI, status=1)
    record("repair", disk, *LSI, "--drivers", donor, "--dry-run")
    record("repair", disk, *LSI, "--drivers", donor, "--events")
    record("check", disk, *LSI, "--recommend")
    record("repair", disk, "--resume")
    record("history", disk)
    record("undo", disk, "--dry-run")
    record("undo", disk)


def descriptions(record: Recorder, vmx: Path) -> None:
    vmx.write_text(VMX)
    record("inspect", "--vm", vmx)
    record("repair", "--vm", vmx, "--target", "vmware:ide", "--isolate")
    record("reconnect", "--vm", vmx, "--dry-run")
    record("reconnect", "--vm", vmx)


def registries(record: Recorder, machine: BuiltMachine, folder: Path) -> None:
    disk = machine.disk
    record("reg", "query", disk, SELECT)
    record("reg", "query", disk, r"HKLM\SYSTEM\Setup", "--recursive")
    record("reg", "query", disk, SELECT, "--value", "Default")
    record("reg", "query", disk, SELECT, "--value", "Nothing", status=1)
    record("reg", "export", disk, SELECT, "--out", folder / "select.reg")
    record("reg", "set", disk, NOTE, "--value", "Why", "--type", "REG_SZ", "--data", "because")
    record("reg", "delete", disk, NOTE, "--dry-run")
    record("reg", "delete", disk, r"HKLM\SOFTWARE\Nothing", status=1)
    record("reg", "import", disk, folder / "select.reg")
    record("reg", "verify", disk)
    make_dirty(disk)
    record("reg", "recover", disk)
    record("reg", "recover", disk)
    hive = folder / "SYSTEM"
    hive.write_bytes(oracles.read_file(disk, machine.span(1), r"\WINDOWS\system32\config\SYSTEM"))
    record("reg", "set", hive, r"Select", "--value", "Note", "--type", "REG_DWORD", "--data", "1")
    record("undo", hive)
    (folder / "bad").write_bytes(b"regf" + bytes(8188))
    record("reg", "verify", folder / "bad", status=1)


def sources(record: Recorder, donor: Path, folder: Path, cache: Path) -> None:
    package = folder / "package"
    package.mkdir()
    (package / "disk.inf").write_text(GOOD)
    (package / "vdisk.sys").write_bytes(driver(cache))
    (package / "bad.inf").write_text("bad")
    record("drivers", "list", package)
    record("drivers", "show", package, "--target", "kvm:virtio-blk")
    record("drivers", "harvest", donor, *LSI, "--out", folder / "harvested")
    record("kit", "--target", "kvm:virtio-blk", "--windows", "xp", "--drivers", package, "--out", folder / "kit")


def test_the_judge_refuses_what_is_none(record: Recorder) -> None:
    good = record("doctor")
    changes: list[dict[str, Any]] = [
        {"schema": "bootgraft-doctor/2"}, {"schema": None}, {"parts": {}}, {"parts": [{}]}, {"parts": None},
    ]  # fmt: skip
    for change in changes:
        assert schema_faults({**good, **change})
    for name in good:
        bad = copy.deepcopy(good)
        del bad[name]
        assert schema_faults(bad)
    assert schema_faults([good, {}])
    assert schema_faults(7)
    assert schema_faults([good, good]) == []
