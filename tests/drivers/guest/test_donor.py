"""What is taken out of a donor, and what stays there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.machines.spec import Architecture, File
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import WINDOWS_XP, ControlSet, Instance, Select, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.changes import RegistryData
from bootgraft.drivers.guest import donor as donor_module
from bootgraft.drivers.guest.donor import read_donor
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError, FileSystemError
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.targets.controllers import find_controller

LSI = find_controller("vmware:lsilogic")
READY = (ControlSet(1, Symmpi.READY, binding=True), ControlSet(2, Symmpi.READY, binding=True))
SERVICE = "ControlSet001\\Services\\symmpi"
DATABASE = "ControlSet001\\Control\\CriticalDeviceDatabase"

Donor = Callable[..., MemoryWindows]


@pytest.fixture
def donor(machine_cache: Path) -> Donor:
    def make(
        *sets: ControlSet, directory: str = "WINNT", driver: DriverFile = DriverFile.GOOD, **more: Any
    ) -> MemoryWindows:
        return memory_windows(machine_cache, *(sets or READY), directory=directory, driver=driver, **more)

    return make


@pytest.fixture
def target_windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache)


def take(donor: MemoryWindows, target_windows: MemoryWindows) -> DriverPackage:
    return read_donor(donor.installation, donor.hive, LSI, target_windows.installation, source="donor.vmdk")


def values(package: DriverPackage, path: str = "Services\\symmpi") -> dict[str, RegistryData | None]:
    (key,) = (key for key in package.keys if key.path == path)
    return {value.name: value.data for value in key.values}


def test_the_driver_comes_with_its_keys_and_its_file(donor: Donor, target_windows: MemoryWindows) -> None:
    windows = donor()
    package = take(windows, target_windows)
    assert (package.origin, package.service, package.notes) == ("donor.vmdk", "symmpi", ())
    assert {key.path for key in package.keys} == {
        "Services\\symmpi",
        "Services\\symmpi\\Parameters",
        "Services\\symmpi\\Parameters\\Device",
        "Services\\symmpi\\Parameters\\PnpInterface",
        "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030",
    }
    (file,) = package.files
    assert file.path == "system32\\DRIVERS\\symmpi.sys"
    assert file.data == windows.filesystem.find("\\WINNT\\system32\\drivers\\symmpi.sys")


def test_values_are_taken_as_they_lie_in_the_hive(donor: Donor, target_windows: MemoryWindows) -> None:
    windows = donor()
    odd = b"\x01\x02\x03"
    windows.hive.set_value(SERVICE, "Odd", 0xFFFF0012, odd)
    windows.hive.set_value(SERVICE, "", ValueType.REG_SZ, b"no NUL")
    found = values(take(windows, target_windows))
    assert found["Odd"] == RegistryData(0xFFFF0012, odd)
    assert found[""] == RegistryData(1, b"no NUL")
    assert found["ImagePath"] == RegistryData(2, text_data("system32\\DRIVERS\\symmpi.sys"))


def test_never_its_tag(donor: Donor, target_windows: MemoryWindows) -> None:
    assert not any(value.name.casefold() == "tag" for key in take(donor(), target_windows).keys for value in key.values)


def test_never_enum(donor: Donor, target_windows: MemoryWindows) -> None:
    windows = donor(ControlSet(1, Symmpi.READY, binding=True, instance=Instance.UNSERVICED))
    windows.hive.create_key(f"{SERVICE}\\Enum\\Below")
    windows.hive.create_key(f"{SERVICE}\\Parameters\\Enum")  # the driver's own, whatever it means
    found = {key.path for key in take(windows, target_windows).keys}
    assert not any(path.casefold().startswith(("enum", "services\\symmpi\\enum")) for path in found)
    assert "Services\\symmpi\\Parameters\\Enum" in found


@pytest.mark.parametrize("start", [3, 4, None])
def test_started_at_boot_whatever_the_donor_does(
    donor: Donor, target_windows: MemoryWindows, start: int | None
) -> None:
    windows = donor()
    windows.hive.delete_value(SERVICE, "Start")
    if start is not None:
        windows.hive.set_value(SERVICE, "START", ValueType.REG_DWORD, dword_data(start))
    assert values(take(windows, target_windows))["Start"] == RegistryData(4, bytes(4))


def test_every_binding_of_the_service_and_no_other(donor: Donor, target_windows: MemoryWindows) -> None:
    windows = donor()
    for name in ("pci#ven_1000&dev_0032", "PCI#VEN_1000&DEV_0621"):
        windows.hive.create_key(f"{DATABASE}\\{name}")
        windows.hive.set_value(f"{DATABASE}\\{name}", "ClassGUID", ValueType.REG_SZ, text_data("{x}"))
        windows.hive.set_value(f"{DATABASE}\\{name}", "Service", ValueType.REG_SZ, text_data("SymMPI"))
    bindings = [key.path for key in take(windows, target_windows).keys if key.path.startswith("Control\\")]
    assert sorted(path.rpartition("\\")[2] for path in bindings) == [
        "PCI#VEN_1000&DEV_0621",
        "pci#ven_1000&dev_0030",
        "pci#ven_1000&dev_0032",
    ]


def test_the_donors_default_set_is_read(donor: Donor, target_windows: MemoryWindows) -> None:
    other = donor(ControlSet(1), ControlSet(2, Symmpi.READY, binding=True), select=Select(current=1, default=2))
    assert take(other, target_windows).service == "symmpi"
    with pytest.raises(DriverSourceError, match="ControlSet001 binds no service"):
        take(donor(ControlSet(1), ControlSet(2, Symmpi.READY, binding=True)), target_windows)


@pytest.mark.parametrize(
    ("image_path", "expected"),
    [
        ("\\SystemRoot\\System32\\DRIVERS\\symmpi.sys", "System32\\DRIVERS\\symmpi.sys"),
        ("%SystemRoot%\\System32\\DRIVERS\\symmpi.sys", "System32\\DRIVERS\\symmpi.sys"),
        ("\\??\\C:\\WINNT\\system32\\drivers\\symmpi.sys", "system32\\drivers\\symmpi.sys"),
        ("\\WINNT\\system32\\drivers\\symmpi.sys", "system32\\drivers\\symmpi.sys"),
    ],
)
def test_an_image_path_becomes_relative_to_the_windows_directory(
    donor: Donor, target_windows: MemoryWindows, image_path: str, expected: str
) -> None:
    windows = donor()
    windows.hive.set_value(SERVICE, "ImagePath", ValueType.REG_EXPAND_SZ, text_data(image_path))
    package = take(windows, target_windows)
    assert values(package)["ImagePath"] == RegistryData(2, text_data(expected))
    assert package.files[0].path.casefold() == "system32\\drivers\\symmpi.sys"


def test_a_service_without_an_image_path_takes_away_that_of_the_machine(
    donor: Donor, target_windows: MemoryWindows
) -> None:
    windows = donor()
    windows.hive.delete_value(SERVICE, "ImagePath")
    package = take(windows, target_windows)
    assert values(package)["ImagePath"] is None
    assert package.files[0].path == "system32\\drivers\\symmpi.sys"


def test_a_driver_elsewhere_on_the_donor_goes_into_the_drivers_folder(
    donor: Donor, target_windows: MemoryWindows
) -> None:
    windows = donor()
    windows.filesystem.files["\\VENDOR\\symmpi.sys"] = windows.filesystem.find("\\WINNT\\system32\\drivers\\symmpi.sys")
    windows.hive.set_value(SERVICE, "ImagePath", ValueType.REG_EXPAND_SZ, text_data("\\VENDOR\\symmpi.sys"))
    package = take(windows, target_windows)
    assert package.files[0].path == "system32\\drivers\\symmpi.sys"
    assert values(package)["ImagePath"] == RegistryData(2, text_data("system32\\drivers\\symmpi.sys"))


def test_a_donor_of_another_version_is_noted(donor: Donor, target_windows: MemoryWindows) -> None:
    (note,) = take(donor(release=WINDOWS_XP), target_windows).notes
    assert "NT 5.1" in note
    assert "NT 5.2" in note


def broken(donor: Donor, case: str) -> MemoryWindows:
    if case == "no binding":
        return donor(ControlSet(1, Symmpi.READY))
    if case == "no service":
        return donor(ControlSet(1, Symmpi.ABSENT, binding=True))
    if case == "no file":
        return donor(driver=DriverFile.ABSENT)
    if case == "no driver":
        return donor(driver=DriverFile.GARBAGE)
    if case == "x64":
        return donor(arch=Architecture.X64)
    if case == "directory":
        return donor(driver=DriverFile.ABSENT, extra=[File("\\WINNT\\system32\\drivers\\symmpi.sys\\x", b"")])
    windows = donor()
    windows.hive.delete_value(f"{DATABASE}\\pci#ven_1000&dev_0030", "Service")
    return windows


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no binding", "has no driver for PCI\\VEN_1000&DEV_0030: ControlSet001 binds no service to it"),
        ("dead binding", "has no driver for PCI\\VEN_1000&DEV_0030: ControlSet001 binds no service to it"),
        ("no service", "binds PCI\\VEN_1000&DEV_0030 to the service symmpi, which it does not have"),
        ("no file", "service symmpi has no driver file"),
        ("no driver", "driver file cannot be used: it lacks the MZ header"),
        ("directory", "driver file cannot be used: it is a directory"),
        ("x64", "driver is built for x64; Microsoft Windows Server 2003 is x86"),
    ],
)
def test_a_donor_that_cannot_help(donor: Donor, target_windows: MemoryWindows, case: str, said: str) -> None:
    with pytest.raises(DriverSourceError) as caught:
        take(broken(donor, case), target_windows)
    assert said in caught.value.what
    assert caught.value.where.startswith("donor.vmdk: ")
    assert caught.value.advice.startswith("Give a")


def test_an_encrypted_driver_is_the_donors_fault(
    donor: Donor, target_windows: MemoryWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = donor()

    def read(path: str, offset: int = 0, length: int | None = None) -> bytes:
        raise FileSystemError("it is encrypted (EFS)", where=path, advice="Decrypt it")

    monkeypatch.setattr(type(windows.filesystem), "read", staticmethod(read))
    with pytest.raises(DriverSourceError, match="cannot be used: it is encrypted"):
        take(windows, target_windows)


def test_a_service_without_end_is_bounded(
    donor: Donor, target_windows: MemoryWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(donor_module, "MAX_SERVICE_KEYS", 3)
    windows = donor()
    for number in range(10):
        windows.hive.create_key(f"{SERVICE}\\Parameters\\Device{number}")
    with pytest.raises(DriverSourceError, match="more than 3 keys"):
        take(windows, target_windows)
