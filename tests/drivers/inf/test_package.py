"""The package that is made of an INF: keys, files, and the facts that bindings are made of."""

import struct
from datetime import date
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, SERVER_2003, SEVEN_X64, XP, driver, tree
from tests.machines.spec import Architecture
from tests.windows.hives import MemoryFile, real_bytes

from bootgraft.drivers.inf.install import add_reg, install_section, services
from bootgraft.drivers.inf.models import models_for
from bootgraft.drivers.inf.selection import choose_package, require_package
from bootgraft.drivers.inf.target_windows import TargetWindows, known_windows
from bootgraft.drivers.inf.text import InfFile, InfLine, parse_inf
from bootgraft.drivers.package import DeviceId, DriverPackage
from bootgraft.drivers.sources import open_source
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import Value
from bootgraft.targets.controllers import find_controller

VIRTIO = find_controller("kvm:virtio-blk")


@pytest.fixture
def x86(machine_cache: Path) -> bytes:
    return driver(machine_cache)


def texts(package: DriverPackage, path: str) -> dict[str, object]:
    (key,) = (key for key in package.keys if key.path.casefold() == path.casefold())
    found: dict[str, object] = {}
    for value in key.values:
        assert value.data is not None
        shown = Value("", value.data.type, value.data.data)
        found[value.name] = shown.dword() if value.data.type == 4 else shown.text()
    return found


def test_the_facts_of_the_inf(x86: bytes) -> None:
    files = {"pkg\\disk.inf": GOOD, "pkg\\VDISK.SYS": x86, "pkg\\disk.cat": b"catalog", "pkg\\readme.txt": b""}
    package = require_package(tree(files), VIRTIO, XP)
    facts = package.inf
    assert facts is not None
    assert (facts.name, facts.class_name, facts.provider) == ("disk.inf", "SCSIAdapter", "A vendor")
    assert (facts.driver_date, facts.driver_version) == (date(2010, 3, 20), (1, 2, 3, 4))
    assert facts.configuration == "Install"
    assert facts.devices == (
        DeviceId("PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", True, "Controller"),
        DeviceId("PCI\\VEN_1AF4&DEV_1001", False, "Controller"),
    )
    assert facts.content == (("disk.inf", GOOD.encode()), ("disk.cat", b"catalog"), ("vdisk.sys", x86))


def test_catalogs_and_files_by_architecture(machine_cache: Path) -> None:
    x64 = driver(machine_cache, Architecture.X64)
    text = GOOD.replace("CatalogFile=disk.cat", "CatalogFile=no.cat\nCatalogFile.NTamd64=x64.cat")
    text = text.replace('1 = "Disk",,,', '1 = "Disk",,,\\amd64')
    files = {"disk.inf": text, "amd64\\vdisk.sys": x64, "amd64\\x64.cat": b"?", "x64.cat": b"catalog"}
    facts = require_package(tree(files), VIRTIO, SEVEN_X64).inf
    assert facts is not None
    assert [name for name, _ in facts.content] == ["disk.inf", "x64.cat", "amd64\\vdisk.sys"]


def test_further_boot_services_and_drivers_come_along(x86: bytes) -> None:
    text = GOOD.replace("CopyFiles = @vdisk.sys", "CopyFiles = @vdisk.sys, @bus.sys, @helper.sys, @lost.sys, @x.cpl")
    more = """AddService = disk0, 0x2, Service
AddService = bus0, , Bus
AddService = agent, , Agent
AddService = late, , Late
[Bus]
ServiceType=1
StartType=0
ErrorControl=1
ServiceBinary=%12%\\bus.sys
[Agent]
ServiceType=0x10
StartType=2
ServiceBinary=%11%\\agent.exe
[Late]
ServiceType=1
StartType=3
ServiceBinary=%12%\\late.sys
"""
    text = text.replace("AddService = disk0, 0x2, Service", more)
    files = {"disk.inf": text, "vdisk.sys": x86, "bus.sys": x86, "helper.sys": x86, "x.cpl": b"MZ"}
    package = require_package(tree(files), VIRTIO, XP)
    assert [file.path.rpartition("\\")[2] for file in package.files] == ["vdisk.sys", "bus.sys", "helper.sys"]
    assert texts(package, "Services\\bus0")["Start"] == 0
    assert not [key for key in package.keys if "agent" in key.path or "late" in key.path]
    assert package.notes[1:] == ("lost.sys, which the INF copies too, is not in the source.",)


