"""What is read from hives and files before anything is judged."""

from pathlib import Path

from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Instance, Select, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.checks.controller.facts import ControllerFacts, gather
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
    first, _, third, _ = found.links
    assert [(each.control_set, each.main_id) for each in found.links] == [
        (name, main_id)
        for name in ("ControlSet001", "ControlSet003")
        for main_id in ("PCI\\VEN_1000&DEV_0030", "GenDisk")
    ]
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
    driver = gathered(windows).links[0].driver
    assert driver is not None
    assert driver.path == "\\WINDOWS\\system32\\DRIVERS\\SYMMPI.SYS"


def test_both_sets_read_the_same_file_once(machine_cache: Path) -> None:
    ready = (ControlSet(1, Symmpi.READY, binding=True), ControlSet(2, Symmpi.READY, binding=True))
    windows = memory_windows(machine_cache, *ready, driver=DriverFile.GOOD)
    found = gathered(windows)
    assert found.links[0].driver is found.links[2].driver


def test_an_instance_names_the_service_where_nothing_else_does(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, instance=Instance.OTHER_SERVICE))
    assert gathered(windows).links[0].service_name == "lsimpt"


def test_a_disabled_instance_names_none(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, instance=Instance.DISABLED))
    assert gathered(windows).links[0].service_name is None


def test_a_binding_without_a_service_binds_nothing(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.GOOD)
    windows.hive.delete_value(BINDING, "Service")
    found = gathered(windows).links[0]
    assert found.binding is not None
    assert (found.is_bound, found.service_name) == (False, None)


def test_instances_of_another_subsystem_are_another_device(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, instance=Instance.UNSERVICED))
    assert len(gathered(windows).links[0].instances) == 1
    assert gathered(windows, "virtualbox:lsilogic").links[0].instances == ()


def test_a_path_with_the_installations_own_letter_is_followed(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.GOOD)
    path = "\\??\\C:\\WINDOWS\\system32\\drivers\\symmpi.sys"
    windows.hive.set_value("ControlSet001\\Services\\symmpi", "ImagePath", ValueType.REG_EXPAND_SZ, text_data(path))
    driver = gathered(windows).links[0].driver
    assert driver is not None
    assert driver.present
