"""The services that Windows itself ships for the devices between a controller and its disk, taken away one by one."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.checks.controller.control_sets import facts, good_set
from tests.core_windows import DISK, core_windows, driver_file, guest, in_sets, without_keys
from tests.machines.registry_text import Multi
from tests.machines.spec import Architecture
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_2000,
    WINDOWS_VISTA,
    WINDOWS_XP,
)
from tests.memory_windows import MemoryWindows

from bootgraft.checks.controller import boot_service, device_binding
from bootgraft.checks.controller import driver_file as driver_files
from bootgraft.checks.controller.own_driver import OwnDrivers
from bootgraft.checks.diagnosis import Diagnosis, diagnose
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.fix_choice import FixChoice
from bootgraft.drivers.guest.donor import read_donor
from bootgraft.drivers.guest.inbox import read_inbox
from bootgraft.drivers.package import DriverPackage
from bootgraft.registry.values import ValueType
from bootgraft.repair.apply import apply
from bootgraft.repair.plan import plan_repair
from bootgraft.targets.controllers import find_controller
from bootgraft.targets.driverchains import filter_link

X86, X64 = Architecture.X86, Architecture.X64
RELEASES = {
    "nt4": (NT_4, X86),
    "2000": (WINDOWS_2000, X86),
    "xp": (WINDOWS_XP, X86),
    "2003": (SERVER_2003, X86),
    "vista": (WINDOWS_VISTA, X64),
    "7": (WINDOWS_7, X86),
    "8": (WINDOWS_8, X64),
    "8.1": (WINDOWS_8_1, X64),
    "10": (WINDOWS_10, X64),
}
IDE, SAS, GEN_2, NVME = "vmware:ide", "vmware:lsisas1068", "hyperv:gen2", "azure:nvme"
LOST = (
    [(name, IDE, "disk") for name in RELEASES]
    + [(name, IDE, "atapi") for name in RELEASES]
    + [(name, IDE, "intelide") for name in RELEASES if name != "nt4"]
    + [("7", SAS, "disk"), ("7", GEN_2, "vmbus"), ("7", GEN_2, "storflt"), ("7", "vmware:ahci", "atapi")]
    + [("8.1", GEN_2, "vmbus"), ("10", GEN_2, "vmbus"), ("10", GEN_2, "disk"), ("10", GEN_2, "storflt")]
    + [("10", NVME, "vmbus"), ("10", NVME, "vpci")]
)


FROM_SOURCE = (
    ("vista", SAS, "LSI_SAS"),
    ("7", SAS, "LSI_SAS"),
    ("7", GEN_2, "storvsc"),
    ("8", "vmware:ahci", "storahci"),
    ("10", "vmware:nvme", "stornvme"),
)
"""Services of the controller itself of which no values are known here, or that have more than values."""
ASKED = FixChoice(fix=frozenset({boot_service.MISSING, "core-service-missing"}))
GEN_DISK = r"Control\CriticalDeviceDatabase\gendisk"
DISK_FILE = r"system32\drivers\disk.sys"


def without(
    name: str, *services: str, edits: str = "", gone: tuple[str, ...] = (), files: Mapping[str, bytes] | None = None
) -> MemoryWindows:
    """A Windows with a filter of Hyper-V's, as guests of it have one, without these services and files."""
    release, arch = RELEASES[name]
    filters = in_sets({DISK: {"LowerFilters": Multi(("storflt",))}}) if "storflt" in services else ""
    edits = filters + without_keys(*(rf"Services\{each}" for each in services)) + edits
    return core_windows(edits, release=release, arch=arch, without=gone, files=files)


def diagnosed(windows: MemoryWindows, target: str, choice: FixChoice = ASKED) -> Diagnosis:
    subject = guest(windows, target)
    subject.choice = choice
    return diagnose(subject)


def lacking(found: Diagnosis, service: str) -> list[Finding]:
    """What is said of a service that is not there."""
    words = f"service {service} is missing".casefold()
    return [each for each in found.findings if words in each.title.casefold()]


def fixed(windows: MemoryWindows, found: Diagnosis, *given: DriverPackage) -> MemoryWindows:
    """What a repair makes of it with these packages for the controller, or else without any driver source."""
    assert found.facts is not None
    own = {each.device for each in found.findings if each.remedy is Remedy.OWN_DRIVER}
    packages: list[DriverPackage | None] = [
        read_inbox(windows.installation, windows.hive, found.facts.controller, each.link, each.service_name)
        for each in found.facts.links
        if each.is_default and each.main_id in own
    ]
    work = [(found, each) for each in (*packages, *given) or [None]]
    apply(plan_repair(windows.installation, windows.hive, work), windows.machine, now=datetime(2026, 1, 2, tzinfo=UTC))
    return windows.reread()


@pytest.mark.parametrize(("name", "target", "service"), LOST)
def test_a_service_of_windows_own_comes_back_without_a_driver_source(name: str, target: str, service: str) -> None:
    windows = without(name, service)
    found = diagnosed(windows, target)
    said = lacking(found, service)
    assert [each.severity for each in said] == [Severity.BLOCKER, Severity.WARNING]
    assert {each.remedy for each in said} <= {Remedy.CHANGES, Remedy.OWN_DRIVER}
    after = diagnosed(fixed(windows, found), target)
    assert lacking(after, service) == []
    assert [each.id for each in after.blockers if each.id != "target-firmware"] == []


