"""The machines are what they are meant to be: judged by outside tools alone."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, flat_extents, snapshot_child, vhd_of_another_maker
from tests.machines.spec import Architecture, FileSystem, HiveState, VolumeState
from tests.machines.tools import ToolError, run
from tests.machines.windows2003 import SERVER1_SIGNATURE
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import WINDOWS_2000, Instance, Symmpi

SYSTEM = r"\WINDOWS\system32\config\SYSTEM"
DRIVERS = r"\WINDOWS\system32\drivers"
LSI_LOGIC = r"Control\CriticalDeviceDatabase\pci#ven_1000&dev_0030"

Build = Callable[..., BuiltMachine]


def _system(machine: BuiltMachine, partition: int = 1, path: str = SYSTEM) -> oracles.Registry:
    return oracles.export_hive_of(machine.disk, machine.span(partition), path)


def _probe(machine: BuiltMachine, folder: Path, *, partition: int = 1) -> str:
    """What the ntfs-3g driver would say to mounting the volume for writing."""
    volume = oracles.extract_volume(machine.disk, machine.span(partition), folder / "volume")
    try:
        run("ntfs-3g.probe", "--readwrite", volume)
    except ToolError as error:
        return str(error)
    return "clean"


def test_the_dead_server_has_a_loader_volume_and_a_windows_volume(server1: BuiltMachine) -> None:
    identifier, table = oracles.partitions(server1.disk)
    assert identifier == f"0x{SERVER1_SIGNATURE:08x}"
    assert [(entry.slot, entry.type, entry.active) for entry in table] == [(1, "7", True), (2, "7", False)]
    assert [(entry.start, entry.size) for entry in table] == [server1.span(0), server1.span(1)]
    assert sorted(oracles.paths(server1.disk, server1.span(0))) == [r"\NTDETECT.COM", r"\boot.ini", r"\ntldr"]
    for partition in (0, 1):
        report = oracles.ntfs_is_consistent(server1.disk, server1.span(partition))
        assert "resize" in report
    boot_ini = oracles.read_file(server1.disk, server1.span(0), r"\boot.ini").decode()
    assert "default=multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS\r\n" in boot_ini


def test_the_boot_sectors_know_their_place_and_their_loader(server1: BuiltMachine) -> None:
    data = server1.disk.read_bytes()
    assert data[:11].strip(b"\0")
    for partition in (0, 1):
        start, length = server1.span(partition)
        sector = data[start : start + 512]
        per_track, heads, hidden = struct.unpack_from("<HHI", sector, 0x18)
        assert (per_track, heads, hidden) == (63, 255, start // 512)
        assert b"NTLDR is missing" in sector
        assert sector[510:] == b"\x55\xaa"
        assert data[start + length - 512 : start + length] == sector


def test_the_dead_server_knows_nothing_of_symmpi(server1: BuiltMachine) -> None:
    registry = _system(server1)
    assert sorted({path.split("\\")[0] for path in registry if path}) == [
        "ControlSet001",
        "ControlSet002",
        "MountedDevices",
        "Select",
        "Setup",
    ]
    assert not [path for path in registry if "symmpi" in path.lower() or "dev_0030" in path.lower()]
    assert registry["Select"] == {
        "Current": "dword:00000001",
        "Default": "dword:00000001",
        "Failed": "dword:00000000",
        "LastKnownGood": "dword:00000002",
    }
    assert registry[r"ControlSet001\Services\atapi"]["Start"] == "dword:00000000"
    letters = registry["MountedDevices"]
    start = struct.pack("<IQ", SERVER1_SIGNATURE, server1.span(1)[0])
    assert letters[r"\DosDevices\D:"] == "hex(3):" + ",".join(f"{byte:02x}" for byte in start)


def test_every_hive_is_read_by_two_libraries(server1: BuiltMachine, tmp_path: Path) -> None:
    for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"):
        hive = tmp_path / name
        path = rf"\WINDOWS\system32\config\{name}"
        hive.write_bytes(oracles.read_file(server1.disk, server1.span(1), path))
        assert oracles.hivexsh(hive, "cd \\", "ls") is not None
        assert oracles.reglookup(hive, "/")
    product = oracles.reglookup(tmp_path / "SOFTWARE", "/Microsoft/Windows NT/CurrentVersion/ProductName")
    assert product[0].split(",")[1:3] == ["SZ", "Microsoft Windows Server 2003"]
    rights = run("reglookup", "-H", "-s", "-p", "/Select", "-t", "KEY", tmp_path / "SYSTEM").decode()
    assert "S-1-5-32-544:ALLOW:" in rights


def test_files_carry_a_windows_security_descriptor(server1: BuiltMachine) -> None:
    ids = {oracles.security_id(server1.disk, server1.span(1), rf"{DRIVERS}\{name}") for name in ("disk.sys", "PCI.SYS")}
    if ids == {0} and os.geteuid() != 0:
        pytest.skip("only root can give files their security descriptors through ntfs-3g")
    assert len(ids) == 1
    assert min(ids) >= 0x100


def test_binaries_are_real_ones_for_their_processor(build_donor: Build, tmp_path: Path) -> None:
    for arch, tool in (
        (Architecture.X86, "i686-w64-mingw32-objdump"),
        (Architecture.X64, "x86_64-w64-mingw32-objdump"),
    ):
        machine = build_donor(name=f"donor-{arch}", arch=arch)
        for name, imported in (("symmpi.sys", "SCSIPORT.SYS"), ("scsiport.sys", "ntoskrnl.exe")):
            file = tmp_path / name
            file.write_bytes(oracles.read_file(machine.disk, machine.span(1), rf"\WINNT\system32\drivers\{name}"))
            report = run(tool, "-p", file).decode()
            assert "(NT native)" in report
            assert f"DLL Name: {imported}" in report
            assert ("pei-x86-64" in report) == (arch is Architecture.X64)
        assert "ScsiPortInitialize" in report.split("[Ordinal/Name Pointer] Table")[1]


def test_the_donor_has_the_driver_the_service_and_the_binding(donor: BuiltMachine) -> None:
    _, table = oracles.partitions(donor.disk)
    assert [(entry.type, entry.active) for entry in table] == [("de", False), ("7", True)]
    registry = _system(donor, path=r"\WINNT\system32\config\SYSTEM")
    for number in (1, 2):
        service = registry[rf"ControlSet00{number}\Services\symmpi"]
        assert (service["Start"], service["Tag"]) == ("dword:00000000", "dword:00000021")
        assert registry[rf"ControlSet00{number}\Services\symmpi\Parameters\PnpInterface"] == {"5": "dword:00000001"}
        assert "Service" in registry[rf"ControlSet00{number}\{LSI_LOGIC}"]
    assert oracles.read_file(donor.disk, donor.span(1), r"\WINNT\system32\drivers\symmpi.sys")[:2] == b"MZ"


@pytest.mark.parametrize("filesystem", [FileSystem.FAT12, FileSystem.FAT16, FileSystem.FAT32])
def test_a_fat_system_partition(build_server1: Build, filesystem: FileSystem) -> None:
    size = {FileSystem.FAT12: 8, FileSystem.FAT16: 16, FileSystem.FAT32: 40}[filesystem]
    machine = build_server1(system_filesystem=filesystem, system_mib=size)
    bits = filesystem.removeprefix("fat")
    assert f"{bits} bit entries" in oracles.fat_is_consistent(machine.disk, machine.span(0))
    files = oracles.hashes(machine.disk, machine.span(0))
    assert sorted(path.lower() for path in files) == [r"\boot.ini", r"\ntdetect.com", r"\ntldr"]
    hidden = run("mattrib", "-i", f"{machine.disk}@@{machine.span(0)[0]}", "::ntldr").decode()
    assert "SHR" in hidden


def test_windows_on_a_logical_partition_is_partition_3(build_server1: Build) -> None:
    machine = build_server1(logical=True)
    _, table = oracles.partitions(machine.disk)
    assert [(entry.slot, entry.type) for entry in table] == [(1, "7"), (2, "5"), (5, "7"), (6, "7")]
    assert table[3].start == machine.span(2)[0]
    assert b"partition(3)\\WINDOWS" in oracles.read_file(machine.disk, machine.span(0), r"\boot.ini")
    assert SYSTEM.lower() in {path.lower() for path in oracles.paths(machine.disk, machine.span(2))}


def test_two_installations_odd_names_and_a_decoy(build_server1: Build) -> None:
    two = build_server1(name="two", second_installation=True)
    assert b"default=multi(0)disk(0)rdisk(0)partition(2)\\W2" in oracles.read_file(two.disk, two.span(0), r"\boot.ini")
    names = [_system(two, path=rf"\{root}\system32\config\system") for root in ("W2", "WINDOWS")]
    computers = [name[r"ControlSet001\Control\ComputerName\ComputerName"]["ComputerName"] for name in names]
    assert len(set(computers)) == 2
    odd = build_server1(name="odd", directory="WINNT40", decoy=True)
    assert r"ControlSet001\Services\symmpi" not in _system(odd, path=r"\WINNT40\system32\config\system")
    assert r"ControlSet001\Services\symmpi" in _system(odd, partition=2)


def test_windows_on_a_second_disk(build_server1: Build) -> None:
    machine = build_server1(second_disk=True)
    assert b"rdisk(1)partition(1)" in oracles.read_file(machine.disks[0], machine.span(0), r"\boot.ini")
    assert r"\WINDOWS\win.ini" in oracles.paths(machine.disks[1], machine.span(0, disk=1))


def test_control_sets_and_services_as_found_in_the_field(build_server1: Build) -> None:
    machine = build_server1(control_sets=(1, 3), symmpi=Symmpi.IN_BOX, instance=Instance.DISABLED)
    registry = _system(machine)
    assert registry["Select"]["LastKnownGood"] == "dword:00000003"
    assert not [path for path in registry if path.startswith("ControlSet002")]
    for number in (1, 3):
        service = registry[rf"ControlSet00{number}\Services\symmpi"]
        assert service["Start"] == "dword:00000004"
        assert "ImagePath" not in service
        instances = [path for path in registry if path.startswith(rf"ControlSet00{number}\Enum\PCI\VEN_1000&DEV_0030&")]
        assert registry[instances[-1]]["ConfigFlags"] == "dword:00000001"


def test_drivers_already_there(build_server1: Build) -> None:
    older = build_server1(name="older", driver=DriverFile.OLDER)
    assert rf"{DRIVERS}\SYMMPI.SYS" in oracles.paths(older.disk, older.span(1))
    garbage = build_server1(name="garbage", driver=DriverFile.GARBAGE)
    assert oracles.read_file(garbage.disk, garbage.span(1), rf"{DRIVERS}\symmpi.sys")[:2] != b"MZ"


def test_hives_of_version_1_3_have_lists_of_name_hints(build_server1: Build) -> None:
    machine = build_server1(release=WINDOWS_2000, directory="WINNT")
    data = oracles.read_file(machine.disk, machine.span(1), r"\WINNT\system32\config\SYSTEM")
    assert struct.unpack_from("<II", data, 20) == (1, 3)
    assert (data.count(b"\xfflf"), data.count(b"\xfflh")) != (0, 0)
    assert data.count(b"\xfflh") == 0
    assert _system(machine, path=r"\WINNT\system32\config\SYSTEM")[r"ControlSet002\Services\atapi"]


def test_hives_with_faults(build_server1: Build, tmp_path: Path) -> None:
    def system(state: HiveState) -> bytes:
        machine = build_server1(name=state.name, system_state=state)
        return oracles.read_file(machine.disk, machine.span(1), SYSTEM)

    dirty = system(HiveState.DIRTY)
    primary, secondary = struct.unpack_from("<II", dirty, 4)
    assert primary == secondary + 1
    for state in (HiveState.CORRUPT, HiveState.TRUNCATED, HiveState.NOT_A_HIVE):
        hive = tmp_path / "hive"
        hive.write_bytes(system(state))
        with pytest.raises(ToolError):
            oracles.export_hive(hive)
    missing = build_server1(name="missing", system_missing=True)
    assert SYSTEM.lower() not in {path.lower() for path in oracles.paths(missing.disk, missing.span(1))}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (VolumeState.CLEAN, "clean"),
        (VolumeState.UNCLEAN, "unclean"),
        (VolumeState.LOG_2_0, "Metadata kept in Windows cache"),
        (VolumeState.HIBERNATED, "hibernated"),
    ],
)
def test_volumes_that_must_not_be_written(build_server1: Build, tmp_path: Path, state: VolumeState, words: str) -> None:
    assert words in _probe(build_server1(volume_state=state), tmp_path)


def test_a_real_hive_can_take_the_place_of_the_made_one(build_server1: Build, shared_testdata: Path) -> None:
    real = shared_testdata / "hives-system" / "xp-sp3-x86-virtualpc-iecompat" / "SYSTEM"
    machine = build_server1(system_file=real)
    assert oracles.read_file(machine.disk, machine.span(1), SYSTEM) == real.read_bytes()


_QEMU_NAMES = {
    ImageForm.RAW: "raw",
    ImageForm.BARE_FLAT: "raw",
    ImageForm.VHD_FIXED: "vpc",
    ImageForm.VHD_DYNAMIC: "vpc",
    ImageForm.VHDX: "vhdx",
    ImageForm.VDI: "vdi",
    ImageForm.QCOW2: "qcow2",
    ImageForm.QCOW2_CHAIN: "qcow2",
}


@pytest.mark.parametrize("form", ImageForm)
def test_every_format_holds_the_same_disk(
    server1: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path], form: ImageForm
) -> None:
    image = convert_image(server1.disk, form)
    assert b"identical" in run(
        "qemu-img", "compare", "-f", "raw", "-F", _QEMU_NAMES.get(form, "vmdk"), server1.disk, image
    )
    if form in (ImageForm.VMFS, ImageForm.TWO_GB_FLAT, ImageForm.MONOLITHIC_FLAT):
        assert all(extent.is_file() for extent in flat_extents(image))


def test_a_disk_over_2_gb_is_split(build_server1: Build, convert_image: Callable[[Path, ImageForm], Path]) -> None:
    machine = build_server1(windows_mib=2200)
    for form in (ImageForm.TWO_GB_SPARSE, ImageForm.TWO_GB_FLAT):
        image = convert_image(machine.disk, form)
        assert len(flat_extents(image)) == 2
        assert oracles.qemu_info(image, "vmdk")["virtual-size"] == machine.disk.stat().st_size


def test_a_snapshot_child_and_a_vhd_of_another_maker(
    server1: BuiltMachine, convert_image: Callable[[Path, ImageForm], Path]
) -> None:
    parent = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    child = snapshot_child(parent, parent.parent)
    assert oracles.qemu_info(child, "vmdk")["backing-filename"] == parent.name
    for form in (ImageForm.VHD_FIXED, ImageForm.VHD_DYNAMIC):
        vhd = convert_image(server1.disk, form)
        vhd_of_another_maker(vhd)
        # What qemu before 10 takes for the size by default: the geometry's, which cuts the disk's end off.
        by_geometry = f"driver=vpc,force_size_calc=chs,file.driver=file,file.filename={vhd}"
        size = json.loads(run("qemu-img", "info", "--output=json", "--image-opts", by_geometry))["virtual-size"]
        assert size < server1.disk.stat().st_size
