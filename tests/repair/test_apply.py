"""A plan put into effect: in order, under its preconditions, and nothing else is touched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.plaintext import in_plain
from tests.registry.support import tree
from tests.repair.bench import from_donor, package, plan
from tests.report.contract import printed

from bootgraft.changes import (
    CreateDirectory,
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    Plan,
    RegistryData,
    SetValue,
    WriteFile,
)
from bootgraft.drivers.package import PackageFile
from bootgraft.errors import BootgraftError
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.repair.apply import apply, digest, filetime, find_volume, read_value
from bootgraft.repair.chainplan import join, volumes_written
from bootgraft.repair.proof import read_back
from bootgraft.report.changes import change_document
from bootgraft.report.plan_text import plan_text as plan_text_of
from bootgraft.report.plan_text import summary_line

plan_text = in_plain(plan_text_of)


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PATH = "\\WINDOWS\\system32\\drivers\\symmpi.sys"
DISK = "ControlSet001\\Services\\disk"


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, ControlSet(1), driver=DriverFile.OLDER)


def hive_id(windows: MemoryWindows) -> FileId:
    return FileId(0, 8192, "disk 0 partition 1", f"{windows.installation.directory}\\system32\\config\\SYSTEM")


def file_id(path: str = PATH) -> FileId:
    return FileId(0, 8192, "disk 0 partition 1", path)


def test_files_and_hives_are_as_planned_and_the_rest_as_it_was(machine_cache: Path, windows: MemoryWindows) -> None:
    ready = ControlSet(1, Symmpi.READY, binding=True)
    donor = memory_windows(machine_cache, ready, directory="WINNT", driver=DriverFile.GOOD)
    before, files = tree(windows.hive), dict(windows.filesystem.files)
    made = plan(windows, from_donor(donor, windows))
    apply(made, windows.machine, now=NOW)
    after = windows.reread()
    for change in made.registry():
        if isinstance(change, SetValue):
            before.setdefault(change.key, {})[change.name] = (change.value.type, change.value.data)
        else:
            assert isinstance(change, CreateKey)
            before.setdefault(change.key, {})
    assert tree(after.hive) == before
    changed = {path for path, data in windows.filesystem.files.items() if files.get(path) != data}
    assert changed == {"\\WINDOWS\\system32\\drivers\\SYMMPI.SYS", "\\WINDOWS\\system32\\config\\system"}


def test_a_file_gets_shorter_and_longer(windows: MemoryWindows) -> None:
    for data in (b"short", b"long" * 5000, b""):
        before = digest(windows.filesystem, PATH)
        apply(Plan((WriteFile(file_id(), data, before, "x"),)), windows.machine, now=NOW)
        assert windows.filesystem.find(PATH) == data


def test_each_kind_of_change_to_a_hive(windows: MemoryWindows) -> None:
    hive, new = hive_id(windows), "ControlSet001\\Services\\new"
    start = read_value(windows.hive, DISK, "Start")
    tag = read_value(windows.hive, DISK, "Tag")
    assert start is not None
    assert tag is not None
    changes = (
        CreateKey(hive, new),
        SetValue(hive, new, "", RegistryData(1, b"\0\0"), None),
        SetValue(hive, DISK, "start", RegistryData(ValueType.REG_DWORD, dword_data(3)), start),
        DeleteValue(hive, DISK, "Tag", tag),
        DeleteKey(hive, "ControlSet001\\Services\\PCIIde"),
    )
    apply(Plan(changes), windows.machine, now=NOW)
    after = windows.reread().hive
    assert read_value(after, new, "") == RegistryData(1, b"\0\0")
    assert read_value(after, DISK, "Start") == RegistryData(4, dword_data(3))
    assert read_value(after, DISK, "Tag") is None
    assert after.key("ControlSet001\\Services\\PCIIde") is None
    key = after.key(DISK)
    assert key is not None
    assert key.last_written == filetime(NOW)


@pytest.mark.parametrize(
    ("before", "what"),
    [
        (None, "its content is not what the plan was made for"),
        ("0" * 64, "its content is not what the plan was made for"),
    ],
)
def test_a_file_that_changed_since_is_not_written(windows: MemoryWindows, before: str | None, what: str) -> None:
    was = windows.filesystem.find(PATH)
    with pytest.raises(BootgraftError) as caught:
        apply(Plan((WriteFile(file_id(), b"new", before, "x"),)), windows.machine, now=NOW)
    assert caught.value.what == "its content is not what the plan was made for"
    assert caught.value.where == f"disk 0 partition 1: {PATH}"
    assert "Nothing was written" in caught.value.advice
    assert windows.filesystem.find(PATH) == was


def test_a_directory_and_a_file_in_it(windows: MemoryWindows) -> None:
    folder, inner = file_id("\\EFI"), file_id("\\EFI\\Boot")
    loader = WriteFile(file_id("\\EFI\\Boot\\bootx64.efi"), b"MZ", None, "x")
    made = Plan((CreateDirectory(folder), loader, CreateDirectory(inner)))
    assert made.directories() == (CreateDirectory(folder), CreateDirectory(inner))
    with pytest.raises(BootgraftError, match="does not read back"):
        read_back(made, windows.machine)
    apply(made, windows.machine, now=NOW)
    read_back(made, windows.machine)
    assert windows.filesystem.find("\\efi\\boot\\bootx64.efi") == b"MZ"
    assert volumes_written(made, windows.machine) == (windows.installation.volume,)
    with pytest.raises(BootgraftError, match="this directory is there already") as caught:
        apply(made, windows.machine, now=NOW)
    assert caught.value.where == "disk 0 partition 1: \\EFI"


def test_how_a_directory_is_told() -> None:
    made = Plan((CreateDirectory(file_id("\\EFI\\Boot")), WriteFile(file_id("\\a"), b"MZ", None, "x")))
    assert plan_text(made, detailed=False) == (
        "create  disk 0 partition 1: \\EFI\\Boot\\  (directory)\ncreate  disk 0 partition 1: \\a  (2 bytes, from x)\n"
    )
    assert summary_line(made) == "1 directory and 1 file"
    assert printed(change_document(made.changes[0])) == {
        "kind": "create-directory", "volume": "disk 0 partition 1", "path": "\\EFI\\Boot",
    }  # fmt: skip
    assert join(Plan(made.changes[:1]), made).changes == made.changes


def test_a_file_that_went_away_since(windows: MemoryWindows) -> None:
    before = digest(windows.filesystem, PATH)
    del windows.filesystem.files["\\WINDOWS\\system32\\drivers\\SYMMPI.SYS"]
    with pytest.raises(BootgraftError, match="not what the plan was made for"):
        apply(Plan((WriteFile(file_id(), b"new", before, "x"),)), windows.machine, now=NOW)


@pytest.mark.parametrize("before", [None, RegistryData(4, dword_data(4)), RegistryData(3, dword_data(0))])
def test_a_value_that_changed_since_is_not_set(windows: MemoryWindows, before: RegistryData | None) -> None:
    hive = hive_id(windows)
    new = RegistryData(4, dword_data(1))
    was = windows.filesystem.find(hive.path)
    with pytest.raises(BootgraftError, match="the value 'Start' is not what the plan was made for"):
        apply(Plan((SetValue(hive, DISK, "Start", new, before),)), windows.machine, now=NOW)
    assert windows.filesystem.find(hive.path) == was


def test_a_value_that_changed_since_is_not_deleted(windows: MemoryWindows) -> None:
    change = DeleteValue(hive_id(windows), DISK, "Start", RegistryData(4, dword_data(9)))
    with pytest.raises(BootgraftError, match="not what the plan was made for"):
        apply(Plan((change,)), windows.machine, now=NOW)


def test_a_partition_that_is_gone(windows: MemoryWindows) -> None:
    gone = replace(file_id(), partition_start=12345)
    with pytest.raises(BootgraftError, match="its partition is gone"):
        apply(Plan((WriteFile(gone, b"new", None, "x"),)), windows.machine, now=NOW)


def test_the_volume_is_found_by_where_it_starts(windows: MemoryWindows) -> None:
    assert find_volume(windows.machine, file_id()) is windows.installation.volume


def test_an_empty_plan_writes_nothing(windows: MemoryWindows) -> None:
    was = dict(windows.filesystem.files)
    apply(Plan(()), windows.machine, now=NOW)
    assert windows.filesystem.files == was


def test_a_new_file_beside_an_old_hive(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    made = plan(windows, package(files=(PackageFile("system32\\drivers\\symmpi.sys", b"MZ"),)))
    apply(made, windows.machine, now=NOW)
    assert windows.filesystem.files[PATH] == b"MZ"


def test_windows_time() -> None:
    # MS-DTYP 2.3.3: 100 ns since 1601-01-01; 1970-01-01 is 116444736000000000.
    assert filetime(datetime(1970, 1, 1, tzinfo=UTC)) == 116_444_736_000_000_000
    assert filetime(datetime(1970, 1, 1, 1, tzinfo=UTC)) - filetime(datetime(1970, 1, 1, tzinfo=UTC)) == int(
        timedelta(hours=1).total_seconds() * 10**7
    )
