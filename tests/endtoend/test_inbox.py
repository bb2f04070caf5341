"""A server that has its driver in its own driver.cab is repaired without any donor, and put back."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, Build, require_grafted, system_hive
from tests.machines import oracles, vista
from tests.machines.build import BuiltMachine, content
from tests.machines.spec import Architecture, Cabinet, File, Hive, HostFile, MachineSpec
from tests.machines.windows_files import driver_cache, symmpi_binary, windows_files
from tests.machines.windows_hives import SERVER_2003

DRIVER = r"\WINDOWS\system32\drivers\symmpi.sys"
_OLD, _NEW = SERVER_2003.binaries, (5, 2, 3790, 4000)
_PADDING = tuple((f"other{number}.sys", bytes(range(256)) * 400) for number in range(8))


def _cabinet(version: tuple[int, int, int, int], arch: Architecture = Architecture.X86) -> Cabinet:
    return Cabinet((*_PADDING, ("symmpi.sys", symmpi_binary(arch, version))))


@pytest.fixture
def server(build_server1: Build) -> BuiltMachine:
    """The dead server with the service pack's cabinet beside driver.cab."""
    cabinets = driver_cache("WINDOWS", Architecture.X86, driver=_cabinet(_OLD), sp2=_cabinet(_NEW))
    return build_server1(extra=cabinets)


def test_the_server_is_repaired_from_its_own_cabinet(
    server: BuiltMachine, machine_cache: Path, tmp_path: Path, bootgraft: Bootgraft
) -> None:
    before = oracles.sha256(server.disk)
    check = bootgraft("check", server.disk, *LSI_LOGIC)
    assert check.status == 1
    assert r"evidence: disk 0 partition 2: \WINDOWS\Driver Cache\i386\sp2.cab has symmpi.sys: no donor" in check.stdout
    command = f"bootgraft repair {server.disk} --target vmware:lsilogic"
    assert check.stdout.endswith(f"To fix it with the driver that this Windows has itself, run:\n    {command}\n")
    document = bootgraft("check", server.disk, *LSI_LOGIC, "--json").json
    assert all(finding["fixable"] for finding in document["findings"])

    repair = bootgraft(*command.split()[1:])
    assert repair.status == 0, repair
    assert repair.stdout.startswith("Repaired: 1 file and ")
    assert "from its own sp2.cab)" in repair.stdout
    assert r"note: symmpi.sys 5.2.3790.4000 is taken from this Windows itself" in repair.stdout
    span = server.span(WINDOWS)
    oracles.ntfs_is_consistent(server.disk, span)
    expected = content(File("", symmpi_binary(Architecture.X86, _NEW)), machine_cache)
    assert oracles.read_file(server.disk, span, DRIVER) == expected
    hive = system_hive(server.disk, span, tmp_path)
    require_grafted(hive)
    assert bootgraft("check", server.disk, *LSI_LOGIC).status == 0
    again = bootgraft(*command.split()[1:])
    assert (again.status, again.stdout.splitlines()[0]) == (0, "Nothing to do: nothing was changed.")

    assert bootgraft("undo", server.disk).status == 0
    assert oracles.sha256(server.disk) == before


def test_a_donor_that_is_given_comes_first(server: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    repair = bootgraft("repair", server.disk, *LSI_LOGIC, "--drivers", donor.disk, "--dry-run")
    assert repair.status == 0
    assert f"from {donor.disk})" in repair.stdout


def test_a_cabinet_for_another_processor_is_told_and_nothing_is_written(
    build_server1: Build, bootgraft: Bootgraft
) -> None:
    cabinet = _cabinet(_OLD, Architecture.X64)
    server = build_server1(extra=driver_cache("WINDOWS", Architecture.X86, driver=cabinet))
    before = hashlib.sha256(server.disk.read_bytes()).hexdigest()
    repair = bootgraft("repair", server.disk, *LSI_LOGIC)
    assert repair.status == 3
    assert r"driver.cab (symmpi.sys): it is built for x64, this Windows is x86" in repair.stderr
    assert "Give a donor with --drivers" in repair.stderr
    assert hashlib.sha256(server.disk.read_bytes()).hexdigest() == before


def test_a_server_that_never_had_ide_gets_its_drivers_from_driver_cab(
    build_server1: Build, machine_cache: Path, bootgraft: Bootgraft
) -> None:
    """What KB314082 does by hand: intelide.sys and the port driver that it imports from come out of driver.cab."""
    names = ("intelide.sys", "pciidex.sys")
    empty = Hive("", SERVER_2003.minor)
    files = windows_files("WINDOWS", SERVER_2003, Architecture.X86, system=None, software=empty)
    binaries = {each.path.rpartition("\\")[2]: each.content for each in files}
    cabinet = Cabinet(tuple((name, content(File("", binaries[name]), machine_cache)) for name in names))
    server = build_server1(without=names, extra=driver_cache("WINDOWS", Architecture.X86, driver=cabinet))
    ide = ("--target", "vmware:ide")
    check = bootgraft("check", server.disk, *ide, "--json")
    assert (check.status, {each["id"] for each in check.json["findings"]}) == (1, {"driver-file-missing"})
    repair = bootgraft("repair", server.disk, *ide)
    assert repair.status == 0, repair
    for name in names:
        expected = content(File("", binaries[name]), machine_cache)
        found = oracles.read_file(server.disk, server.span(WINDOWS), rf"\WINDOWS\system32\drivers\{name}")
        assert found == expected
    oracles.ntfs_is_consistent(server.disk, server.span(WINDOWS))
    assert bootgraft("check", server.disk, *ide).status == 0


def test_a_windows_7_whose_driver_waits_in_its_store(
    build_machine: Callable[[MachineSpec], BuiltMachine], shared_testdata: Path, bootgraft: Bootgraft
) -> None:
    """virtio-win's installer staged viostor (Red Hat's own), and no disk of the machine needed it so far."""
    virtio = shared_testdata / "drivers" / "virtio-win-old-drivers" / "Win7" / "amd64"
    package = r"\Windows\system32\DriverStore\FileRepository\viostor.inf_amd64_neutral_bbf0a4bd3d11e33f"
    staged = [File(rf"{package}\{each.name}", HostFile(each)) for each in sorted(virtio.glob("viostor.*"))]
    staged.append(File(r"\Windows\inf\oem4.inf", HostFile(virtio / "viostor.inf")))
    files = (*vista.installation(), *staged)
    machine = build_machine(vista.system_reserved(vista.bios_store(vista.WINDOWS), files=files))
    before = oracles.sha256(machine.disk)
    target = ("--target", "kvm:virtio-blk")
    check = bootgraft("check", machine.disk, *target)
    assert check.status == 1
    found = package.replace("system32", "System32")
    assert rf"{found} serves PCI\VEN_1AF4&DEV_1001: no donor is needed" in check.stdout
    repair = bootgraft("repair", machine.disk, *target)
    assert repair.status == 0, repair
    span = machine.span(1)
    oracles.ntfs_is_consistent(machine.disk, span)
    driver = oracles.read_file(machine.disk, span, r"\Windows\system32\drivers\viostor.sys")
    assert driver == (virtio / "viostor.sys").read_bytes()
    assert bootgraft("check", machine.disk, *target).status == 0
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before
