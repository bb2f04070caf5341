"""Hand-exported .reg and .sys files: what is taken, where it goes, and what is refused with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines.build import content
from tests.machines.spec import Architecture as MadeFor
from tests.machines.spec import File
from tests.machines.windows_files import symmpi_binary

from bootgraft.changes import RegistryData
from bootgraft.drivers.guest import manual
from bootgraft.drivers.guest.manual import read_manual
from bootgraft.drivers.package import DriverPackage, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError, RegFileError
from bootgraft.registry.values import ValueType, text_data
from bootgraft.windows.installation import Architecture

VERSION_5 = "Windows Registry Editor Version 5.00"
SYSTEM = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet"
SERVICE = f'[{SYSTEM}\\Services\\symmpi]\n"Type"=dword:1\n"Start"=dword:0\n'
BINDING = f'[{SYSTEM}\\Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030]\n"Service"="symmpi"\n'
FALLBACK = "system32\\drivers\\symmpi.sys"

Write = Callable[..., str]


@pytest.fixture
def reg(tmp_path: Path) -> Write:
    def write(text: str, *, head: str = VERSION_5, encoding: str = "utf-16", name: str = "symmpi.reg") -> str:
        path = tmp_path / name
        path.write_bytes(f"{head}\r\n\r\n{text}".encode(encoding))
        return str(path)

    return write


@pytest.fixture
def sys_file(machine_cache: Path, tmp_path: Path) -> Write:
    def write(arch: MadeFor = MadeFor.X86, name: str = "symmpi.sys") -> str:
        path = tmp_path / name
        path.write_bytes(content(File("", symmpi_binary(arch, (1, 2, 3, 4))), machine_cache))
        return str(path)

    return write


def read(*reg_files: str, files: tuple[str, ...] = ()) -> DriverPackage:
    return read_manual(reg_files, files, Architecture.X86)


def paths(package: DriverPackage) -> list[str]:
    return [key.path for key in package.keys]


@pytest.mark.parametrize(
    ("head", "encoding"), [(VERSION_5, "utf-16"), (VERSION_5, "utf-8"), ("REGEDIT4", "cp1252"), ("REGEDIT4", "utf-8")]
)
def test_both_dialects(reg: Write, head: str, encoding: str) -> None:
    package = read(reg(SERVICE + BINDING, head=head, encoding=encoding))
    assert package.service == "symmpi"
    assert paths(package) == ["Services\\symmpi", "Control\\CriticalDeviceDatabase\\pci#ven_1000&dev_0030"]
    assert package.keys[0].values == (
        PackageValue("Type", RegistryData(4, b"\1\0\0\0")),
        PackageValue("Start", RegistryData(4, b"\0\0\0\0")),
    )
    assert package.keys[1].values == (PackageValue("Service", RegistryData(1, text_data("symmpi"))),)


def test_the_old_dialects_strings_come_out_as_utf_16(reg: Write) -> None:
    text = f'[{SYSTEM}\\Services\\symmpi]\n"ImagePath"=hex(2):78,2e,73,79,73,00\n'
    package = read(reg(text, head="REGEDIT4", encoding="cp1252"))
    assert package.keys[0].values[0].data == RegistryData(ValueType.REG_EXPAND_SZ, text_data("x.sys"))


@pytest.mark.parametrize("control_set", ["CurrentControlSet", "ControlSet001", "controlset002", "ControlSet999"])
@pytest.mark.parametrize("root", ["HKEY_LOCAL_MACHINE", "hkey_local_machine", "HKLM"])
def test_every_way_to_name_a_control_set(reg: Write, root: str, control_set: str) -> None:
    package = read(reg(f'[{root}\\System\\{control_set}\\Services\\symmpi]\n"Start"=dword:0\n'))
    assert paths(package) == ["Services\\symmpi"]


def test_bare_headers_of_parents_say_nothing(reg: Write) -> None:
    parents = ["HKEY_LOCAL_MACHINE\\SYSTEM", SYSTEM, f"{SYSTEM}\\Services", f"{SYSTEM}\\Control"]
    parents += [f"{SYSTEM}\\Control\\CriticalDeviceDatabase", "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002"]
    text = "".join(f"[{parent}]\n\n" for parent in parents)
    assert paths(read(reg(text + SERVICE))) == ["Services\\symmpi"]


def test_the_keys_below_the_service_are_its_own(reg: Write) -> None:
    text = SERVICE + f'[{SYSTEM}\\Services\\symmpi\\Parameters\\PnpInterface]\n"5"=dword:1\n'
    assert paths(read(reg(text))) == ["Services\\symmpi", "Services\\symmpi\\Parameters\\PnpInterface"]


def test_what_a_running_windows_shows_below_enum_is_left_out(reg: Write) -> None:
    text = SERVICE + f'[{SYSTEM}\\Services\\symmpi\\Enum]\n"0"="PCI\\\\VEN_1000"\n"Count"=dword:1\n'
    assert paths(read(reg(text))) == ["Services\\symmpi"]


OUTSIDE = [
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\Select",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\MountedDevices",
    f"{SYSTEM}\\Enum\\PCI\\VEN_1000&DEV_0030\\3&0",
    f"{SYSTEM}\\Control\\Session Manager",
    f"{SYSTEM}\\Control\\CriticalDeviceDatabase\\a\\b",
    f"{SYSTEM}\\Control\\Class\\{{4D36E97B-E325-11CE-BFC1-08002BE10318}}\\0000",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet001\\Services\\symmpi",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet01\\Services\\symmpi",
    "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet0001\\Services\\symmpi",
    "HKEY_CURRENT_USER\\SYSTEM\\CurrentControlSet\\Services\\symmpi",
    "SYSTEM\\CurrentControlSet\\Services\\symmpi",
    "HKEY_LOCAL_MACHINE",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_outside_is_refused_with_its_line(reg: Write, path: str) -> None:
    name = reg(f'{SERVICE}\n[{path}]\n"x"=dword:1\n')
    with pytest.raises(RegFileError) as caught:
        read(name)
    assert path in caught.value.what
    assert caught.value.where == f"{name}, line 7"
    assert "Services\\DRIVER" in caught.value.advice


@pytest.mark.parametrize("parent", [SYSTEM, f"{SYSTEM}\\Services", f"{SYSTEM}\\Control\\CriticalDeviceDatabase"])
def test_a_parent_with_values_is_outside(reg: Write, parent: str) -> None:
    with pytest.raises(RegFileError, match="may change"):
        read(reg(f'[{parent}]\n"x"=dword:1\n' + SERVICE))


@pytest.mark.parametrize("path", [f"{SYSTEM}\\Services\\symmpi", f"{SYSTEM}\\Services", "HKEY_LOCAL_MACHINE\\SYSTEM"])
def test_a_key_to_delete_is_refused_with_its_line(reg: Write, path: str) -> None:
    name = reg(f"{SERVICE}\n[-{path}]\n")
    with pytest.raises(RegFileError) as caught:
        read(name)
    assert caught.value.where == f"{name}, line 7"


def test_a_value_to_delete_is_kept(reg: Write) -> None:
    package = read(reg(SERVICE + '"Tag"=-\n'))
    assert package.keys[0].values[-1] == PackageValue("Tag", None)


def test_a_damaged_file_is_refused_with_its_line(reg: Write) -> None:
    name = reg(SERVICE + '"Start"=dword:xyz\n')
    with pytest.raises(RegFileError) as caught:
        read(name)
    assert caught.value.where == f"{name}, line 6"


def test_without_a_service_there_is_nothing_to_graft(reg: Write) -> None:
    with pytest.raises(DriverSourceError, match="no service key"):
        read(reg(BINDING))


def test_several_files_make_one_package(reg: Write, sys_file: Write) -> None:
    one, other, driver = reg(SERVICE), reg(BINDING, name="binding.reg"), sys_file()
    package = read(one, other, files=(driver,))
    assert len(package.keys) == 2
    assert [file.path for file in package.files] == [FALLBACK]
    assert package.files[0].data == Path(driver).read_bytes()
    assert package.origin == f"{one}, {other}, {driver}"


def test_the_service_is_the_one_that_the_binding_names(reg: Write) -> None:
    package = read(reg(f'[{SYSTEM}\\Services\\afilter]\n"Start"=dword:0\n' + SERVICE + BINDING))
    assert package.service == "symmpi"


def test_without_a_binding_it_is_the_first(reg: Write) -> None:
    assert read(reg(f'[{SYSTEM}\\Services\\first]\n"Start"=dword:0\n' + SERVICE)).service == "first"


# Where the file goes.

PLACES = {
    "system32\\DRIVERS\\symmpi.sys": "system32\\DRIVERS\\symmpi.sys",
    "\\SystemRoot\\System32\\drivers\\symmpi.sys": "System32\\drivers\\symmpi.sys",
    "%SystemRoot%\\System32\\drivers\\symmpi.sys": "System32\\drivers\\symmpi.sys",
    "system32/drivers/SYMMPI.SYS": "system32\\drivers\\SYMMPI.SYS",
    "inf\\symmpi.sys": "inf\\symmpi.sys",
    "system32\\drivers\\another.sys": FALLBACK,
    "..\\ntldr\\symmpi.sys": FALLBACK,
    "system32\\..\\..\\symmpi.sys": FALLBACK,
    "\\SystemRoot\\..\\symmpi.sys": FALLBACK,
    "%SystemRoot%\\..\\symmpi.sys": FALLBACK,
    "\\symmpi.sys": FALLBACK,
    "\\Device\\HarddiskVolume1\\symmpi.sys": FALLBACK,
    "C:\\symmpi.sys": FALLBACK,
    "C:symmpi.sys": FALLBACK,
    "\\??\\D:\\tools\\symmpi.sys": FALLBACK,
    "\\\\server\\share\\symmpi.sys": FALLBACK,
    "\\\\?\\C:\\symmpi.sys": FALLBACK,
    "\\\\.\\C:\\symmpi.sys": FALLBACK,
    "system32\\drivers\\x:\\symmpi.sys": FALLBACK,
    ".\\symmpi.sys": FALLBACK,
    "system32\\\\symmpi.sys": FALLBACK,
    "": FALLBACK,
}


def placed(image_path: str, file_name: str = "symmpi.sys") -> str:
    value = PackageValue("ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(image_path)))
    return manual._place(file_name, [PackageKey("Services\\symmpi", (value,))])


RELATIVE = {
    "system32\\DRIVERS\\symmpi.sys": None,
    "\\SystemRoot\\System32\\drivers\\symmpi.sys": "System32\\drivers\\symmpi.sys",
    "%SystemRoot%\\inf\\symmpi.sys": "inf\\symmpi.sys",
    "\\??\\C:\\WINDOWS\\system32\\drivers\\symmpi.sys": "system32\\drivers\\symmpi.sys",
    "\\??\\D:\\tools\\symmpi.sys": None,
    "": None,
}


@pytest.mark.parametrize(("image_path", "expected"), RELATIVE.items())
def test_the_image_path_is_written_as_the_loader_takes_it(image_path: str, expected: str | None) -> None:
    start = PackageValue("Start", RegistryData(ValueType.REG_DWORD, bytes(4)))
    given = PackageValue("imagepath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(image_path)))
    key = manual._for_the_loader(PackageKey("Services\\symmpi", (given, start)))
    plain = given if expected is None else PackageValue("ImagePath", RegistryData(2, text_data(expected)))
    assert key.values == (plain, start)


@pytest.mark.parametrize(("image_path", "place"), PLACES.items())
def test_the_image_path_places_the_file_inside_windows_only(image_path: str, place: str) -> None:
    assert placed(image_path) == place


@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "\\", "/", "C:", "\\??\\", "\\SystemRoot", "%windir%", "system32", ":s", "*", "", " "]
        ),
        max_size=8,
    ).map("\\".join)
)
@settings(max_examples=200, deadline=None)
def test_no_image_path_leads_out_of_windows(image_path: str) -> None:
    names = placed(f"{image_path}\\symmpi.sys").split("\\")
    assert names[-1].casefold() == "symmpi.sys"
    assert not any(name in ("", ".", "..") or ":" in name or "*" in name for name in names)


def test_the_place_is_read_from_the_file_itself(reg: Write, sys_file: Write) -> None:
    text = SERVICE + '"ImagePath"=hex(2):' + text_data("system32\\DRIVERS\\symmpi.sys").hex(",") + "\n"
    package = read(reg(text), files=(sys_file(),))
    assert package.files[0].path == "system32\\DRIVERS\\symmpi.sys"


# What is no driver.


def test_a_driver_for_another_processor(reg: Write, sys_file: Write) -> None:
    name = sys_file(MadeFor.X64)
    with pytest.raises(DriverSourceError, match="built for x64; the Windows to repair is x86") as caught:
        read(reg(SERVICE), files=(name,))
    assert caught.value.where == name


def test_a_file_that_is_no_binary(reg: Write, tmp_path: Path) -> None:
    (tmp_path / "symmpi.sy_").write_bytes(b"SZDD" + bytes(5000))
    with pytest.raises(DriverSourceError, match="this is no driver") as caught:
        read(reg(SERVICE), files=(str(tmp_path / "symmpi.sy_"),))
    assert "expanded" in caught.value.advice


@pytest.mark.parametrize("name", ["a\\b.sys", "a:b.sys", "..\\..\\symmpi.sys", 'a"b.sys', "a\nb.sys"])
def test_a_name_that_no_windows_file_can_have(reg: Write, sys_file: Write, name: str) -> None:
    with pytest.raises(DriverSourceError, match="no file of that name"):
        read(reg(SERVICE), files=(sys_file(name=name),))


def test_files_that_are_not_there(reg: Write, tmp_path: Path) -> None:
    given_files = [((str(tmp_path / "x.reg"),), ()), ((reg(SERVICE),), (str(tmp_path / "x.sys"),))]
    for reg_files, driver_files in given_files:
        with pytest.raises(DriverSourceError, match="cannot be read") as caught:
            read(*reg_files, files=driver_files)
        assert caught.value.where.startswith(str(tmp_path / "x."))


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DriverSourceError, match="cannot be read"):
        read(str(tmp_path))


def test_a_file_too_large(reg: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manual, "MAX_INPUT", 100)
    with pytest.raises(DriverSourceError, match="too large"):
        read(reg(SERVICE))


def test_a_file_without_end_is_too_large() -> None:
    with pytest.raises(DriverSourceError, match="too large"):
        read("/dev/zero")