@pytest.mark.parametrize(("name", "remedy"), [("vista", Remedy.OFFERED), ("7", Remedy.CHANGES), ("8", Remedy.CHANGES)])
def test_values_of_another_release_are_only_offered(name: str, remedy: Remedy) -> None:
    found = diagnosed(without(name, "disk"), IDE, FixChoice())
    assert {each.remedy for each in lacking(found, "disk")} == {remedy}


@pytest.mark.parametrize("name", ["nt4", "7", "8.1", "10"])
def test_what_comes_back_is_what_a_real_windows_has(name: str) -> None:
    whole, broken = without(name), without(name, "disk", "atapi")
    back = fixed(broken, diagnosed(broken, IDE))
    for service in ("disk", "atapi"):
        known, made = (values(each, rf"ControlSet001\Services\{service}") for each in (whole, back))
        assert made == {value: data for value, data in known.items() if value != "tag"}


def values(windows: MemoryWindows, path: str) -> dict[str, tuple[int, str | int | None]]:
    key = windows.hive.key(path)
    assert key is not None
    return {
        each.name.casefold(): (each.type, _folded(each.dword() if each.type == ValueType.REG_DWORD else each.text()))
        for each in key.values()
    }


def _folded(value: str | int | None) -> str | int | None:
    return value.casefold() if isinstance(value, str) else value


def test_without_its_file_no_driver_source_is_promised() -> None:
    """A donor gives the driver of the controller alone, so that the advice to give one would lead in a circle."""
    for services in (("disk",), ()):
        found = diagnosed(without("7", *services, gone=(DISK_FILE,)), SAS)
        said = [each for each in found.findings if each.device == "GenDisk"]
        assert {each.id for each in said} == {boot_service.MISSING if services else driver_files.MISSING}
        assert {each.remedy for each in said} == {Remedy.NONE}
        assert "same Windows" in said[0].explanation


@pytest.mark.parametrize(("name", "target", "service"), FROM_SOURCE)
@pytest.mark.parametrize("lost", ["key", "file", "path"])
def test_where_a_source_is_asked_for_a_donor_of_the_same_windows_helps(
    name: str, target: str, service: str, lost: str
) -> None:
    file = rf"system32\drivers\{service}.sys"
    aside = in_sets({rf"Services\{service}": {"ImagePath": f"{file}:b"}})
    windows = without(
        name,
        *([service] if lost == "key" else []),
        edits=aside if lost == "path" else "",
        gone=() if lost == "key" else (file,),
    )
    found = diagnosed(windows, target)
    said = [each for each in found.blockers if each.device == find_controller(target).main_id]
    assert [each.remedy for each in said] == [Remedy.DRIVER]
    donor, controller = without(name), find_controller(target)
    package = read_donor(donor.installation, donor.hive, controller, windows.installation, source="donor")
    after = diagnosed(fixed(windows, found, package), target)
    assert [each.id for each in after.blockers if each.id != "target-firmware"] == []


def test_a_vendors_filter_comes_only_along_with_the_controllers_driver() -> None:
    windows = without("2003")
    own = OwnDrivers(windows.installation, windows.hive)
    link = replace(good_set(1), link=filter_link("vendorflt", ""), binding=None, service_name="vendorflt", service=None)
    machine = facts()
    machine = replace(machine, links=(*machine.links, link))
    controllers, filters = (
        Finding("lost", Severity.BLOCKER, "", "", (), Remedy.DRIVER, device=device)
        for device in (machine.controller.main_id, "vendorflt")
    )
    assert [each.remedy for each in own.offer(machine, (controllers, filters))] == [Remedy.DRIVER, Remedy.DRIVER]
    assert [each.remedy for each in own.offer(machine, (filters,))] == [Remedy.NONE]


def test_a_disk_without_key_and_binding_gets_both() -> None:
    windows = without("7", "disk", edits=without_keys(GEN_DISK))
    found = diagnosed(windows, SAS)
    assert {(each.id, each.remedy) for each in found.blockers} == {(device_binding.MISSING, Remedy.CHANGES)}
    assert diagnosed(fixed(windows, found), SAS).blockers == ()


@pytest.mark.parametrize("path", [r"system32\..\..\atapi.sys", r"system32\drivers\atapi.sys:b", r"system32\\atapi.sys"])
@pytest.mark.parametrize("name", ["xp", "7"])
def test_a_path_that_leads_aside_gives_way_to_a_plain_one(name: str, path: str) -> None:
    copy = rf"system32\{'dllcache' if name == 'xp' else 'drivers'}\atapi.sys"
    windows = without(
        name,
        edits=in_sets({r"Services\atapi": {"ImagePath": path}}),
        files={copy: driver_file(*RELEASES[name])},
    )
    found = diagnosed(windows, IDE)
    said = [each for each in found.findings if each.id == driver_files.MISSING]
    assert {each.remedy for each in said} == {Remedy.OWN_DRIVER}
    assert diagnosed(fixed(windows, found), IDE).blockers == ()


def test_a_service_whose_name_is_no_files_is_not_promised_one() -> None:
    """The key itself may be called so; ``system32\\drivers\\a:b.sys`` is a stream."""
    edits = in_sets({r"Services\a:b": {"Start": 0, "Type": 1}, GEN_DISK: {"Service": "a:b"}})
    found = diagnosed(without("7", edits=edits, files={r"system32\drivers\a": driver_file()}), SAS)
    assert {(each.id, each.remedy) for each in found.blockers} == {(driver_files.MISSING, Remedy.NONE)}
