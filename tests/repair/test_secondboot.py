"""The package that is left for the second start."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import package

from bootgraft.changes import CreateDirectory, Plan, SetValue, WriteFile
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts
from bootgraft.registry.integrity import harm
from bootgraft.registry.integrity.window import WINDOW
from bootgraft.registry.values import ValueType, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.proof import read_back
from bootgraft.repair.secondboot import leave_package, without_registry
from bootgraft.repair.soundness import read_strictly, recall_sound, remember_sound
from bootgraft.windows.installation import open_hive

CONTENT = (("viostor.inf", b"[Version]\r\n"), ("amd64\\viostor.sys", b"MZ" * 40), ("viostor.cat", b"\x30\x82"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "\\WINDOWS\\Drivers\\viostor"


def with_inf(content: tuple[tuple[str, bytes], ...] = CONTENT) -> DriverPackage:
    facts = InfFacts(
        "viostor.inf",
        "{4D36E97B-E325-11CE-BFC1-08002BE10318}",
        "SCSIAdapter",
        "Red Hat",
        date(2020, 1, 2),
        (1, 2, 3, 4),
        "viostor_inst",
        (DeviceId("PCI\\VEN_1AF4&DEV_1001", is_hardware_id=True),),
        content,
    )
    return replace(package(service="viostor"), inf=facts)


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache)


def leave(windows: MemoryWindows, given: DriverPackage) -> Plan:
    return leave_package(windows.installation, given)


def device_path(windows: MemoryWindows) -> str | None:
    key = open_hive(windows.installation, "SOFTWARE").key("Microsoft\\Windows\\CurrentVersion")
    value = None if key is None else key.value("DevicePath")
    return None if value is None else value.text()


def test_the_whole_package_is_left_and_put_on_the_device_path(windows: MemoryWindows) -> None:
    plan = leave(windows, with_inf())
    directories = [each.file.path for each in plan.changes if isinstance(each, CreateDirectory)]
    assert directories == ["\\WINDOWS\\Drivers", FOLDER, f"{FOLDER}\\amd64"]
    files = {each.file.path: each.data for each in plan.changes if isinstance(each, WriteFile)}
    assert files == {f"{FOLDER}\\{name}": data for name, data in CONTENT}
    assert plan.notes[0].startswith(f"The package with its INF is left in {FOLDER}")
    apply(plan, windows.machine, now=NOW)
    read_back(plan, windows.reread().machine)
    assert device_path(windows.reread()) == r"%SystemRoot%\inf;%SystemRoot%\Drivers\viostor"


def test_a_second_time_nothing_is_left(windows: MemoryWindows) -> None:
    apply(leave(windows, with_inf()), windows.machine, now=NOW)
    assert leave(windows.reread(), with_inf()) == Plan(())


def test_an_older_package_is_replaced(windows: MemoryWindows) -> None:
    apply(leave(windows, with_inf()), windows.machine, now=NOW)
    plan = leave(windows.reread(), with_inf((("viostor.inf", b"[Version]\r\nnew"),)))
    (change,) = plan.changes
    assert isinstance(change, WriteFile)
    assert (change.file.path, change.before is None) == (f"{FOLDER}\\viostor.inf", False)


def test_a_package_without_inf_leaves_nothing(windows: MemoryWindows) -> None:
    assert leave(windows, package()) == Plan(())
    assert leave(windows, with_inf(())) == Plan(())


def test_other_folders_stay_on_the_device_path(windows: MemoryWindows) -> None:
    software = open_hive(windows.installation, "SOFTWARE")
    path = r"%SystemRoot%\inf;D:\OEM\;"
    software.set_value("Microsoft\\Windows\\CurrentVersion", "DevicePath", ValueType.REG_SZ, text_data(path))
    (change,) = leave(windows, with_inf()).registry()
    assert isinstance(change, SetValue)
    assert change.value.data == text_data(r"%SystemRoot%\inf;D:\OEM\;%SystemRoot%\Drivers\viostor")


def test_a_software_hive_of_any_size_is_edited_and_read_whole_once(
    windows: MemoryWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    software = open_hive(windows.installation, "SOFTWARE")
    software.create_key("Large")
    for number in range(20):
        software.set_value("Large", str(number), ValueType.REG_BINARY, bytes([number]) * 2**20)
    software.commit(filetime=0x01DA_0000_0000_0000)
    assert software.cells.bins_size > WINDOW
    large = windows.reread()
    plan = leave(large, with_inf())
    (change,) = plan.registry()
    assert read_strictly(plan, large.machine) == {change.hive: ()}
    sound = remember_sound(large.machine)
    apply(plan, large.machine, now=NOW)
    after = large.reread()
    monkeypatch.setattr(harm, "screen", None)  # which would read all of it again
    recall_sound(sound, after.machine)
    assert read_strictly(plan, after.machine) == {change.hive: ()}
    read_back(plan, after.machine)
    assert device_path(after) == r"%SystemRoot%\inf;%SystemRoot%\Drivers\viostor"


def test_without_a_software_hive_the_files_are_left(windows: MemoryWindows) -> None:
    windows.filesystem.files.pop("\\WINDOWS\\system32\\config\\software")
    plan = leave(windows.reread(), with_inf())
    assert (len(plan.files()), plan.registry()) == (3, ())
    assert "Install its INF by hand" in plan.notes[0]


def test_a_file_that_would_lie_elsewhere_leaves_nothing(windows: MemoryWindows) -> None:
    plan = leave(windows, with_inf((("..\\..\\evil.inf", b"x"),)))
    assert plan.changes == ()
    assert "outside its folder" in plan.notes[0]


def test_a_file_in_the_place_of_the_folder_leaves_nothing(windows: MemoryWindows) -> None:
    windows.filesystem.files["\\WINDOWS\\Drivers"] = b"a file"
    plan = leave(windows, with_inf())
    assert plan.changes == ()
    assert "in the place of a folder" in plan.notes[0]


def test_a_damaged_software_hive_keeps_the_files(windows: MemoryWindows) -> None:
    plan = without_registry(leave(windows, with_inf()), "it has 1 defect")
    assert (len(plan.files()), plan.registry()) == (3, ())
    assert plan.notes[0].startswith("The package is left in Windows, but not put on DevicePath: it has 1 defect.")
