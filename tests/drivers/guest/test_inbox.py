"""The driver out of the guest itself: the newest that fits is taken, the rest is passed over with the reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.bindings import SCSI_ADAPTER
from tests.machines.build import content
from tests.machines.cabinets import cabinet
from tests.machines.spec import Architecture, Cabinet, File, PortableExecutable
from tests.machines.windows_files import DriverFile, driver_cache, symmpi_binary
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_XP, ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.drivers.bindings import critical_keys
from bootgraft.drivers.guest import inbox
from bootgraft.drivers.guest.inbox import own_driver, read_inbox
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError
from bootgraft.registry.values import Value
from bootgraft.targets.controllers import Controller, find_controller
from bootgraft.targets.driverchains import Link, driver_chain

LSI = find_controller("vmware:lsilogic")
IDE = "{4D36E96A-E325-11CE-BFC1-08002BE10318}"
W = "\\WINDOWS"
DRIVERS = f"{W}\\system32\\drivers"
CABINETS = f"{W}\\Driver Cache\\i386"
NOWHERE = "which is neither in system32\\drivers nor in system32"
OLD, NEW = (5, 2, 3790, 0), (5, 2, 3790, 3959)
Windows = Callable[..., MemoryWindows]


def symmpi(version: tuple[int, int, int, int] = NEW, arch: Architecture = Architecture.X86) -> PortableExecutable:
    return symmpi_binary(arch, version)


def needing(*names: str, version: tuple[int, int, int, int] = NEW) -> PortableExecutable:
    called = {"SCSIPORT.SYS": "ScsiPortInitialize"}
    imports = tuple((name, (called.get(name, f"Of{name[:4]}"),)) for name in ("SCSIPORT.SYS", *names))
    return PortableExecutable("symmpi.sys", Architecture.X86, imports, version=version)


def cab(binary: PortableExecutable | bytes, *more: tuple[str, PortableExecutable]) -> Cabinet:
    return Cabinet((("other.sys", b"x" * 5000), ("symmpi.sys", binary), *more))


def cache_of(**cabinets: Cabinet) -> tuple[File, ...]:
    return driver_cache("WINDOWS", Architecture.X86, **cabinets)


@pytest.fixture
def windows(machine_cache: Path) -> Windows:
    def make(*extra: File, **options: object) -> MemoryWindows:
        return memory_windows(machine_cache, *options.pop("sets", ()), extra=extra, **options)  # type: ignore[misc,arg-type]

    return make


def package(found: MemoryWindows, bound: str | None = None) -> DriverPackage:
    read = read_inbox(found.installation, found.hive, LSI, link(found), bound)
    assert read is not None
    return read


def link(found: MemoryWindows, controller: Controller = LSI) -> Link:
    return driver_chain(controller, found.installation.version).links[0]


def quick(found: MemoryWindows, bound: str | None = None) -> str | None:
    return own_driver(found.installation, found.hive, link(found), bound)


def data_of(binary: PortableExecutable, machine_cache: Path) -> bytes:
    return content(File("x", binary), machine_cache)


def values(read: DriverPackage) -> dict[str, dict[str, object]]:
    def meaning(value: Value) -> object:
        number = value.dword()
        return value.text() if number is None else number

    return {
        key.path: {each.name: meaning(Value("", each.data.type, each.data.data)) for each in key.values if each.data}
        for key in read.keys
    }


SERVICE = {
    "Services\\symmpi": {
        "Type": 1,
        "Start": 0,
        "ErrorControl": 1,
        "Group": "SCSI miniport",
        "ImagePath": "system32\\DRIVERS\\symmpi.sys",
    },
    "Services\\symmpi\\Parameters": {"BusType": 1},
    "Services\\symmpi\\Parameters\\PnpInterface": {"5": 1},
    "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030": {"ClassGUID": SCSI_ADAPTER, "Service": "symmpi"},
}


@pytest.mark.parametrize("lzx", [False, True])
def test_a_driver_that_only_driver_cab_has(windows: Windows, machine_cache: Path, lzx: bool) -> None:
    made = Cabinet((("symmpi.sys", symmpi()),), lzx=lzx)
    found = windows(*cache_of(driver=made))
    assert quick(found) == f"{W}\\Driver Cache\\i386\\driver.cab has symmpi.sys"
    read = package(found)
    assert [(file.path, file.data) for file in read.files] == [
        ("system32\\drivers\\symmpi.sys", data_of(symmpi(), machine_cache))
    ]
    assert read.origin == "its own driver.cab"
    assert values(read) == SERVICE
    assert read.notes == (
        f"symmpi.sys 5.2.3790.3959 is taken from this Windows itself: {CABINETS}\\driver.cab (symmpi.sys).",
    )


def test_a_service_that_setup_left_disabled_is_filled(windows: Windows) -> None:
    found = windows(*cache_of(driver=cab(symmpi())), sets=(ControlSet(1, Symmpi.IN_BOX), ControlSet(2)))
    assert values(package(found)) == SERVICE


def test_the_newest_wins_wherever_it_lies(windows: Windows, machine_cache: Path) -> None:
    found = windows(*cache_of(driver=cab(symmpi(OLD)), sp2=cab(symmpi(NEW))))
    read = package(found)
    assert (read.origin, read.files[0].data) == ("its own sp2.cab", data_of(symmpi(NEW), machine_cache))
    found = windows(*cache_of(driver=cab(symmpi(NEW)), sp1=cab(symmpi(OLD))))
    assert package(found).origin == "its own driver.cab"
    loose = File(f"{W}\\system32\\dllcache\\symmpi.sys", symmpi((5, 2, 3790, 4000)))
    found = windows(loose, *cache_of(driver=cab(symmpi(NEW)), sp1=cab(symmpi(OLD))))
    assert package(found).origin == f"its own {loose.path}"
    assert quick(found) == f"{loose.path} is symmpi.sys 5.2.3790.4000"


def test_a_packed_file_of_the_service_pack(windows: Windows, machine_cache: Path) -> None:
    packed = File(f"{W}\\ServicePackFiles\\i386\\symmpi.sy_", Cabinet((("symmpi.sys", symmpi()),)))
    read = package(windows(packed))
    assert (read.origin, read.files[0].data) == ("its own symmpi.sy_", data_of(symmpi(), machine_cache))


def test_a_file_in_place_needs_only_the_registry(windows: Windows) -> None:
    found = windows(driver=DriverFile.GOOD)
    assert quick(found) == f"{DRIVERS}\\symmpi.sys is symmpi.sys 5.2.3790.3959"
    read = package(found)
    assert read.files == ()
    assert values(read) == SERVICE


def test_a_cabinet_that_the_index_forgot_is_opened_by_repair_alone(windows: Windows) -> None:
    extra = [each for each in cache_of(driver=cab(symmpi())) if not each.path.endswith(".inf")]
    found = windows(*extra)
    assert quick(found) is None
    assert package(found).origin == "its own driver.cab"


def test_what_does_not_fit_is_passed_over_with_the_reason(windows: Windows) -> None:
    wrong = File(f"{W}\\system32\\dllcache\\symmpi.sys", symmpi((9, 0, 0, 0), Architecture.X64))
    lacking = File(f"{W}\\ServicePackFiles\\i386\\symmpi.sys", needing("storport.sys", version=(6, 0, 0, 0)))
    damaged = File(f"{W}\\system32\\ReinstallBackups\\0000\\DriverFiles\\symmpi.sys", b"no driver" * 99)
    read = package(windows(wrong, lacking, damaged, *cache_of(driver=cab(symmpi()), sp1=cab(b"neither"))))
    assert read.origin == "its own driver.cab"
    assert read.notes[1:] == (
        f"Passed over: {wrong.path}: it is built for x64, this Windows is x86.",
        f"Passed over: {lacking.path}: it imports from storport.sys, {NOWHERE}.",
        f"Passed over: {damaged.path}: it lacks the MZ header of a Windows binary.",
        f"Passed over: {CABINETS}\\sp1.cab (symmpi.sys): it lacks the MZ header of a Windows binary.",
    )


def test_only_drivers_that_do_not_fit_are_an_error_that_says_why(windows: Windows) -> None:
    found = windows(*cache_of(driver=cab(symmpi(arch=Architecture.X64))))
    with pytest.raises(DriverSourceError, match=r"none that it can load: .*driver\.cab.*built for x64") as caught:
        package(found)
    assert "--drivers" in caught.value.advice


def test_a_hostile_cabinet_is_passed_over(windows: Windows) -> None:
    evil = cabinet({"..n..n..nsymmpi.sys": b"x"}).replace(b"..n..n..n", b"..\\..\\..\\")
    found = windows(*cache_of(sp1=cab(symmpi(OLD)), driver=cab(symmpi(OLD))))
    found.filesystem.files[f"{W}\\Driver Cache\\i386\\sp1.cab"] = evil
    read = package(found)
    assert read.origin == "its own driver.cab"
    assert "leads out of it" in read.notes[1]
    found.filesystem.files[f"{W}\\Driver Cache\\i386\\driver.cab"] = evil[:60]
    with pytest.raises(DriverSourceError, match=r"leads out of it.*damaged"):
        package(found)


def test_cabinets_that_take_for_ever_are_left(windows: Windows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_CPU_SECONDS", -1.0)
    found = windows(*cache_of(driver=cab(symmpi())))
    with pytest.raises(DriverSourceError, match=r"driver\.cab \(symmpi\.sys\): not looked at"):
        package(found)


def test_what_a_driver_imports_from_comes_along(windows: Windows, machine_cache: Path) -> None:
    port = PortableExecutable("scsiport.sys", Architecture.X86, (("ntoskrnl.exe", ("DbgPrint",)),), ("Function",))
    made = cache_of(driver=cab(symmpi(), ("scsiport.sys", port)))
    found = windows(*made)
    del found.filesystem.files[f"{DRIVERS}\\scsiport.sys"]
    assert quick(found) is not None
    read = package(found)
    assert [file.path for file in read.files] == [
        "system32\\drivers\\symmpi.sys",
        "system32\\drivers\\SCSIPORT.SYS",
    ]
    assert read.files[1].data == data_of(port, machine_cache)
    assert "SCSIPORT.SYS comes along from" in read.notes[1]


def test_drivers_that_import_from_one_another_end(windows: Windows) -> None:
    other = PortableExecutable("port.sys", Architecture.X86, (("symmpi.sys", ("Entry",)),), ("Ofport",))
    found = windows(*cache_of(driver=cab(needing("port.sys"), ("port.sys", other))))
    with pytest.raises(DriverSourceError, match=r"imports from port\.sys"):
        package(found)


def test_a_bound_service_whose_file_is_gone(windows: Windows) -> None:
    found = windows(*cache_of(driver=cab(symmpi())), sets=(ControlSet(1, Symmpi.READY, binding=True), ControlSet(2)))
    assert quick(found, "symmpi") is not None
    assert values(package(found, "symmpi")) == SERVICE


def test_a_windows_that_is_shipped_without_the_driver_has_none(windows: Windows) -> None:
    found = windows(*cache_of(driver=cab(symmpi())), release=WINDOWS_XP)
    assert (quick(found), read_inbox(found.installation, found.hive, LSI, link(found), None)) == (None, None)


def test_no_driver_anywhere(windows: Windows) -> None:
    found = windows(*cache_of(driver=Cabinet((("other.sys", b"x"),))))
    assert (quick(found), read_inbox(found.installation, found.hive, LSI, link(found), None)) == (None, None)


def test_the_quick_look_opens_no_cabinet(windows: Windows, monkeypatch: pytest.MonkeyPatch) -> None:
    found = windows(*cache_of(driver=cab(needing("port.sys"), ("port.sys", symmpi()))))

    def opened(*_: object) -> None:
        pytest.fail("a cabinet was opened")

    monkeypatch.setattr("bootgraft.drivers.archives.archive.open_archive_bytes", opened)
    assert quick(found) is not None


def test_an_ide_chain_out_of_driver_cab(windows: Windows) -> None:
    """KB314082: a machine that never had IDE gets intelide.sys, pciidex.sys and atapi.sys from driver.cab."""
    names = ("intelide.sys", "pciidex.sys", "atapi.sys")
    there = windows()
    members = tuple((name, there.filesystem.find(f"{DRIVERS}\\{name}")) for name in names)
    found = windows(*cache_of(driver=Cabinet(members)))
    for name in names:
        del found.filesystem.files[f"{DRIVERS}\\{name}"]
    ide = find_controller("vmware:ide")
    function, channel, _disk = driver_chain(ide, (5, 2)).links
    read = read_inbox(found.installation, found.hive, ide, function, None)
    assert read is not None
    assert [file.path.casefold() for file in read.files] == [f"system32\\drivers\\{name}" for name in names[:2]]
    assert values(read) == {
        "Services\\intelide": {
            "Type": 1,
            "Start": 0,
            "ErrorControl": 1,
            "Group": "System Bus Extender",
            "ImagePath": "system32\\DRIVERS\\intelide.sys",
        },
        "Control\\CriticalDeviceDatabase\\pci#ven_8086&dev_7111": {"ClassGUID": IDE, "Service": "intelide"},
    }
    read = read_inbox(found.installation, found.hive, ide, channel, "atapi")
    assert read is not None
    assert (read.service, read.device) == ("atapi", "Primary_IDE_Channel")
    assert [file.path for file in read.files] == ["system32\\DRIVERS\\atapi.sys"]
    assert "Control\\CriticalDeviceDatabase\\primary_ide_channel" in values(read)


def test_a_later_windows_takes_the_file_from_its_driver_store(machine_cache: Path) -> None:
    store = "\\WINDOWS\\System32\\DriverStore\\FileRepository\\lsi_sas.inf_amd64_neutral_a4d6780f72cbd5b4"
    binary = PortableExecutable("lsi_sas.sys", Architecture.X64, (("ntoskrnl.exe", ("DbgPrint",)),))
    found = memory_windows(
        machine_cache, release=WINDOWS_7, arch=Architecture.X64, extra=[File(f"{store}\\lsi_sas.sys", binary)]
    )
    del found.filesystem.files["\\WINDOWS\\system32\\drivers\\lsi_sas.sys"]
    sas = find_controller("vmware:lsisas1068")
    read = read_inbox(found.installation, found.hive, sas, link(found, sas), "LSI_SAS")
    assert read is not None
    assert [file.path.casefold() for file in read.files] == ["system32\\drivers\\lsi_sas.sys"]
    assert values(read)["Services\\LSI_SAS"] == {
        "Type": 1,
        "Start": 0,
        "ImagePath": read.files[0].path,
    }


def folded(keys: dict[str, object]) -> dict[str, str]:
    return {name: str(value).casefold() for name, value in keys.items()}


def test_the_service_is_as_the_inf_of_this_windows_says(windows: Windows, shared_testdata: Path) -> None:
    """By Microsoft's own pnpscsi.inf (of Windows XP x64): its values are those that are known of symmpi.

    The copy lost the vendors' lines of [Manufacturer]; that of LSI Logic is put back.
    """
    inf = shared_testdata / "ms-setup-media" / "xp-x64-smolxp-modified" / "PNPSCSI.INF"
    cabinets = driver_cache("WINDOWS", Architecture.X64, driver=cab(symmpi(arch=Architecture.X64)))
    lines = inf.read_bytes().replace(b"[Manufacturer]\r\n", b"[Manufacturer]\r\nLSI=LSI,NTamd64\r\n")
    own = File(f"{W}\\inf\\pnpscsi.inf", lines)
    bare = package(windows(*cabinets, arch=Architecture.X64))
    read = package(windows(own, *cabinets, arch=Architecture.X64))
    assert read.notes[1] == r"Its service and bindings are what disk 0 partition 1: \WINDOWS\inf: pnpscsi.inf says."
    assert read.inf is not None
    bound = critical_keys(read.inf, read.service)
    said = {path.casefold(): folded(keys) for path, keys in values(replace(read, keys=(*read.keys, *bound))).items()}
    for path, keys in values(bare).items():
        assert said[path.casefold()].items() >= folded(keys).items(), path


def test_an_inf_that_says_nothing_of_the_device_changes_nothing(windows: Windows) -> None:
    other = File(f"{W}\\inf\\pnpscsi.inf", b'[Version]\r\nSignature="$Windows NT$"\r\nClass=SCSIAdapter\r\n')
    damaged = File(f"{W}\\inf\\scsi.inf", b"\0\xff" * 500)
    read = package(windows(other, damaged, *cache_of(driver=cab(symmpi()))))
    assert values(read) == SERVICE