def test_a_renamed_file_is_found_by_its_name_in_the_package(x86: bytes) -> None:
    text = GOOD.replace("CopyFiles = @vdisk.sys", "CopyFiles = List\n[List]\nvdisk.sys, vdisk.x86")
    package = require_package(tree({"disk.inf": text, "vdisk.x86": x86}), VIRTIO, XP)
    assert [(file.path, file.data) for file in package.files] == [("system32\\drivers\\vdisk.sys", x86)]


# What each real package must come to, read off its INF by hand: source folder, target, Windows → INF, section, service,
# group, BusType, ids, file version.
VIOSTOR_XP = ("PCI\\VEN_1AF4&DEV_1001&SUBSYS_00000000", "PCI\\VEN_1AF4&DEV_1001&SUBSYS_00020000",
              "PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4")  # fmt: skip
VIOSTOR = ("PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", "PCI\\VEN_1AF4&DEV_1001",
           "PCI\\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01", "PCI\\VEN_1AF4&DEV_1042")  # fmt: skip
VIOSCSI_7 = ("PCI\\VEN_1AF4&DEV_1004&SUBSYS_00081AF4&REV_00", "PCI\\VEN_1AF4&DEV_1048&SUBSYS_11001AF4&REV_01")
REAL = [
    ("xp", "x86", "kvm:virtio-blk", "Wxp\\x86\\viostor.inf", "rhelscsi_inst", "viostor", 1, VIOSTOR_XP),
    ("2003", "x86", "kvm:virtio-blk", "Wxp\\x86\\viostor.inf", "rhelscsi_inst", "viostor", 1, VIOSTOR_XP),
    ("7", "x86", "kvm:virtio-blk", "Win7\\x86\\viostor.inf", "scsi_inst", "viostor", 1, VIOSTOR),
    ("2008r2", "x64", "kvm:virtio-blk-modern", "Win7\\amd64\\viostor.inf", "scsi_inst", "viostor", 1, VIOSTOR),
    ("7", "x64", "kvm:virtio-scsi", "Win7\\amd64\\vioscsi.inf", "rhelscsi_inst", "vioscsi", 10, VIOSCSI_7),
    ("8", "x86", "kvm:virtio-scsi", "Win7\\x86\\vioscsi.inf", "rhelscsi_inst", "vioscsi", 10, VIOSCSI_7),
    ("8.1", "x86", "kvm:virtio-blk", "Win8.1\\x86\\viostor.inf", "scsi_inst", "viostor", 1, VIOSTOR),
    ("2012r2", "x64", "kvm:virtio-blk", "Win8.1\\amd64\\viostor.inf", "scsi_inst", "viostor", 1, VIOSTOR),
    ("2019", "x64", "kvm:virtio-blk", "Win8.1\\amd64\\viostor.inf", "scsi_inst", "viostor", 1, VIOSTOR),
]


@pytest.mark.parametrize("case", REAL, ids=lambda case: "-".join(case[:3]))
def test_real_virtio_packages(case: tuple[object, ...], shared_testdata: Path) -> None:
    version, arch, target, inf, section, service, bus_type, ids = case
    folder = shared_testdata / "drivers" / "virtio-win-old-drivers"
    source = open_source(str(folder))
    (target_windows,) = known_windows(str(version), str(arch))
    package = require_package(source, find_controller(str(target)), target_windows)
    facts = package.inf
    assert facts is not None
    assert package.origin == f"{folder}: {inf}"
    assert (facts.configuration.casefold(), package.service) == (section, service)
    assert isinstance(ids, tuple)
    assert {device.id for device in facts.devices} >= set(ids)
    expected = {
        "Type": 1,
        "Start": 0,
        "ErrorControl": 1,
        "ImagePath": f"system32\\drivers\\{service}.sys",
        "Group": "SCSI miniport",
    }
    assert texts(package, f"Services\\{service}") == expected
    assert texts(package, f"Services\\{service}\\Parameters")["BusType"] == bus_type
    assert texts(package, f"Services\\{service}\\Parameters\\PnpInterface") == {"5": 1}
    (file,) = package.files
    assert file.data == (folder / str(inf).replace("\\", "/")).with_name(f"{service}.sys").read_bytes()
    assert [name.rpartition(".")[2] for name, _ in facts.content] == ["inf", "cat", "sys"]


