"""The DriverDatabase, in hives that Windows 8.1 and 10 wrote and in ones that are wrong in one place."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.machines import inbox
from tests.machines.bindings import database_keys, version_blob
from tests.machines.registry_text import reg_text
from tests.machines.spec import Architecture
from tests.windows.hives import MemoryFile, hive_of, real_bytes, real_system

from bootgraft.registry.hive import Hive
from bootgraft.registry.values import ValueType, multi_data, text_data
from bootgraft.windows.driver_database import (
    DatabaseBinding,
    PackageVersion,
    bindings_of_package,
    decode_version,
    find_database_binding,
    has_database,
)

WINDOWS_10, WINDOWS_10_DELL = "win10-21h2-x64-vmware-nvme-clean", "win10-1709-x64-physical-iastorav-dirty-withlogs"
WINDOWS_8_1 = "win81-x64-virtualbox-ahci-dirty-nolog"
SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
NVME = "PCI\\CC_010802"


def as_it_lies(machine: str) -> Hive:
    """A real hive without its pending transactions: its sequence numbers are made equal, which is enough to read it."""
    data = bytearray(real_bytes("hives-system", machine, "SYSTEM"))
    data[8:12] = data[4:8]
    total = 0
    for word in struct.unpack_from("<127I", data, 0):
        total ^= word
    struct.pack_into("<I", data, 508, total)
    return Hive.open(MemoryFile(bytes(data)), name=machine)


@pytest.mark.parametrize("machine", [WINDOWS_8_1, WINDOWS_10_DELL, WINDOWS_10])
@pytest.mark.parametrize(
    ("device_id", "service", "inf", "configuration"),
    [
        ("PCI\\VEN_1000&DEV_0054", "LSI_SAS", "lsi_sas.inf", "LSI_SAS_Inst"),
        (NVME, "stornvme", "stornvme.inf", "Stornvme_Inst"),
        ("PCI\\CC_010601", "storahci", "mshdc.inf", "msahci_Inst"),
        ("pci\\ven_8086&dev_7111", "intelide", "mshdc.inf", "intelide_Inst"),
        ("Internal_IDE_Channel", "atapi", "mshdc.inf", "atapi_Inst"),
        ("VMBUS\\{BA6163D9-04A1-4D29-B605-72E2FFB1DC7F}", "storvsc", "wstorvsc.inf", "storvscDriveInstall"),
        ("ACPI\\VMBus", "vmbus", "wvmbus.inf", "vmbus_device"),
        ("GenDisk", "disk", "disk.inf", "disk_install.NT"),
    ],
)
def test_an_id_leads_to_the_service_of_its_package(
    machine: str, device_id: str, service: str, inf: str, configuration: str
) -> None:
    found = find_database_binding(as_it_lies(machine), [device_id])
    assert found.dead_ends == ()
    assert found.binding is not None
    assert (found.binding.service, found.binding.inf) == (service, inf)
    assert found.binding.configuration.casefold().startswith(configuration.casefold())  # 8.1: VMBus_Device_Win8_Child
    assert found.binding.version is not None
    assert found.binding.version.is_inbox
    assert found.binding.version.architecture == 9


def test_a_package_that_was_only_staged_binds_nothing() -> None:
    """pvscsi on a machine that starts from NVMe: the id is there, and so are INF and package."""
    found = find_database_binding(real_system(WINDOWS_10), ["PCI\\VEN_15AD&DEV_07C0"])
    assert found.binding is None
    (dead_end,) = found.dead_ends
    assert "names oem5.inf" in dead_end
    assert "staged" in dead_end
    package = real_system(WINDOWS_10).key("DriverDatabase\\DriverPackages\\pvscsi.inf_amd64_9e7bfe6e33172952")
    version = None if package is None else package.value("Version")
    assert version is not None
    staged = decode_version(version.data)
    assert staged is not None
    assert (staged.is_inbox, staged.version, staged.class_guid) == (False, (1, 3, 17, 0), SCSI_ADAPTER)


def test_the_filters_of_a_disk_on_a_generation_1_machine() -> None:
    """Windows 10 cannot start that disk without storflt."""
    ids = ["IDE\\DiskVirtual_HD______________________________1.1.0___", "GenDisk"]
    found = find_database_binding(real_system(WINDOWS_10), ids).binding
    assert found is not None
    assert (found.service, found.filters) == ("disk", ("storflt",))


def test_the_ids_of_a_configuration() -> None:
    hive = real_system(WINDOWS_10)
    found = [name for name, _ in bindings_of_package(hive, "lsi_sas.inf_amd64_74bb5e3e01cfd526", "lsi_sas_inst")]
    assert found == [f"PCI\\VEN_1000&DEV_00{number}" for number in (50, 54, 56, 58, 62)]
    assert list(bindings_of_package(hive, "no such package", "x")) == []


def test_which_windows_have_one() -> None:
    assert has_database(real_system(WINDOWS_10))
    assert not has_database(real_system("win7-sp1-x86-vmware-lsisas"))
    assert find_database_binding(real_system("win7-sp1-x86-vmware-lsisas"), [NVME]).binding is None


def made() -> Hive:
    return hive_of(reg_text(database_keys(inbox.storage_bindings((10, 0)), (10, 0), Architecture.X64), root=""))


def package_of(hive: Hive, inf: str) -> str:
    key = hive.key(f"DriverDatabase\\DriverInfFiles\\{inf}")
    active = None if key is None else key.value("Active")
    assert active is not None
    return f"DriverDatabase\\DriverPackages\\{active.text()}"


def test_the_best_match_wins_and_the_newest_of_two_packages_for_it() -> None:
    hive = made()
    ids = ["PCI\\VEN_1B36&DEV_0010", NVME]
    first = find_database_binding(hive, ids).binding
    assert first is not None
    assert (first.service, first.device_id) == ("stornvme", NVME)
    old = "DriverDatabase\\DriverPackages\\own.inf_amd64_0"
    hive.create_key(f"{old}\\Configurations\\own")
    hive.set_value(f"{old}\\Configurations\\own", "Service", ValueType.REG_SZ, text_data("own"))
    hive.create_key(f"{old}\\Descriptors\\{NVME}")
    hive.set_value(f"{old}\\Descriptors\\{NVME}", "Configuration", ValueType.REG_SZ, text_data("own"))
    hive.create_key("DriverDatabase\\DriverInfFiles\\own.inf")
    hive.set_value("DriverDatabase\\DriverInfFiles\\own.inf", "Active", ValueType.REG_SZ, text_data("own.inf_amd64_0"))
    hive.set_value(f"DriverDatabase\\DeviceIds\\{NVME}", "own.inf", ValueType.REG_BINARY, b"\x01\xff\0\0")
    assert services(hive, ids) == "stornvme", "it has no date"
    hive.set_value(old, "Version", ValueType.REG_BINARY, version_blob(SCSI_ADAPTER, 9, 1 << 62, (1, 0, 0, 0)))
    assert services(hive, ids) == "own"


def services(hive: Hive, ids: list[str]) -> str | None:
    found = find_database_binding(hive, ids).binding
    return None if found is None else found.service


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("active", "no active package"),
        ("package", "no active package"),
        ("descriptor", "staged, not installed"),
        ("configuration", "has no configuration"),
        ("excluded", "excludes this device"),
    ],
)
def test_a_trail_that_ends_early_binds_nothing_and_says_where(broken: str, words: str) -> None:
    hive = made()
    package = package_of(hive, "stornvme.inf")
    match broken:
        case "active":
            hive.delete_value("DriverDatabase\\DriverInfFiles\\stornvme.inf", "Active")
        case "package":
            hive.delete_key(package)
        case "descriptor":
            hive.delete_key(f"{package}\\Descriptors")
        case "configuration":
            hive.delete_key(f"{package}\\Configurations")
        case "excluded":
            excluded = multi_data(["pci\\ven_1b36&dev_0010"])
            configuration = f"{package}\\Configurations\\Stornvme_Inst"
            hive.set_value(configuration, "ExcludeIds", ValueType.REG_MULTI_SZ, excluded)
    found = find_database_binding(hive, ["PCI\\VEN_1B36&DEV_0010", NVME])
    assert found.binding is None
    assert len(found.dead_ends) == 1
    assert words in found.dead_ends[0]


def test_a_configuration_without_a_service_binds_to_no_driver() -> None:
    hive = made()
    configuration = f"{package_of(hive, 'stornvme.inf')}\\Configurations\\Stornvme_Inst"
    hive.set_value(configuration, "Service", ValueType.REG_SZ, text_data(""))
    found = find_database_binding(hive, [NVME]).binding
    assert isinstance(found, DatabaseBinding)
    assert found.service is None


@given(
    st.builds(
        PackageVersion,
        is_inbox=st.booleans(),
        architecture=st.sampled_from((0, 5, 9, 12)),
        class_guid=st.uuids().map(lambda each: f"{{{each}}}".upper()),
        date=st.integers(0, 2**63 - 1),
        version=st.tuples(*[st.integers(0, 0xFFFF)] * 4),
    )
)
def test_a_version_comes_back(version: PackageVersion) -> None:
    assert decode_version(version.encode()) == version
    assert version.encode() == version_blob(
        version.class_guid, version.architecture, version.date, version.version, inbox=version.is_inbox
    )


@given(st.binary(max_size=64))
def test_what_is_no_version_is_none(data: bytes) -> None:
    assert (decode_version(data) is None) is (len(data) != 48)


def test_a_real_version_is_written_as_windows_writes_it() -> None:
    found = find_database_binding(real_system(WINDOWS_10), ["PCI\\VEN_1000&DEV_0054"]).binding
    assert found is not None
    assert found.version is not None
    key = real_system(WINDOWS_10).key(f"DriverDatabase\\DriverPackages\\{found.package}")
    value = None if key is None else key.value("Version")
    assert value is not None
    assert found.version.encode() == value.data
    assert found.version.version == (1, 34, 3, 83)
