"""What a kit brings: the same as a repair, less what a given machine has."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.kit.cases import DRIVER, INF, KEYS, LSI, OTHER, OWN, SERVICE, package, target_windows, text
from tests.machines.spec import Architecture
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_10,
    WINDOWS_2000,
    ControlSet,
    Symmpi,
)
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import diagnosis

from bootgraft.changes import CreateKey, Plan, SetValue
from bootgraft.drivers.inf.target_windows import read_target_windows
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError
from bootgraft.kit.contents import Kit
from bootgraft.kit.plan import plan_inbox_kit, plan_kit, plan_kit_for
from bootgraft.kit.render import render
from bootgraft.registry.regfile import parse
from bootgraft.repair.plan import plan_repair
from bootgraft.targets.controllers import Controller, find_controller
from bootgraft.windows import pe

Setting = tuple[str, str, int, bytes]
MACHINES = {
    "nt4": (NT_4, Architecture.X86),
    "2000": (WINDOWS_2000, Architecture.X86),
    "2003": (SERVER_2003, Architecture.X86),
    "7": (WINDOWS_7, Architecture.X64),
    "10": (WINDOWS_10, Architecture.X64),
}


VIRTIO = find_controller("kvm:virtio-blk")


def controller_of(name: str) -> Controller:
    """One that this Windows has no driver for: 7 has one for LSI Logic."""
    return VIRTIO if name == "7" else LSI


def given_to(name: str) -> DriverPackage:
    made = package(INF if name == "10" else None)
    bound = OWN.replace("1000&dev_0030", "1af4&dev_1001")
    keys = tuple(replace(key, path=bound) if key.path == OWN else key for key in made.keys)
    return replace(made, keys=keys) if name == "7" else made


def planned(windows: MemoryWindows, given: DriverPackage, controller: Controller = LSI) -> Plan:
    return plan_repair(windows.installation, windows.hive, [(diagnosis(windows, controller.target), given)])


def settings_of_plan(plan: Plan) -> set[Setting]:
    """What a repair sets in the first control set, below it."""
    root = "ControlSet001\\"
    return {
        (each.key.removeprefix(root), each.name, each.value.type, each.value.data)
        for each in plan.registry()
        if isinstance(each, SetValue) and each.key.startswith(root)
    }


def settings_of_kit(made: Kit) -> set[Setting]:
    """What the .reg files that install.cmd imports set, below CurrentControlSet."""
    files = {name: data for name, data in render(made) if name == "driver.reg" or name.startswith("further\\")}
    root = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\"
    return {
        (key.path.removeprefix(root), value.name, value.type, value.data)
        for name, data in files.items()
        for key in parse(data, name=name).keys
        for value in key.values
        if not value.delete
    }


def bare(name: str, cache: Path) -> MemoryWindows:
    release, arch = MACHINES[name]
    return memory_windows(cache, ControlSet(1), release=release, arch=arch)


@pytest.mark.parametrize("name", MACHINES)
def test_the_keys_are_those_of_a_repair(name: str, machine_cache: Path) -> None:
    windows = bare(name, machine_cache)
    plan = planned(windows, given_to(name), controller_of(name))
    made = plan_kit((given_to(name),), controller_of(name), target_windows(name, windows.installation.arch))
    assert settings_of_plan(plan)
    assert settings_of_kit(made) == settings_of_plan(plan)
    keys = {each.key.removeprefix("ControlSet001\\") for each in plan.registry() if isinstance(each, CreateKey)}
    assert {each.path for each in (*made.keys, *made.further)} == {
        each for each in keys if "DriverDatabase" not in each
    }
    assert [file.path for file in made.files] == [file.file.path.removeprefix("\\WINDOWS\\") for file in plan.files()]


def for_machine(windows: MemoryWindows, given: DriverPackage, controller: Controller = LSI) -> Kit:
    of = read_target_windows(windows.installation, windows.hive)
    return plan_kit_for(windows.installation, planned(windows, given, controller), (given,), controller, of)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_that_has_nothing_gets_the_whole_kit(name: str, machine_cache: Path) -> None:
    windows = bare(name, machine_cache)
    made = for_machine(windows, given_to(name), controller_of(name))
    whole = plan_kit((given_to(name),), controller_of(name), target_windows(name, windows.installation.arch))
    assert (made.files, made.further, made.inf) == (whole.files, whole.further, whole.inf)
    assert settings_of_kit(made) == settings_of_kit(whole)
    assert made.present == ()


def test_what_is_there_is_left_out_and_said(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True))
    made = for_machine(windows, package())
    assert OWN not in [key.path for key in made.keys]
    assert f"key {OWN}" in made.present
    assert [key.path for key in made.further] == [OTHER]
    assert made.files == (DRIVER,)
    names = {value.name for key in made.keys if key.path == SERVICE.path for value in key.values}
    assert "Start" not in names
    readme = dict(render(made))["README.txt"].decode()
    assert "Left out, because the machine has it already" in readme


def test_nothing_is_left_to_do(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    given = package()
    nothing = plan_kit_for(
        windows.installation, Plan(()), (given,), LSI, read_target_windows(windows.installation, windows.hive)
    )
    assert nothing.is_empty
    assert len(nothing.present) == len(KEYS) + 1


def test_an_override_goes_from_a_live_windows(machine_cache: Path) -> None:
    windows = bare("10", machine_cache)
    windows.hive.create_key("ControlSet001\\Services\\symmpi\\StartOverride")
    windows.hive.set_value("ControlSet001\\Services\\symmpi\\StartOverride", "0", 4, b"\x03\0\0\0")
    made = for_machine(windows, package(INF))
    assert made.gone == ("Services\\symmpi\\StartOverride",)
    assert all("StartOverride" not in key.path for key in made.keys)


def test_a_package_without_an_inf_is_none_for_windows_8_and_later() -> None:
    with pytest.raises(DriverSourceError, match="there is no INF in it"):
        plan_kit((package(),), LSI, target_windows("2016"))


@pytest.mark.parametrize(
    ("target", "windows", "services"),
    [
        ("hyperv:gen2", "2016", ("vmbus", "storvsc", "disk")),
        ("kvm:nvme", "10", ("stornvme", "disk")),
        ("vmware:lsisas1068", "7", ("LSI_SAS", "disk")),
    ],
)
def test_what_windows_has_is_only_started(target: str, windows: str, services: tuple[str, ...]) -> None:
    made = plan_inbox_kit(find_controller(target), target_windows(windows, pe.Architecture.X64))
    assert tuple(each.casefold() for each in made.required) == tuple(each.casefold() for each in services)
    assert [key.path for key in made.keys] == [f"Services\\{each}" for each in made.required]
    assert len(made.gone) == (0 if windows == "7" else len(services))


@pytest.mark.parametrize(
    ("target", "windows"), [("kvm:virtio-blk", "10"), ("vmware:lsilogic", "2003"), ("xen:pv", "7")]
)
def test_what_windows_has_not_must_be_given(target: str, windows: str) -> None:
    with pytest.raises(DriverSourceError, match="has no driver for"):
        plan_inbox_kit(find_controller(target), target_windows(windows))


HOSTILE = (
    "a&b.sys",
    "a%PATH%.sys",
    'a".sys',
    "a b.sys",
    "..\\..\\x.sys",
    "a^.sys",
    "\xe9.sys",
    "a\\\\b.sys",
    "x" * 300,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_a_script_cannot_hold_are_refused(name: str) -> None:
    given = replace(package(), files=(replace(DRIVER, path=name),))
    with pytest.raises(DriverSourceError, match="cannot be written in a script"):
        plan_kit((given,), LSI, target_windows("2003"))


@pytest.mark.parametrize("name", ["x%1", 'x"', "x\r\ny", "x>y", "x\\..\\y", "\u4e2d"])
def test_keys_that_a_script_cannot_hold_are_refused(name: str) -> None:
    given = replace(package(), keys=(*KEYS, replace(SERVICE, path=f"Services\\{name}")))
    with pytest.raises(DriverSourceError, match="cannot be written in a script"):
        plan_kit((given,), LSI, target_windows("2003"))


def test_too_many_keys_are_refused() -> None:
    keys = tuple(replace(SERVICE, path=f"Services\\symmpi\\{number}") for number in range(600))
    with pytest.raises(DriverSourceError, match="600 registry keys"):
        plan_kit((replace(package(), keys=keys),), LSI, target_windows("2003"))


def test_what_nt_4_cannot_say_is_refused() -> None:
    value = text("Group", "\u4e2d")
    given = replace(package(), keys=(replace(SERVICE, values=(value,)),))
    made = plan_kit((given,), LSI, target_windows("nt4"))
    with pytest.raises(DriverSourceError, match="REGEDIT4"):
        render(made)
