"""Where the driver comes from: .reg and .sys files exported by hand, in every dialect, and several donors."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.endtoend.story import (
    LSI_LOGIC,
    WINDOWS,
    Bootgraft,
    Build,
    applied,
    driver,
    findings,
    grafting,
    hashes,
    require_grafted,
    system_hive,
)
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.tools import run
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import LSI_LOGIC_DEVICE, ControlSet, Symmpi

SYSTEM = r"\WINDOWS\system32\config\system"
SERVICE = r"Services\symmpi"
BINDING = rf"Control\CriticalDeviceDatabase\{LSI_LOGIC_DEVICE}"
_HEX_TEXT = re.compile(r"hex\((1|2|7)\):([0-9a-f,]*)")


def exported(donor: BuiltMachine, folder: Path, key: str, *, control_set: str) -> str:
    """A key of the donor's default set as hivexregedit exports it (5.00), under another control set's name."""
    hive = system_hive(donor.disk, donor.span(WINDOWS), folder, directory="WINNT")
    root = r"HKEY_LOCAL_MACHINE\SYSTEM"
    text = run("hivexregedit", "--export", "--prefix", root, hive, rf"\ControlSet001\{key}").decode()
    return text.replace(rf"{root}\ControlSet001", rf"{root}\{control_set}")


def as_regedit4(text: str) -> str:
    """The same in the dialect of Windows 95 and NT 4: ANSI text, strings quoted, long hex lines wrapped."""

    def ansi(match: re.Match[str]) -> str:
        kind, data = match[1], bytes.fromhex(match[2].replace(",", " ")).decode("utf-16-le")
        if kind == "1":
            return '"{}"'.format(data.rstrip("\0").replace("\\", "\\\\").replace('"', '\\"'))
        return f"hex({kind}):" + ",\\\n  ".join(_wrapped(data.encode("cp1252")))

    body = text.removeprefix("Windows Registry Editor Version 5.00")
    return "REGEDIT4" + _HEX_TEXT.sub(ansi, body)


def _wrapped(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), 16):
        yield ",".join(f"{byte:02x}" for byte in data[start : start + 16])


def encoded(text: str, dialect: str) -> bytes:
    """The file as regedit writes it: REGEDIT4 in the ANSI code page, 5.00 in UTF-16 with a byte order mark."""
    lines = text.replace("\n", "\r\n")
    match dialect:
        case "REGEDIT4":
            return as_regedit4(text).replace("\n", "\r\n").encode("cp1252")
        case "5.00":
            return b"\xff\xfe" + lines.encode("utf-16-le")
        case _:
            return text.encode()  # as hivexregedit writes it


@pytest.fixture
def symmpi_sys(donor: BuiltMachine, tmp_path: Path) -> Path:
    """The driver's file, copied off the donor by hand."""
    path = tmp_path / "symmpi.sys"
    path.write_bytes(driver(donor))
    return path


@pytest.fixture
def symmpi_reg(donor: BuiltMachine, tmp_path: Path) -> Path:
    """Service and binding in one file, as an administrator would export them on the donor."""
    return _reg_file(donor, tmp_path, "CurrentControlSet", "5.00")


def _reg_file(donor: BuiltMachine, folder: Path, control_set: str, dialect: str) -> Path:
    first, second = (exported(donor, folder, key, control_set=control_set) for key in (SERVICE, BINDING))
    path = folder / "symmpi.reg"
    path.write_bytes(encoded(first + second.partition("\n")[2], dialect))
    return path


