"""The plan: what is missing, in every control set, and nothing that is there already."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.checks.subjects import SCSI_ADAPTER
from tests.machines.build import content
from tests.machines.spec import Architecture, File
from tests.machines.windows_files import DriverFile, symmpi_binary
from tests.machines.windows_hives import LSI_LOGIC_INSTANCE, ControlSet, Instance, Select, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows
from tests.repair.bench import BINDING, LSI, diagnosis, dword, from_donor, minimal_keys, package, plan, settings, text

from bootgraft.changes import CreateKey, DeleteValue, Plan, RegistryData, SetValue
from bootgraft.checks.diagnosis import Verdict
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError, FileSystemError
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import needs_driver, plan_repair
from bootgraft.targets.controllers import find_controller

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DRIVERS = "\\WINDOWS\\system32\\drivers"
OTHER_DEVICE = "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0621"
READY = (ControlSet(1, Symmpi.READY, binding=True), ControlSet(2, Symmpi.READY, binding=True))


@pytest.fixture
def donor(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, *READY, directory="WINNT", driver=DriverFile.GOOD)


def fixed(windows: MemoryWindows, made: Plan) -> MemoryWindows:
    apply(made, windows.machine, now=NOW)
    return windows.reread()


VARIANTS: dict[str, dict[str, Any]] = {
    "bare": {},
    "in-box": {"sets": (ControlSet(1, Symmpi.IN_BOX), ControlSet(2, Symmpi.IN_BOX))},
    "1 and 3": {"sets": (ControlSet(1), ControlSet(3)), "select": Select(default=3, last_known_good=1)},
    "unserviced": {"sets": (ControlSet(1, instance=Instance.UNSERVICED),)},
    "other service": {"sets": (ControlSet(1, instance=Instance.OTHER_SERVICE),)},
    "disabled": {"sets": (ControlSet(1, Symmpi.READY, binding=True, instance=Instance.DISABLED),)},
    "upper case": {"driver": DriverFile.UPPER_CASE},
    "older": {"driver": DriverFile.OLDER},
    "garbage": {"driver": DriverFile.GARBAGE},
    "other architecture": {"driver": DriverFile.OTHER_ARCHITECTURE},
    "one set ready": {"sets": (READY[0], ControlSet(2)), "driver": DriverFile.GOOD},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_repaired_machine_boots_and_needs_no_second_repair(
    machine_cache: Path, donor: MemoryWindows, variant: dict[str, Any]
) -> None:
    more = dict(variant)
    windows = memory_windows(machine_cache, *more.pop("sets", ()), **more)
    before = diagnosis(windows)
    assert before.findings
    after = fixed(windows, plan(windows, from_donor(donor, windows)))
    assert diagnosis(after).findings == ()
    assert diagnosis(after).verdict is Verdict.BOOTS
    assert plan(after, from_donor(donor, after)).changes == ()


def test_every_control_set_gets_the_same(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache, ControlSet(1), ControlSet(3))
    made = plan(windows, from_donor(donor, windows))
    keys = [change.key for change in made.registry() if isinstance(change, CreateKey)]
    first = [key.removeprefix("ControlSet001\\") for key in keys if key.startswith("ControlSet001\\")]
    third = [key.removeprefix("ControlSet003\\") for key in keys if key.startswith("ControlSet003\\")]
    assert first == third
    assert first[0] == "Services\\symmpi"
    assert len(keys) == 2 * len(first)
    assert not any("CurrentControlSet" in key or "ControlSet002" in key for key in keys)


def test_an_in_box_service_is_completed_and_not_made_anew(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX))
    made = plan(windows, from_donor(donor, windows))
    service = "ControlSet001\\Services\\symmpi"
    assert settings(made, service) == {
        "Start": dword_data(0),
        "ImagePath": text_data("system32\\DRIVERS\\symmpi.sys"),
    }
    assert not [each for each in made.registry() if isinstance(each, CreateKey) and each.key == service]
    (start,) = (each for each in made.registry() if isinstance(each, SetValue) and each.name == "Start")
    assert start.before is not None
    assert start.before.data == dword_data(4)


def test_a_value_that_only_fills_a_gap_leaves_what_is_there(machine_cache: Path) -> None:
    """NOCLOBBER of an INF: what an administrator set stays."""
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX))
    one = RegistryData(ValueType.REG_DWORD, dword_data(1))
    values = (PackageValue("Start", one, keeps=True), PackageValue("New", one, keeps=True))
    made = plan(windows, package(PackageKey("Services\\symmpi", values), *minimal_keys()[1:]))
    assert settings(made, "ControlSet001\\Services\\symmpi") == {"New": dword_data(1)}


def bind(windows: MemoryWindows, device: str, service: str | None) -> str:
    key = f"ControlSet001\\Control\\CriticalDeviceDatabase\\{device}"
    windows.hive.create_key(key)
    windows.hive.set_value(key, "ClassGUID", ValueType.REG_SZ, text_data(SCSI_ADAPTER))
    if service is not None:
        windows.hive.set_value(key, "Service", ValueType.REG_SZ, text_data(service))
    return key


def test_the_targets_own_id_is_taken_over(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    key = bind(windows, "PCI#VEN_1000&DEV_0030", "lsimpt")
    made = plan(windows, from_donor(donor, windows))
    assert settings(made, key) == {"Service": text_data("symmpi")}
    assert made.notes == ()


def test_another_device_of_the_driver_is_left_to_the_service_that_has_it(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    key = bind(windows, "pci#ven_1000&dev_0621", "lsimpt")
    wanted = package(
        *minimal_keys(), *minimal_keys(binding="Control\\CriticalDeviceDatabase\\PCI#VEN_1000&DEV_0621")[1:]
    )
    made = plan(windows, wanted)
    assert settings(made, key) == {}
    (note,) = made.notes
    assert note.endswith("is left as it is: another service of this Windows is bound to it.")


@pytest.mark.parametrize("service", ["SYMMPI", None])
def test_another_device_that_nobody_else_has_is_bound_too(machine_cache: Path, service: str | None) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    key = bind(windows, "pci#ven_1000&dev_0621", service)
    wanted = package(
        *minimal_keys(), *minimal_keys(binding="Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0621")[1:]
    )
    made = plan(windows, wanted)
    assert settings(made, key) == {"Service": text_data("symmpi")}
    assert made.notes == ()


def test_old_instances_are_repaired(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, instance=Instance.OTHER_SERVICE))
    key = f"ControlSet001\\Enum\\{LSI_LOGIC_INSTANCE}"
    windows.hive.set_value(key, "ConfigFlags", ValueType.REG_DWORD, dword_data(0x41))
    made = plan(windows, from_donor(donor, windows))
    assert settings(made, key) == {"ConfigFlags": dword_data(0x40), "Service": text_data("symmpi")}
    assert not [each for each in made.registry() if "Enum" in each.key and each.key != key]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (ValueType.REG_SZ, "lsimpt".encode("utf-16-le")),
        (ValueType.REG_EXPAND_SZ, text_data("lsimpt")),
        (ValueType.REG_SZ, text_data("lsimpt") + b"\0\0"),
    ],
)
def test_what_is_replaced_is_taken_as_it_lies_in_the_hive(machine_cache: Path, kind: int, data: bytes) -> None:
    windows = memory_windows(
        machine_cache,
        ControlSet(1, Symmpi.READY, binding=True, instance=Instance.OTHER_SERVICE),
        driver=DriverFile.GOOD,
    )
    windows.hive.set_value(f"ControlSet001\\Enum\\{LSI_LOGIC_INSTANCE}", "Service", kind, data)
    made = plan(windows)
    assert diagnosis(fixed(windows, made)).findings == ()


def test_a_start_of_another_type_is_replaced(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, *READY, driver=DriverFile.GOOD)
    windows.hive.set_value("ControlSet001\\Services\\symmpi", "Start", ValueType.REG_SZ, text_data("0"))
    assert diagnosis(fixed(windows, plan(windows))).findings == ()


def test_without_need_of_a_driver_the_package_is_left_alone(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache, *READY, driver=DriverFile.GOOD)
    windows.hive.set_value("ControlSet001\\Services\\symmpi", "Start", ValueType.REG_DWORD, dword_data(4))
    assert not needs_driver(diagnosis(windows))
    made = plan(windows, from_donor(donor, windows))
    assert [(each.key, getattr(each, "name", "")) for each in made.registry()] == [
        ("ControlSet001\\Services\\symmpi", "Start")
    ]
    assert made.files() == ()


def test_a_value_that_the_package_deletes(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.IN_BOX), ControlSet(2))
    keys = (PackageKey("Services\\symmpi", (dword("Start", 0), dword("Type", 1), PackageValue("Group", None))),)
    made = plan(windows, package(*keys, *minimal_keys()[1:]))
    deleted = [each for each in made.registry() if isinstance(each, DeleteValue)]
    assert [(each.key, each.name) for each in deleted] == [("ControlSet001\\Services\\symmpi", "Group")]
    assert deleted[0].before.data == text_data("SCSI miniport")


# Files.


def a_driver(cache: Path, version: tuple[int, int, int, int] | None, arch: Architecture = Architecture.X86) -> bytes:
    binary = replace(symmpi_binary(arch, (0, 0, 0, 0)), version=version)
    return content(File("", binary), cache)


def with_driver(
    cache: Path, present: bytes | None, offered: bytes, name: str = "symmpi.sys"
) -> tuple[MemoryWindows, Plan]:
    extra = [] if present is None else [File(f"{DRIVERS}\\{name}", present)]
    windows = memory_windows(cache, ControlSet(1), extra=extra)
    made = plan(windows, package(files=(PackageFile("system32\\DRIVERS\\symmpi.sys", offered),)))
    return windows, made


def test_a_file_that_is_not_there_is_created(machine_cache: Path) -> None:
    offered = a_driver(machine_cache, (1, 2, 3, 4))
    _, made = with_driver(machine_cache, None, offered)
    (change,) = made.files()
    assert (change.file.path, change.data, change.before) == ("\\WINDOWS\\system32\\DRIVERS\\symmpi.sys", offered, None)
    assert (change.file.disk, change.file.partition_start, change.origin) == (0, 8192, "symmpi.reg")


def test_folders_that_a_file_needs_are_created(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache)
    offered = a_driver(machine_cache, (1, 2, 3, 4))
    made = plan(windows, package(files=(PackageFile("system32\\of a vendor\\new\\symmpi.sys", offered),)))
    within = "\\WINDOWS\\system32\\of a vendor"
    assert [each.file.path for each in made.directories()] == [within, f"{within}\\new"]
    after = fixed(windows, made)
    assert after.filesystem.read(f"{within}\\new\\symmpi.sys") == offered


@pytest.mark.parametrize("name", ["symmpi.sys", "SYMMPI.SYS", "SymMPI.sys"])
def test_an_older_file_is_replaced_under_its_own_name(machine_cache: Path, name: str) -> None:
    old, new = a_driver(machine_cache, (1, 2, 3, 3)), a_driver(machine_cache, (1, 2, 3, 4))
    _, made = with_driver(machine_cache, old, new, name)
    (change,) = made.files()
    assert change.file.path.rpartition("\\")[2] == name
    assert change.before == hashlib.sha256(old).hexdigest()


@pytest.mark.parametrize("version", [(1, 2, 3, 4), (1, 2, 3, 5), (2, 0, 0, 0)])
def test_a_file_that_is_no_older_is_left(machine_cache: Path, version: tuple[int, int, int, int]) -> None:
    here = a_driver(machine_cache, version) + b"another build"
    _, made = with_driver(machine_cache, here, a_driver(machine_cache, (1, 2, 3, 4)))
    assert made.files() == ()
    assert ["not older than" in note for note in made.notes] == [True]


def test_the_same_file_is_left_without_a_word(machine_cache: Path) -> None:
    same = a_driver(machine_cache, (1, 2, 3, 4))
    _, made = with_driver(machine_cache, same, same)
    assert (made.files(), made.notes) == ((), ())


def test_a_newer_file_for_another_processor_is_replaced(machine_cache: Path) -> None:
    here = a_driver(machine_cache, (9, 0, 0, 0), Architecture.X64)
    _, made = with_driver(machine_cache, here, a_driver(machine_cache, (1, 2, 3, 4)))
    assert len(made.files()) == 1


def test_a_newer_file_that_cannot_be_loaded_here_is_replaced(machine_cache: Path) -> None:
    storport = (("storport.sys", ("StorPortInitialize",)),)
    binary = replace(symmpi_binary(Architecture.X86, (9, 0, 0, 0)), imports=storport)
    newer = content(File("", binary), machine_cache)
    _, made = with_driver(machine_cache, newer, a_driver(machine_cache, (1, 2, 3, 4)))
    assert (len(made.files()), made.notes) == (1, ())


@pytest.mark.parametrize("present", [b"garbage", b""])
def test_what_is_no_driver_is_replaced(machine_cache: Path, present: bytes) -> None:
    _, made = with_driver(machine_cache, present, a_driver(machine_cache, (1, 2, 3, 4)))
    assert len(made.files()) == 1


def test_a_file_without_a_version_is_replaced(machine_cache: Path) -> None:
    _, made = with_driver(machine_cache, a_driver(machine_cache, None), a_driver(machine_cache, (1, 2, 3, 4)))
    assert len(made.files()) == 1


@pytest.mark.parametrize(
    "path", ["..\\x.sys", "system32\\..\\..\\x.sys", "\\x.sys", "C:\\x.sys", "x.sys:y", "", "a\\.\\x"]
)
def test_no_file_leaves_the_windows_directory(machine_cache: Path, path: str) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    with pytest.raises(DriverSourceError, match="outside the Windows directory"):
        plan(windows, package(files=(PackageFile(path, b"MZ"),)))


def test_an_encrypted_file_cannot_be_replaced(machine_cache: Path) -> None:
    path = f"{DRIVERS}\\symmpi.sys"
    windows = memory_windows(machine_cache, ControlSet(1), extra=[File(path, b"sealed")], attributes={path: 0x4000})
    with pytest.raises(FileSystemError, match="the file to be replaced is encrypted") as caught:
        plan(windows, package(files=(PackageFile("system32\\drivers\\symmpi.sys", b"MZ"),)))
    assert caught.value.where == f"disk 0 partition 1: {path}"


def test_a_compressed_file_cannot_be_replaced(machine_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = memory_windows(machine_cache, ControlSet(1), driver=DriverFile.OLDER)
    really = type(windows.filesystem).stat

    def stat(path: str) -> Any:
        entry = really(windows.filesystem, path)
        return replace(entry, reparse_tag=0x80000017) if entry.name.casefold() == "symmpi.sys" else entry

    monkeypatch.setattr(type(windows.filesystem), "stat", staticmethod(stat))
    with pytest.raises(FileSystemError, match="WOF"):
        plan(windows, package(files=(PackageFile("system32\\drivers\\symmpi.sys", b"MZ"),)))


# Several targets.


def both(windows: MemoryWindows, *packages: DriverPackage) -> Plan:
    found = [diagnosis(windows, target) for target in (LSI, "virtualbox:lsilogic")]
    return plan_repair(windows.installation, windows.hive, list(zip(found, packages, strict=True)))


def test_two_targets_that_want_the_same_get_it_once(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache)
    one, other = from_donor(donor, windows), from_donor(donor, windows, source="copy.vmdk")
    assert both(windows, one, other) == plan(windows, one)


def test_two_packages_that_disagree_are_refused(machine_cache: Path, donor: MemoryWindows) -> None:
    windows = memory_windows(machine_cache)
    one = from_donor(donor, windows)
    with pytest.raises(DriverSourceError, match="two driver sources want different content"):
        both(windows, one, replace(one, files=(PackageFile(one.files[0].path, b"another"),)))
    with pytest.raises(DriverSourceError, match=r"two driver sources want different content for .*symmpi, 'START'\."):
        both(windows, package(), package(PackageKey("Services\\symmpi", (dword("START", 3), dword("Type", 1)))))


def test_a_target_that_was_not_looked_at_adds_nothing(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache)
    assert plan(windows, package(), target="vmware:ide").changes == ()
    assert find_controller("vmware:ide").inbox


def test_an_id_that_only_differs_in_case_is_one_key(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    keys = (*minimal_keys(), PackageKey(BINDING.upper(), (text("Service", "symmpi"),)))
    made = plan(windows, package(*keys))
    assert len([each for each in made.registry() if isinstance(each, CreateKey)]) == 2