def _with_stub(folder: Path, source: Path, name: str, data: bytes) -> TargetWindows:
    """A copy of an INF of the shared data with a driver file of ours: the vendor's own is not there."""
    (folder / source.name).write_bytes(source.read_bytes())
    (folder / name).write_bytes(data)
    return XP


def test_real_lsi_package(shared_testdata: Path, tmp_path: Path, x86: bytes) -> None:
    source = shared_testdata / "drivers/dp_massstorage/LSI/FORCED/5x86/LSImpt_6.7.0/symmpi.inf"
    target_windows = _with_stub(tmp_path, source, "SymMPI.sys", x86)
    package = require_package(open_source(str(tmp_path)), find_controller("vmware:lsilogic"), target_windows)
    assert package.service == "SYMMPI"
    assert texts(package, "Services\\symmpi\\Parameters\\Device") == {
        "DriverParameter": "EnablePseudoDevice=1;",
        "MaximumSGList": 0xFF,
        "NumberOfRequests": 0xFF,
    }
    assert texts(package, "Services\\symmpi")["Group"] == "SCSI Miniport"
    assert texts(package, "Services\\symmpi\\Parameters")["BusType"] == 1
    facts = package.inf
    assert facts is not None
    assert len(facts.devices) == 13
    assert (facts.driver_date, facts.driver_version) == (date(2011, 6, 13), (1, 34, 3, 0))
    # VMware's SAS controller is the same package's, the Dell one goes through Dell's section of it.
    sas = require_package(open_source(str(tmp_path)), find_controller("vmware:lsisas1068"), SERVER_2003)
    assert sas.inf is not None
    assert sas.inf.configuration == "SYMMPI_Inst"


def test_real_vmware_package(shared_testdata: Path, tmp_path: Path, x86: bytes) -> None:
    """Its models stand in an undecorated section, its install section has .NT, and it deletes a value."""
    source = shared_testdata / "drivers/dp_massstorage/VMware/NTx86/vmscsi.inf"
    target_windows = _with_stub(tmp_path, source, "vmscsi.sys", x86)
    package = require_package(
        open_source(str(tmp_path / "vmscsi.inf")), find_controller("vmware:buslogic"), target_windows
    )
    facts = package.inf
    assert facts is not None
    assert facts.configuration == "DDInstall.x86.NT"
    assert texts(package, "Services\\vmscsi\\Parameters\\Device") == {"NumberOfRequests": 128}
    (service,) = (key for key in package.keys if key.path == "Services\\vmscsi")
    assert {value.name: value.data for value in service.values}["ObjectName"] is None
    refused = choose_package(open_source(str(tmp_path)), find_controller("vmware:buslogic"), SEVEN_X64)
    assert refused.package is None


def test_real_ahci_package_in_utf16(shared_testdata: Path, tmp_path: Path, x86: bytes) -> None:
    """One id for every AHCI controller there is; strings in thirty languages, English first."""
    target_windows = _with_stub(tmp_path, shared_testdata / "drivers/genahci/genahci.inf", "genahci.sys", x86)
    for target in ("vmware:ahci", "kvm:ahci", "virtualbox:ahci"):
        chosen = choose_package(open_source(str(tmp_path)), find_controller(target), target_windows)
        assert chosen.package is not None
        assert chosen.chosen is not None
        assert (chosen.chosen.id, chosen.chosen.match) == ("PCI\\CC_010601", "compatible id")
        assert texts(chosen.package, "Services\\genahci")["DisplayName"] == "Standard SATA AHCI Driver"
        assert texts(chosen.package, "Services\\genahci\\Parameters")["BusType"] == 11
        assert chosen.package.inf is not None
        assert [device.id for device in chosen.package.inf.devices] == ["PCI\\CC_010601"]