@pytest.mark.parametrize("dialect", ["REGEDIT4", "5.00", "hivexregedit"])
@pytest.mark.parametrize("control_set", ["CurrentControlSet", "ControlSet002"])
def test_exported_files_go_into_every_control_set_that_exists(
    dialect: str,
    control_set: str,
    donor: BuiltMachine,
    symmpi_sys: Path,
    build_server1: Build,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    """The server has the sets 001 and 003: a path in 002 goes into both, and no 002 comes into being."""
    machine = build_server1(control_sets=(1, 3))
    reg = _reg_file(donor, tmp_path, control_set, dialect)
    disk = hashes(machine.disk.parent)
    before = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)

    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--reg", reg, "--file", symmpi_sys, "--json")
    assert repaired.status == 0, repaired
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 0
    after = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)
    assert after == applied(before, repaired.json["changes"])
    assert {path.split("\\")[0] for path in after} == {path.split("\\")[0] for path in before}
    donors = oracles.export_hive(system_hive(donor.disk, donor.span(WINDOWS), tmp_path, directory="WINNT"))
    for number in (1, 3):
        for path, values in donors.items():
            if path.startswith((rf"ControlSet001\{SERVICE}", rf"ControlSet001\{BINDING}")):
                assert after[path.replace("ControlSet001", f"ControlSet00{number}")] == values
    require_grafted(system_hive(machine.disk, machine.span(WINDOWS), tmp_path), (1, 3))
    new = oracles.read_file(machine.disk, machine.span(WINDOWS), r"\WINDOWS\system32\drivers\symmpi.sys")
    assert new == symmpi_sys.read_bytes()

    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == disk


def test_service_and_binding_may_come_in_two_files(
    donor: BuiltMachine, server1: BuiltMachine, symmpi_sys: Path, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    files: list[str | Path] = []
    for name, key in (("service.reg", SERVICE), ("binding.reg", BINDING)):
        path = tmp_path / name
        path.write_bytes(encoded(exported(donor, tmp_path, key, control_set="CurrentControlSet"), "5.00"))
        files += ["--reg", path]
    assert bootgraft("repair", server1.disk, *LSI_LOGIC, *files, "--file", symmpi_sys).status == 0
    assert bootgraft("check", server1.disk, *LSI_LOGIC).status == 0


def test_what_a_running_windows_adds_to_an_export_stays_out(
    server1: BuiltMachine, symmpi_reg: Path, symmpi_sys: Path, bootgraft: Bootgraft
) -> None:
    """regedit exports a service's Enum key, which lives in memory only: it describes the donor's devices."""
    text = symmpi_reg.read_bytes().decode("utf-16")
    text += (
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\symmpi\\Enum]\r\n"
        '"0"="PCI\\\\VEN_1000&DEV_0030&SUBSYS_00000000&REV_00\\\\3&61aaa01&0&80"\r\n"Count"=dword:00000001\r\n'
    )
    symmpi_reg.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    assert bootgraft("repair", server1.disk, *LSI_LOGIC, "--reg", symmpi_reg, "--file", symmpi_sys).status == 0
    after = oracles.export_hive_of(server1.disk, server1.span(WINDOWS), SYSTEM)
    assert rf"ControlSet001\{SERVICE}" in after
    assert rf"ControlSet001\{SERVICE}\Enum" not in after


