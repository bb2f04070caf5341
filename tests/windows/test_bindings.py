"""Device bindings, from hives that hivexregedit made and from real ones."""

from tests.windows.hives import hive_of, real_system

from bootgraft.windows.bindings import (
    CriticalDevice,
    EnumInstance,
    critical_devices_of_service,
    enum_instances,
    find_critical_device,
)

SCSI = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
HIVE = rf"""
[\ControlSet001\Control\CriticalDeviceDatabase\PCI#VEN_1000&DEV_0030]
"ClassGUID"="{SCSI}"
"Service"="symmpi"

[\ControlSet001\Control\CriticalDeviceDatabase\pci#ven_1000&dev_0030&cc_0100]
"Service"="skipped: no class"

[\ControlSet001\Control\CriticalDeviceDatabase\pci#ven_1000&dev_0032]
"ClassGUID"="{SCSI}"
"Service"="SYMMPI"

[\ControlSet001\Control\CriticalDeviceDatabase\pci#cc_0601]
"ClassGUID"="{{4D36E97D-E325-11CE-BFC1-08002BE10318}}"

[\ControlSet001\Enum\PCI\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\3&61aaa01&0&80]
"ClassGUID"="{SCSI}"
"Service"="symmpi"
"ConfigFlags"=dword:00000000

[\ControlSet001\Enum\PCI\ven_1000&dev_0030\4]
"ClassGUID"=""
"ConfigFlags"=dword:00000021

[\ControlSet001\Enum\PCI\VEN_1000&DEV_00301\9]
"Service"="another device"

[\ControlSet002\Control]
"""


def test_the_first_id_with_a_class_wins_in_any_case() -> None:
    ids = ["PCI\\VEN_1000&DEV_0030&CC_0100", "pci\\ven_1000&dev_0030", "PCI\\CC_0100"]
    assert find_critical_device(hive_of(HIVE), 1, ids) == CriticalDevice(
        key_path="ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#VEN_1000&DEV_0030",
        device_id="PCI\\VEN_1000&DEV_0030",
        service="symmpi",
        class_guid=SCSI,
    )


def test_a_key_without_service_binds_to_no_driver() -> None:
    device = find_critical_device(hive_of(HIVE), 1, ["PCI\\CC_0601"])
    assert device is not None
    assert device.service is None


def test_no_binding() -> None:
    hive = hive_of(HIVE)
    assert find_critical_device(hive, 1, ["PCI\\VEN_1AF4&DEV_1001"]) is None
    assert find_critical_device(hive, 1, []) is None
    assert find_critical_device(hive, 2, ["PCI\\VEN_1000&DEV_0030"]) is None
    assert critical_devices_of_service(hive, 2, "symmpi") == ()


def test_all_keys_of_a_service() -> None:
    found = critical_devices_of_service(hive_of(HIVE), 1, "symmpi")
    assert [device.device_id for device in found] == ["PCI\\VEN_1000&DEV_0030", "pci\\ven_1000&dev_0032"]


def test_enum_instances() -> None:
    hive = hive_of(HIVE)
    first, second = sorted(enum_instances(hive, 1, "PCI", "VEN_1000&DEV_0030"), key=lambda each: each.config_flags or 0)
    key = "ControlSet001\\Enum\\PCI\\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01\\3&61aaa01&0&80"
    assert first == EnumInstance(key, SCSI, "symmpi", 0, 0x197615AD)
    assert not first.disabled
    assert (second.class_guid, second.service, second.config_flags, second.subsystem) == (None, None, 0x21, None)
    assert second.disabled
    assert enum_instances(hive, 1, "PCI", "VEN_1000&DEV_0054") == ()
    assert enum_instances(hive, 2, "PCI", "VEN_1000&DEV_0030") == ()


def test_real_bindings() -> None:
    hive = real_system("xp-sp3-x86-vmware-buslogic-vmscsi")
    device = find_critical_device(hive, 1, ["PCI\\VEN_104B&DEV_1040"])
    assert device is not None
    assert device.service == "vmscsi"
    assert [each.service for each in enum_instances(hive, 1, "PCI", "VEN_104B&DEV_1040")] == ["vmscsi"]
    everything = critical_devices_of_service(hive, 1, "atapi")
    assert "primary_ide_channel" in [each.device_id.lower() for each in everything]


def test_nt4_has_no_bindings() -> None:
    hive = real_system("nt4-sp3-server-dc-vmware-buslogic")
    assert find_critical_device(hive, 1, ["PCI\\VEN_104B&DEV_1040"]) is None
    assert enum_instances(hive, 1, "PCI", "VEN_104B&DEV_1040") == ()
