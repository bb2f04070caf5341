"""The proof: every kind of miss is found, and what tells later that Windows has run since."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import package, plan

from bootgraft.changes import (
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    Plan,
    RegistryData,
    SetValue,
    WitnessRange,
    WriteFile,
)
from bootgraft.drivers.package import PackageFile
from bootgraft.errors import BootgraftError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine
from bootgraft.registry.values import dword_data
from bootgraft.repair.apply import apply
from bootgraft.repair.proof import RESTART_PAGES, read_back, witnesses_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HIVE = FileId(0, 8192, "disk 0 partition 1", "\\WINDOWS\\system32\\config\\SYSTEM")
DRIVER = FileId(0, 8192, "disk 0 partition 1", "\\WINDOWS\\system32\\drivers\\symmpi.sys")
DISK = "ControlSet001\\Services\\disk"
START = RegistryData(4, dword_data(0))


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX))


def whole_plan(windows: MemoryWindows) -> Plan:
    return plan(windows, package(files=(PackageFile("system32\\drivers\\symmpi.sys", b"MZ"),)))


def test_an_applied_plan_reads_back(windows: MemoryWindows) -> None:
    made = whole_plan(windows)
    apply(made, windows.machine, now=NOW)
    read_back(made, windows.reread().machine)


def test_a_plan_that_was_not_applied_does_not(windows: MemoryWindows) -> None:
    with pytest.raises(BootgraftError, match="does not read back") as caught:
        read_back(whole_plan(windows), windows.machine)
    assert caught.value.where == str(DRIVER)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (WriteFile(DRIVER, b"MZ", None, "x"), str(DRIVER)),
        (WriteFile(FileId(0, 8192, "v", "\\WINDOWS\\win.ini"), b"other", "x", "x"), "v: \\WINDOWS\\win.ini"),
        (CreateKey(HIVE, "ControlSet001\\Services\\nope"), f"{HIVE}: ControlSet001\\Services\\nope"),
        (SetValue(HIVE, DISK, "Start", RegistryData(4, dword_data(1)), START), f"{HIVE}: {DISK}"),
        (SetValue(HIVE, DISK, "Start", RegistryData(3, dword_data(0)), START), f"{HIVE}: {DISK}"),
        (SetValue(HIVE, DISK, "Missing", START, None), f"{HIVE}: {DISK}"),
        (SetValue(HIVE, "ControlSet009", "Missing", START, None), f"{HIVE}: ControlSet009"),
        (DeleteValue(HIVE, DISK, "Start", START), f"{HIVE}: {DISK}"),
        (DeleteKey(HIVE, DISK), f"{HIVE}: {DISK}"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_each_kind_of_miss_is_found(windows: MemoryWindows, change: object, where: str) -> None:
    with pytest.raises(BootgraftError) as caught:
        read_back(Plan((change,)), windows.machine)  # type: ignore[arg-type]
    assert caught.value.where == where
    assert "Nothing was written" in caught.value.advice


@pytest.mark.parametrize(
    "change",
    [
        WriteFile(FileId(0, 8192, "v", "\\WINDOWS\\win.ini"), b"; for 16-bit app support\r\n[fonts]\r\n", "x", "x"),
        CreateKey(HIVE, DISK.upper()),
        SetValue(HIVE, DISK, "START", START, None),
        DeleteValue(HIVE, DISK, "Nope", START),
        DeleteKey(HIVE, "ControlSet001\\Services\\nope"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_reads_back(windows: MemoryWindows, change: object) -> None:
    read_back(Plan((change,)), windows.machine)  # type: ignore[arg-type]


def witnesses(plan: Plan, machine: Machine) -> tuple[WitnessRange, ...]:
    return witnesses_of([each.hive for each in plan.registry()], [each.file for each in plan.files()], machine)


def test_a_compressed_file_is_stored_as_it_is_and_proven_to_be(windows: MemoryWindows) -> None:
    path = "\\WINDOWS\\system32\\drivers\\disk.sys"
    windows.filesystem.attributes[path] = 0x820
    data = windows.filesystem.find(path)
    same = WriteFile(FileId(0, 8192, "disk 0 partition 1", path), data, sha256(data).hexdigest(), "its own content")
    with pytest.raises(BootgraftError, match="does not read back"):
        read_back(Plan((same,)), windows.machine)
    apply(Plan((same,)), windows.machine, now=NOW)
    assert windows.filesystem.attributes[path] == 0x20
    read_back(Plan((same,)), windows.machine)


def test_the_witnesses_are_the_hives_base_block_and_the_restart_pages(windows: MemoryWindows) -> None:
    found = witnesses(whole_plan(windows), windows.machine)
    (log, log_rest), (hive, _) = windows.filesystem.extents("\\$LogFile"), windows.filesystem.extents(HIVE.path)
    assert found == (
        WitnessRange(0, 8192 + log[0], 4096),
        WitnessRange(0, 8192 + log_rest[0], RESTART_PAGES - 4096),
        WitnessRange(0, 8192 + hive[0], 512),
    )


def test_a_plan_of_files_alone_has_the_log_for_a_witness(windows: MemoryWindows) -> None:
    made = Plan(whole_plan(windows).files())
    assert len(witnesses(made, windows.machine)) == 2


def test_fat_has_no_log(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1), kind=FileSystemKind.FAT32)
    assert [each.length for each in witnesses(whole_plan(windows), windows.machine)] == [512]


def test_an_empty_plan_has_no_witnesses(windows: MemoryWindows) -> None:
    assert witnesses(Plan(()), windows.machine) == ()
