"""What an INF's facts become in each generation, compared with what Windows made of the same driver."""

from datetime import date

import pytest
from msgspec.structs import replace
from tests.repair.bench import minimal_keys
from tests.windows.hives import real_system

from bootgraft.changes import RegistryData
from bootgraft.drivers.bindings import critical_keys, database_keys, facts_of
from bootgraft.drivers.guest.donordatabase import read_inf_facts
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts, PackageKey
from bootgraft.errors import DriverSourceError
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import Value
from bootgraft.windows.driver_database import ROOT, find_database_binding
from bootgraft.windows.pe import Architecture

WINDOWS_10, WINDOWS_7 = "win10-21h2-x64-vmware-nvme-clean", "win7-sp1-x86-vmware-lsisas"
SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
VIOSTOR = InfFacts(
    "viostor.inf", SCSI_ADAPTER, "SCSIAdapter", "Red Hat, Inc.", date(2021, 1, 12), (100, 84, 104, 19500),
    "rhelscsi_inst.NTamd64",
    (
        DeviceId("PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", True, "Red Hat VirtIO SCSI controller"),
        DeviceId("PCI\\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01", True, "Red Hat VirtIO SCSI controller"),
        DeviceId("pci\\ven_1af4&dev_1042&subsys_11001af4&rev_01", False),
        DeviceId("USB\\VID_1AF4", True),
    ),
)  # fmt: skip


def values(keys: tuple[PackageKey, ...]) -> dict[str, dict[str, RegistryData | None]]:
    return {key.path: {value.name: value.data for value in key.values} for key in keys}


def lsi_sas(hive: Hive) -> tuple[InfFacts, str]:
    """What Windows 10 holds of the driver of its own lsi_sas.inf, and the package it holds it under."""
    binding = find_database_binding(hive, ["PCI\\VEN_1000&DEV_0054"]).binding
    assert binding is not None
    return read_inf_facts(hive, binding), binding.package


def test_what_windows_holds_of_a_driver_is_read_as_its_inf_says_it() -> None:
    inf, _ = lsi_sas(real_system(WINDOWS_10))
    assert (inf.name, inf.provider, inf.driver_date) == ("lsi_sas.inf", "LSI", date(2013, 3, 26))
    assert (inf.class_guid, inf.driver_version) == (SCSI_ADAPTER, (1, 34, 3, 83))
    assert [(each.id, each.is_hardware_id) for each in inf.devices][1] == ("PCI\\VEN_1000&DEV_0054", True)
    assert inf.devices[1].description == "LSI Adapter, SAS 3000 series, 8-port with 1068"


def test_the_keys_are_those_that_windows_made_of_the_same_driver() -> None:
    """Every key and value, under the own name; what Windows has beyond it does not bind (scores, device settings)."""
    hive = real_system(WINDOWS_10)
    inf, package = lsi_sas(hive)
    keys = values(database_keys(inf, "LSI_SAS", Architecture.X64))
    own = next(path for path in keys if path.count("\\") == 2 and "DriverPackages" in path).rpartition("\\")[2]
    assert own.startswith("bootgraft_lsi_sas.inf_amd64_")
    assert len(own.rpartition("_")[2]) == 16
    additions = {"InfName", "Description", "Manufacturer"}  # what Windows keeps for packages of others, and words
    for path, named in keys.items():
        real = hive.key(path.replace(own, package).replace("bootgraft_lsi_sas.inf", "lsi_sas.inf"))
        if path.endswith("\\Strings"):
            continue
        assert real is not None, path
        for name in named.keys() - additions:
            ours = Value(name, named[name].type, named[name].data)  # type: ignore[union-attr]
            value = real.value(name.replace("bootgraft_lsi_sas.inf", "lsi_sas.inf"))
            assert value is not None, (path, name)
            assert ours.type == value.type
            if name == "Version":
                assert (ours.data[2:], ours.data[:2], value.data[:2]) == (value.data[2:], b"\0\xff", b"\xff\xff")
                continue
            told, real_told = (str(each.text() or each.multi() or each.data) for each in (ours, value))
            assert told.replace(own, package).replace("bootgraft_lsi_sas.inf", "lsi_sas.inf") == real_told, (path, name)


def test_the_critical_device_keys_are_those_that_windows_7_has() -> None:
    inf, _ = lsi_sas(real_system(WINDOWS_10))
    hive = real_system(WINDOWS_7)
    for path, named in values(critical_keys(inf, "LSI_SAS")).items():
        real = hive.key(f"ControlSet001\\{path}")
        assert real is not None, path
        for name, data in named.items():
            value = real.value(name)
            assert value is not None
            assert data is not None
            assert (value.type, value.data) == (data.type, data.data)


def test_ids_that_no_disk_hangs_at_are_left_out_and_each_is_written_once() -> None:
    assert [key.path for key in critical_keys(VIOSTOR, "viostor")] == [
        "Control\\CriticalDeviceDatabase\\pci#ven_1af4&dev_1001&subsys_00021af4&rev_00",
        "Control\\CriticalDeviceDatabase\\pci#ven_1af4&dev_1042&subsys_11001af4&rev_01",
    ]
    ids = [key for key in database_keys(VIOSTOR, "viostor", Architecture.X86) if "DeviceIds\\PCI" in key.path]
    assert len(ids) == 2


def test_the_label_depends_on_the_package_alone() -> None:
    def label(inf: InfFacts, arch: Architecture = Architecture.X64) -> str:
        (path,) = (k.path for k in database_keys(inf, "viostor", arch) if k.path.count("\\") == 2 and "Pack" in k.path)
        return path

    assert label(VIOSTOR) == label(replace(VIOSTOR, provider="someone else"))
    assert label(VIOSTOR) != label(replace(VIOSTOR, driver_version=(1, 0, 0, 0)))
    assert "_x86_" in label(VIOSTOR, Architecture.X86)
    assert "_arm64_" in label(VIOSTOR, Architecture.ARM64)


def test_without_an_inf_the_critical_device_keys_tell_what_they_can() -> None:
    found = facts_of(DriverPackage("x.reg", "symmpi", minimal_keys(), ()))
    assert found is not None
    assert (found.class_guid, [each.id for each in found.devices]) == (SCSI_ADAPTER, ["pci\\ven_1000&dev_0030"])
    assert facts_of(DriverPackage("x.reg", "other", minimal_keys(), ())) is None
    assert facts_of(DriverPackage("x.reg", "symmpi", (), (), inf=VIOSTOR)) is VIOSTOR


@pytest.mark.parametrize("wrong", [{"class_guid": "{no guid}"}, {"configuration": ""}, {"configuration": "a\\b"}])
def test_an_inf_that_cannot_be_taken_is_refused(wrong: dict[str, str]) -> None:
    inf = replace(VIOSTOR, **wrong)
    with pytest.raises(DriverSourceError) as caught:
        facts_of(DriverPackage("virtio.iso", "viostor", (), (), inf=inf))
    assert "virtio.iso: viostor.inf" in caught.value.where
    assert ROOT == "DriverDatabase"