def test_a_driver_that_is_none_is_passed_over() -> None:
    chosen = choose_package(tree({"disk.inf": GOOD, "vdisk.sys": struct.pack("<2s62x", b"MZ")}), VIRTIO, XP)
    assert chosen.package is None
    assert "vdisk.sys is no driver: it lacks the PE header" in chosen.rejected[0].reason


def test_microsofts_own_setup_binds_the_same_services(shared_testdata: Path) -> None:
    """TXTSETUP.SIF of XP x64 says which service drives which device; so do MSHDC.INF and PNPSCSI.INF beside it."""
    folder = shared_testdata / "ms-setup-media" / "xp-x64-smolxp-modified"
    setup = parse_inf((folder / "TXTSETUP.SIF").read_bytes(), "TXTSETUP.SIF")
    expected = {
        line.key.casefold(): line.field(0).casefold()
        for line in setup.section("HardwareIdsDatabase")
        if line.key is not None and line.key.startswith("PCI\\")
    }
    (target_windows,) = known_windows("xp64")
    compared: dict[str, set[str]] = {}
    for name in ("MSHDC.INF", "PNPSCSI.INF"):
        data = (folder / name).read_bytes()
        plain = parse_inf(data, name)
        makers = [section.removesuffix(".ntamd64") for section in plain.raw if section.endswith(".ntamd64")]
        # The media was slimmed: its [Manufacturer] no longer names every section that is still there.
        named = "\r\n[Manufacturer]\r\n" + "\r\n".join(f"all = {maker}, NTamd64" for maker in makers) + "\r\n"
        found = parse_inf(data + named.encode(), name)
        for model in models_for(found, target_windows):
            for each in model.ids:
                section = install_section(found, model.install, target_windows.arch)
                if each.casefold() not in expected or section is None:
                    continue
                for line in services(found, section, lambda _: None):
                    if line.is_function_driver:
                        compared.setdefault(each.casefold(), set()).add(line.name.casefold())
    assert len(compared) >= 6
    differing = {each for each, found_services in compared.items() if expected[each] not in found_services}
    assert differing == {"pci\\ven_105a&dev_4d33"}  # Promise's, which PNPSCSI.INF gives a driver of its own


def test_microsofts_own_registry_lines_are_those_of_a_real_hive(shared_testdata: Path) -> None:
    """HIVESYS.INF fills the CriticalDeviceDatabase of every new XP x64; a real XP's has the same services there."""
    path = shared_testdata / "ms-setup-media" / "xp-x64-smolxp-modified" / "HIVESYS.INF"
    found = parse_inf(path.read_bytes(), path.name)
    prefix = "system\\currentcontrolset\\control\\criticaldevicedatabase\\"
    chosen = tuple(line for line in found.section("AddReg") if line.field(1).casefold().startswith(prefix))
    of_it = InfFile(path.name, {"all": (InfLine("AddReg", ("r",), 1),), "r": chosen})  # other lines are damaged
    lines = {}
    for line in add_reg(of_it, "all", lambda _: None):
        if line.name == "Service":
            assert line.data is not None
            lines[line.key[len(prefix) :].casefold()] = Value("", 1, line.data.data).text()
    hive = Hive.open(
        MemoryFile(real_bytes("hives-system", "xp-sp3-x86-vmware-buslogic-vmscsi", "SYSTEM")), name="SYSTEM"
    )
    database = hive.key("ControlSet001\\Control\\CriticalDeviceDatabase")
    assert database is not None
    same = 0
    for name, service in lines.items():
        key = database.key(name)
        value = None if key is None else key.value("Service")
        if value is not None:
            assert (value.text() or "").casefold() == (service or "").casefold(), name
            same += 1
    assert same >= 10
