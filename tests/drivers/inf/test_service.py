"""The service keys that an INF comes to."""

import pytest
from tests.drivers.inf.infs import GOOD, inf

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.install import services
from bootgraft.drivers.inf.service import NoBootDriverError, ServiceKeys, service_keys
from bootgraft.drivers.inf.text import InfFile
from bootgraft.errors import DriverSourceError
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data


def nothing(_name: str) -> InfFile | None:
    return None


def made(text: str, *, at_boot: bool = True) -> ServiceKeys:
    found = inf(text)
    (line,) = services(found, "Install", nothing)
    return service_keys(found, "Install", line, nothing, at_boot=at_boot)


def values(keys: ServiceKeys, path: str) -> dict[str, RegistryData | None]:
    (key,) = (key for key in keys.keys if key.path == path)
    return {value.name: value.data for value in key.values}


def dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))


def text(kind: ValueType, string: str) -> RegistryData:
    return RegistryData(kind, text_data(string))


def test_the_service_starts_at_boot_whatever_its_inf_says() -> None:
    keys = made(GOOD)
    assert values(keys, "Services\\disk0") == {
        "Type": dword(1),
        "Start": dword(0),
        "ErrorControl": dword(1),
        "ImagePath": text(ValueType.REG_EXPAND_SZ, "system32\\drivers\\vdisk.sys"),
        "DisplayName": text(ValueType.REG_SZ, "A disk"),
        "Group": text(ValueType.REG_SZ, "SCSI miniport"),
    }
    assert values(keys, "Services\\disk0\\Parameters\\PnpInterface") == {"5": dword(1)}
    assert values(keys, "Services\\disk0\\Parameters") == {"BusType": dword(10)}
    assert (keys.name, keys.file, keys.start, len(keys.keys)) == ("disk0", "system32\\drivers\\vdisk.sys", 3, 3)
    assert values(made(GOOD, at_boot=False), "Services\\disk0")["Start"] == dword(3)


def test_dependencies_are_services_and_groups() -> None:
    keys = made(GOOD.replace("ErrorControl = 1", 'ErrorControl = 1\nDependencies = bus, +"Boot Bus Extender", port'))
    found = values(keys, "Services\\disk0")
    assert found["DependOnService"] == RegistryData(ValueType.REG_MULTI_SZ, multi_data(["bus", "port"]))
    assert found["DependOnGroup"] == RegistryData(ValueType.REG_MULTI_SZ, multi_data(["Boot Bus Extender"]))


def test_flags_of_registry_lines() -> None:
    lines = """[Parameters]
HKR, Parameters, Kept, 2, first
HKR, Parameters, Kept, 2, second
HKR, Parameters, Replaced, , first
HKR, Parameters, REPLACED, , second
HKR, Parameters, List, 0x10000, a
HKR, Parameters, List, 0x10008, b
HKR, Parameters, OnlyIfThere, 0x20, x
HKR, Parameters, Gone, 4
HKR, Bare, , 0x10
"""
    keys = made(GOOD.replace("[Parameters]", lines))
    found = values(keys, "Services\\disk0\\Parameters")
    assert found["Kept"] == text(ValueType.REG_SZ, "first")
    (parameters,) = (key for key in keys.keys if key.path == "Services\\disk0\\Parameters")
    assert [value.name for value in parameters.values if value.keeps] == ["Kept"]
    assert found["Replaced"] == text(ValueType.REG_SZ, "second")
    assert found["List"] == RegistryData(ValueType.REG_MULTI_SZ, multi_data(["a", "b"]))
    assert "OnlyIfThere" not in found
    assert found["Gone"] is None
    assert values(made(GOOD.replace("[Parameters]", lines)), "Services\\disk0\\Bare") == {}


def test_the_install_sections_own_lines_count_where_they_name_the_service() -> None:
    """As LSI's symmpi.inf sets DriverParameter; what concerns other services is theirs."""
    lines = r"""CopyFiles = @vdisk.sys
AddReg = Own
[Own]
HKLM,SYSTEM\CurrentControlSet\Services\DISK0\Parameters\Device,DriverParameter,2,"x;"
HKLM,SYSTEM\CurrentControlSet\Services\Disk,TimeOutValue,0x00010001,160
HKLM,SYSTEM\CurrentControlSet\Services\disk0,Tag,0x10001,33
HKR,,NotAService,,x
"""
    keys = made(GOOD.replace("CopyFiles = @vdisk.sys", lines))
    assert values(keys, "Services\\disk0\\Parameters\\Device") == {"DriverParameter": text(ValueType.REG_SZ, "x;")}
    assert values(keys, "Services\\disk0")["Tag"] == dword(33)
    assert not [key for key in keys.keys if "TimeOutValue" in {value.name for value in key.values}]
    assert "NotAService" not in values(keys, "Services\\disk0")


def test_values_are_deleted_before_others_are_set() -> None:
    section = "AddReg = Parameters\nDelReg = Old\n[Old]\nHKR,,ObjectName\nHKR,Parameters,BusType\n"
    keys = made(GOOD.replace("AddReg = Parameters", section))
    assert values(keys, "Services\\disk0")["ObjectName"] is None
    assert values(keys, "Services\\disk0\\Parameters")["BusType"] == dword(10)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("ServiceType = 1", "ServiceType = 0x10", "is no kernel driver (ServiceType 16)"),
        ("ServiceType = 1", "", "is no kernel driver (ServiceType 0)"),
        (r"%12%\vdisk.sys", r"%24%\vdisk.sys", "would lie outside the Windows directory"),
        (r"%12%\vdisk.sys", r"%12%\..\..\..\boot.ini", "would lie outside the Windows directory"),
        ("disk0, 0x2", r"..\x, 0x2", "is no name for a service"),
        ("disk0, 0x2", ", 0x2", "is no name for a service"),
        ("disk0, 0x2", "x" * 300 + ", 0x2", "is no name for a service"),
    ],
)
def test_what_is_no_boot_driver(old: str, new: str, why: str) -> None:
    with pytest.raises(NoBootDriverError) as caught:
        made(GOOD.replace(old, new))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "HKR," + "k" * 300 + ",x,,y",
        "HKR," + "\\".join("k" * 40) + ",x,,y",
        "HKR,," + "n" * 300 + ",,y",
        "\n".join(f"HKR,key{n},x,,y" for n in range(600)),
    ],
)
def test_keys_beyond_reason_are_refused(line: str) -> None:
    with pytest.raises(DriverSourceError) as caught:
        made(GOOD.replace("[Parameters]", f"[Parameters]\n{line}"))
    assert caught.value.where.startswith("test.inf, line ")


def test_a_value_longer_than_the_registry_takes_is_refused() -> None:
    """A few kilobytes of text that strings and appending would make gigabytes of."""
    line = "HKR,,List,0x10008," + ",".join(["%long%"] * 100)
    text = GOOD.replace("[Parameters]", "[Parameters]\n" + f"{line}\n" * 20) + f"\n[Strings]\nlong = {'x' * 4000}\n"
    with pytest.raises(DriverSourceError, match="a value is longer than the registry takes"):
        made(text)
