"""What is read from hives and files before anything is judged."""

from pathlib import Path

import pytest
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Instance, Select, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.checks import facts as facts_module
from bootgraft.checks.facts import ControllerFacts, gather, read_driver
from bootgraft.errors import FileSystemError
from bootgraft.registry.values import ValueType, text_data
from bootgraft.targets.controllers import find_controller

LSI = find_controller("vmware:lsilogic")
DRIVERS = "\\WINDOWS\\system32\\drivers"
BINDING = "ControlSet001\\Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030"


def gathered(windows: MemoryWindows, target: str = "vmware:lsilogic") -> ControllerFacts:
    return gather(windows.installation, windows.hive, find_controller(target))


def test_a_machine_that_has_it_all(machine_cache: Path) -> None:
    windows = memory_windows(
        machine_cache,
        ControlSet(1, Symmpi.READY, binding=True),
        ControlSet(3),
        select=Select(current=1, default=3),
        driver=DriverFile.GOOD,
    )
    found = gathered(windows)
    assert (found.version, found.architecture) == ((5, 2), "x86")
    assert str(found.hive) == "disk 0 partition 1: \\WINDOWS\\system32\\config\\SYSTEM"
    first, third = found.sets
    assert (first.number, first.is_default, first.service_name) == (1, False, "symmpi")
    assert (third.number, third.is_default, third.service_name) == (3, True, None)
    assert first.service is not None
    assert first.service.start == 0
    assert first.driver is not None
    assert first.driver.path == "\\WINDOWS\\system32\\DRIVERS\\symmpi.sys"
    assert [each.path for each in first.driver.imports] == [f"{DRIVERS}\\SCSIPORT.SYS"]
    assert third.driver is None


def test_the_file_is_named_as_it_stands_on_the_volume(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.UPPER_CASE)
    driver = gathered(windows).sets[0].driver
    assert driver is not None
    assert driver.path == "\\WINDOWS\\system32\\DRIVERS\\SYMMPI.SYS"


def test_both_sets_read_the_same_file_once(machine_cache: Path) -> None:
    ready = (ControlSet(1, Symmpi.READY, binding=True), ControlSet(2, Symmpi.READY, binding=True))
    windows = memory_windows(machine_cache, *ready, driver=DriverFile.GOOD)
    found = gathered(windows)
    assert found.sets[0].driver is found.sets[1].driver


def test_an_instance_names_the_service_where_nothing_else_does(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, instance=Instance.OTHER_SERVICE))
    assert gathered(windows).sets[0].service_name == "lsimpt"


def test_a_disabled_instance_names_none(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, instance=Instance.DISABLED))
    assert gathered(windows).sets[0].service_name is None


def test_a_binding_without_a_service_binds_nothing(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.GOOD)
    windows.hive.delete_value(BINDING, "Service")
    found = gathered(windows).sets[0]
    assert found.binding is not None
    assert (found.is_bound, found.service_name) == (False, None)


def test_instances_of_another_subsystem_are_another_device(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, instance=Instance.UNSERVICED))
    assert len(gathered(windows).sets[0].instances) == 1
    assert gathered(windows, "virtualbox:lsilogic").sets[0].instances == ()


def test_a_path_with_the_installations_own_letter_is_followed(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.GOOD)
    path = "\\??\\C:\\WINDOWS\\system32\\drivers\\symmpi.sys"
    windows.hive.set_value("ControlSet001\\Services\\symmpi", "ImagePath", ValueType.REG_EXPAND_SZ, text_data(path))
    driver = gathered(windows).sets[0].driver
    assert driver is not None
    assert driver.present


@pytest.mark.parametrize(
    ("state", "present", "fault"),
    [
        (DriverFile.ABSENT, False, None),
        (DriverFile.GARBAGE, True, "it lacks the MZ header of a Windows binary"),
        (DriverFile.GOOD, True, None),
    ],
)
def test_what_a_driver_file_is(machine_cache: Path, state: DriverFile, present: bool, fault: str | None) -> None:
    windows = memory_windows(machine_cache, driver=state)
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (present, fault)
    assert (found.pe is not None) is (state is DriverFile.GOOD)


def test_a_directory_in_the_place_of_the_driver(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, extra=[File(f"{DRIVERS}\\symmpi.sys\\x", b"")])
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is a directory")


def test_a_driver_too_large_is_not_read(machine_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "MAX_DRIVER", 1000)
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is too large")


def test_a_driver_that_cannot_be_read_is_a_fault_of_the_driver(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)

    def read(path: str, offset: int = 0, length: int | None = None) -> bytes:
        raise FileSystemError("it is encrypted (EFS)", where=path, advice="Decrypt it on a running Windows")

    monkeypatch.setattr(type(windows.filesystem), "read", staticmethod(read))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is encrypted (EFS)")


def test_imports_are_looked_for_in_drivers_and_then_in_system32(machine_cache: Path) -> None:
    importing = PortableExecutable(
        "x.sys", Architecture.X86,
        (("SCSIPORT.SYS", ("A",)), ("ntoskrnl.exe", ("B",)), ("storport.sys", ("C",)), ("hal.dll", ("D",))),
    )  # fmt: skip
    files = [File(f"{DRIVERS}\\x.sys", importing), File(f"{DRIVERS}\\storport.sys", b"no binary")]
    windows = memory_windows(machine_cache, extra=files)
    del windows.filesystem.files["\\WINDOWS\\system32\\hal.dll"]
    windows.filesystem.files["\\WINDOWS\\system32\\drivers\\hal.dll\\a directory"] = b""
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\x.sys")
    places = {each.name: (each.path, each.architecture) for each in found.imports}
    assert places["SCSIPORT.SYS"] == (f"{DRIVERS}\\SCSIPORT.SYS", "x86")
    assert places["ntoskrnl.exe"] == ("\\WINDOWS\\system32\\ntoskrnl.exe", "x86")
    assert places["storport.sys"] == (f"{DRIVERS}\\storport.sys", None)
    assert places["hal.dll"] == (f"{DRIVERS}\\hal.dll", None)


def test_an_import_that_cannot_be_read_is_a_fault_and_no_error(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)
    really = type(windows.filesystem).read

    def read(path: str, offset: int = 0, length: int | None = None) -> bytes:
        if path.casefold().endswith("scsiport.sys"):
            raise FileSystemError("damaged", where=path, advice="chkdsk")
        return really(windows.filesystem, path, offset, length)

    monkeypatch.setattr(type(windows.filesystem), "read", staticmethod(read))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert [(each.name, each.architecture) for each in found.imports] == [("SCSIPORT.SYS", None)]
