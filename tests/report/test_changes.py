"""What documents say of changes is what docs/json.md says."""

import base64
from pathlib import Path

import pytest
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Instance, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import from_donor, package, plan
from tests.report.contract import faults, printed

from bootgraft.changes import DeleteKey, DeleteValue, FileId, RegistryData
from bootgraft.drivers.package import PackageFile
from bootgraft.report.changes import change_document, change_documents
from bootgraft.report.documents.changing import RepairDocument

HIVE = FileId(0, 8192, "disk 0 partition 1", "\\WINDOWS\\system32\\config\\SYSTEM")


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX, instance=Instance.DISABLED), ControlSet(2))


def test_every_change_keeps_the_contract(machine_cache: Path, windows: MemoryWindows) -> None:
    ready = ControlSet(1, Symmpi.READY, binding=True)
    donor = memory_windows(machine_cache, ready, directory="WINNT", driver=DriverFile.GOOD)
    dword = RegistryData(4, b"\1\0\0\0")
    changes = [*plan(windows, from_donor(donor, windows)).changes, DeleteValue(HIVE, "ControlSet001\\x", "Tag", dword)]
    changes.append(DeleteKey(HIVE, "ControlSet001\\x"))
    document = printed(
        RepairDocument(
            before=(), changes=change_documents(changes), notes=(), after=(), committed=False, journal=None, overlays=()
        )
    )
    assert faults(document, "repair") == []
    kinds = {each["kind"] for each in document["changes"]}
    assert kinds == {"write-file", "create-key", "set-value", "delete-value", "delete-key"}
    assert document["changes"][-2]["before"] == {"type": 4, "data": base64.b64encode(b"\1\0\0\0").decode()}


def test_a_replaced_file_tells_what_it_replaces(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1), driver=DriverFile.OLDER)
    (change,) = plan(windows, package(files=(PackageFile("system32\\drivers\\symmpi.sys", b"MZ"),))).files()
    document = printed(change_document(change))
    assert document["size"] == 2
    assert document["path"] == "\\WINDOWS\\system32\\drivers\\SYMMPI.SYS"
    assert document["before_sha256"] is not None
    assert len(document["before_sha256"]) == len(document["sha256"]) == 64