@pytest.mark.parametrize(
    "line",
    [
        r"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run]",
        r"[HKEY_LOCAL_MACHINE\SYSTEM\Select]",
        r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Enum\PCI\VEN_1000&DEV_0030\0]",
        r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager]",
        r"[HKEY_LOCAL_MACHINE\SYSTEM\MountedDevices]",
        r"[HKEY_CURRENT_USER\Software]",
        r"[-HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\atapi]",
    ],
)
def test_a_path_that_no_driver_may_touch_is_named_with_its_line(
    line: str, server1: BuiltMachine, symmpi_reg: Path, symmpi_sys: Path, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    text = symmpi_reg.read_bytes().decode("utf-16")
    number = text.count("\n") + 1
    symmpi_reg.write_bytes(b"\xff\xfe" + f"{text}{line}\r\n".encode("utf-16-le"))
    before = hashes(tmp_path)
    command = ("repair", server1.disk, *LSI_LOGIC, "--reg", symmpi_reg, "--file", symmpi_sys)
    refused = bootgraft(*command, "--json")
    assert refused.status == 3
    assert refused.json["error"]["where"] == f"{symmpi_reg}, line {number}"
    assert line.strip("[]") in refused.json["error"]["what"]
    assert hashes(tmp_path) == before


def test_no_file_is_needed_where_a_good_one_is_there_already(
    build_server1: Build, symmpi_reg: Path, bootgraft: Bootgraft
) -> None:
    machine = build_server1(driver=DriverFile.UPPER_CASE)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--reg", symmpi_reg, "--json")
    assert repaired.status == 0
    assert "write-file" not in {change["kind"] for change in repaired.json["changes"]}
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 0


def test_without_the_file_nothing_is_written(
    server1: BuiltMachine, symmpi_reg: Path, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    before = hashes(tmp_path)
    repaired = bootgraft("repair", server1.disk, *LSI_LOGIC, "--reg", symmpi_reg, "--json")
    assert repaired.status == 1
    assert repaired.json["committed"] is False
    assert {each["id"] for each in repaired.json["after"][0]["findings"]} == {"driver-file-missing"}
    told = bootgraft("repair", server1.disk, *LSI_LOGIC, "--reg", symmpi_reg)
    assert told.stdout.startswith("Nothing was written: it is not proven")
    assert hashes(tmp_path) == before


def test_a_file_alone_is_a_wrong_command_line(
    server1: BuiltMachine, symmpi_sys: Path, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    before = hashes(tmp_path)
    refused = bootgraft("repair", server1.disk, *LSI_LOGIC, "--file", symmpi_sys)
    assert refused.status == 2
    assert "--file goes with --reg" in refused.stderr
    assert hashes(tmp_path) == before


def test_the_first_donor_that_has_the_driver_is_taken(
    server1: BuiltMachine, donor: BuiltMachine, build_donor: Build, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    plain = build_donor(name="plain", control_sets=(ControlSet(1), ControlSet(2)), driver=DriverFile.ABSENT)
    before = hashes(tmp_path)
    useless = bootgraft("repair", server1.disk, *LSI_LOGIC, "--drivers", plain.disk)
    assert useless.status == 3
    assert f"{plain.disk}" in useless.stderr
    assert "binds no service to it" in useless.stderr
    assert hashes(tmp_path) == before

    both = ("--drivers", plain.disk, "--drivers", donor.disk)
    repaired = bootgraft("repair", server1.disk, *LSI_LOGIC, *both, "--json")
    assert repaired.status == 0
    (written,) = (change for change in repaired.json["changes"] if change["kind"] == "write-file")
    assert written["origin"] == str(donor.disk)
    assert bootgraft("check", server1.disk, *LSI_LOGIC).status == 0


def test_only_the_donors_default_set_counts(server1: BuiltMachine, build_donor: Build, bootgraft: Bootgraft) -> None:
    """The donor's set 002 has the driver, its default 001 does not: it does not run on this controller."""
    sets = (ControlSet(1), ControlSet(2, Symmpi.READY, binding=True))
    refused = bootgraft("repair", server1.disk, *grafting(build_donor(control_sets=sets)))
    assert refused.status == 3
    assert "ControlSet001 binds no service" in refused.stderr


def test_a_donor_is_only_read(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    donor.disk.chmod(0o400)
    before = hashes(donor.disk.parent)
    assert bootgraft("repair", server1.disk, *grafting(donor)).status == 0
    assert hashes(donor.disk.parent) == before


def test_a_donor_may_be_of_any_format(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    image = tmp_path / "donor.vmdk"
    options = "subformat=streamOptimized"
    run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", options, donor.disk, image)
    assert bootgraft("repair", server1.disk, *LSI_LOGIC, "--drivers", image).status == 0
    checked = bootgraft("check", server1.disk, *LSI_LOGIC, "--json")
    assert checked.status == 0
    assert findings(checked) == []
