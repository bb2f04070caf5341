"""A package taken out of a working machine."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.checks.test_verdicts import diagnosis
from tests.checks.test_verdicts import machine as nt6
from tests.drivers.inf.infs import GOOD, tree
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import WINDOWS_XP, ControlSet, Instance, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.changes import RegistryData
from bootgraft.drivers.guest.donor import read_donor
from bootgraft.drivers.guest.harvest import HarvestedFile, harvest, reg_file
from bootgraft.drivers.guest.staged import read_staged
from bootgraft.drivers.inf.selection import require_package
from bootgraft.drivers.inf.target_windows import read_target_windows
from bootgraft.drivers.package import DriverPackage, PackageKey, PackageValue
from bootgraft.registry.regfile import parse
from bootgraft.registry.values import ValueType, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import plan_repair
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.bindings import enum_instances

LSI = find_controller("vmware:lsilogic")
INF = (
    GOOD.replace("disk0", "symmpi").replace("vdisk.sys", "symmpi.sys").replace("VEN_1AF4&DEV_1001", "VEN_1000&DEV_0030")
)
CATALOG = "\\WINDOWS\\system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}\\oem7.CAT"


@pytest.fixture
def machine(machine_cache: Path) -> MemoryWindows:
    ready = ControlSet(1, Symmpi.READY, binding=True, instance=Instance.OTHER_SERVICE)
    return memory_windows(machine_cache, ready, release=WINDOWS_XP, driver=DriverFile.GOOD)


def take(windows: MemoryWindows) -> tuple[HarvestedFile, ...]:
    package = read_donor(windows.installation, windows.hive, LSI, windows.installation, source="machine")
    return harvest(package, windows.installation, windows.hive, LSI)


def with_inf(machine: MemoryWindows, *, name: str = "oem7.inf", text: str | None = INF) -> MemoryWindows:
    """The machine as Plug and Play leaves it: the device's instance names its class key, and that its INF."""
    (instance,) = enum_instances(machine.hive, 1, "PCI", "VEN_1000&DEV_0030")
    driver = "{4D36E97B-E325-11CE-BFC1-08002BE10318}\\0001"
    machine.hive.set_value(instance.key_path, "Driver", ValueType.REG_SZ, text_data(driver))
    key = f"ControlSet001\\Control\\Class\\{driver}"
    machine.hive.create_key(key)
    machine.hive.set_value(key, "InfPath", ValueType.REG_SZ, text_data(name))
    if text is not None:
        machine.filesystem.files[f"\\WINDOWS\\inf\\{name}"] = text.encode()
    return machine


def test_without_an_inf_the_keys_and_the_driver_file(machine: MemoryWindows) -> None:
    reg, driver = take(machine)
    assert (reg.name, driver.name) == ("symmpi.reg", "symmpi.sys")
    assert driver.data == machine.filesystem.find("\\WINDOWS\\system32\\DRIVERS\\symmpi.sys")
    keys = {key.path.rpartition("CurrentControlSet\\")[2] for key in parse(reg.data, name="x.reg").keys}
    assert "Services\\symmpi\\Parameters\\PnpInterface" in keys
    assert "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030" in keys


def test_the_inf_and_its_catalog_where_windows_has_them(machine: MemoryWindows) -> None:
    machine.filesystem.files[CATALOG] = b"catalog"
    files = take(with_inf(machine))
    assert [(file.name, file.origin) for file in files[2:]] == [
        ("oem7.inf", "\\WINDOWS\\inf\\oem7.inf"),
        ("disk.cat", CATALOG),
    ]
    package = require_package(
        tree({file.name: file.data for file in files}), LSI, read_target_windows(machine.installation, machine.hive)
    )
    assert package.service == "symmpi"
    assert package.files[0].data == files[1].data


def test_an_inf_that_is_unsigned_gone_or_none(machine: MemoryWindows) -> None:
    assert [file.name for file in take(with_inf(machine))[2:]] == ["oem7.inf"]
    machine.filesystem.files["\\WINDOWS\\inf\\oem7.inf"] = b"no inf"
    assert len(take(machine)) == 2
    del machine.filesystem.files["\\WINDOWS\\inf\\oem7.inf"]
    assert len(take(machine)) == 2


def test_a_name_that_leads_elsewhere_is_none(machine: MemoryWindows) -> None:
    machine.filesystem.files["\\WINDOWS\\x.inf"] = INF.encode()
    assert len(take(with_inf(machine, name="..\\x.inf", text=None))) == 2


def test_reg_text_comes_back_as_it_was() -> None:
    values = (
        PackageValue("", RegistryData(ValueType.REG_SZ, text_data('a "quoted" \\ path'))),
        PackageValue("long", RegistryData(ValueType.REG_BINARY, bytes(range(256)))),
        PackageValue("odd\nname", RegistryData(0xFFFF0012, b"x")),
        PackageValue("gone", None),
    )
    package = DriverPackage(
        "x", "s", (PackageKey("Services\\s", values), PackageKey("Services\\s\\Parameters", ())), ()
    )
    data = reg_file(package)
    assert data.startswith(b"\xff\xfeW\0i\0")
    first, second = parse(data, name="x.reg").keys
    assert first.path == "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\s"
    assert [(v.name, v.type, v.data, v.delete) for v in first.values[:3]] == [
        (v.name, v.data.type, v.data.data, False) for v in values[:3] if v.data is not None
    ]
    assert (first.values[3].name, first.values[3].delete) == ("gone", True)
    assert second.values == ()


def test_a_whole_package_out_of_the_driver_store(machine_cache: Path, shared_testdata: Path) -> None:
    """A Windows 7 that runs on virtio: its package lies in the store, under the INF's own name."""
    virtio = find_controller("kvm:virtio-blk")
    folder = shared_testdata / "drivers" / "virtio-win-old-drivers" / "Win7" / "amd64"
    seven = nt6("7", machine_cache)
    staged = "\\Windows\\System32\\DriverStore\\FileRepository\\viostor.inf_amd64_neutral_1"
    content = {path.name: path.read_bytes() for path in folder.glob("viostor.*")}
    for name, data in content.items():
        seven.filesystem.files[f"{staged}\\{name}"] = data
    seven.filesystem.files["\\Windows\\inf\\oem4.inf"] = content["viostor.inf"]
    package = read_staged(seven.installation, seven.hive, virtio)
    assert package is not None
    plan = plan_repair(seven.installation, seven.hive, [(diagnosis(seven, virtio), package)])
    apply(plan, seven.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    running = seven.reread()
    taken = read_donor(running.installation, running.hive, virtio, running.installation, source="machine")
    files = harvest(taken, running.installation, running.hive, virtio)
    assert {file.name: file.data for file in files[1:]} == content
    again = require_package(
        tree({file.name: file.data for file in files}), virtio, read_target_windows(running.installation, running.hive)
    )
    assert again.files[0].data == content["viostor.sys"]
    # Where another driver runs than the one in the store, that package is not its.
    running.filesystem.files[f"{staged}\\viostor.sys"] = (folder / "vioscsi.sys").read_bytes()
    assert [file.name for file in harvest(taken, running.installation, running.hive, virtio)] == [
        "viostor.reg",
        "viostor.sys",
    ]
