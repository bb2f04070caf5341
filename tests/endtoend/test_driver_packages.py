"""Driver packages as people have them: a folder, an INF, a ZIP, an ISO, a cabinet, a floppy; and hostile ones."""

import io
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.inf.infs import GOOD, driver
from tests.endtoend.story import WINDOWS, Bootgraft, Build, applied, findings, hashes, key_values, system_hive
from tests.machines import oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import Architecture

VIRTIO = ("--target", "kvm:virtio-blk")
SYSTEM = r"\WINDOWS\system32\config\system"
SOFTWARE = r"\WINDOWS\system32\config\software"
DRIVER = r"\WINDOWS\system32\drivers\viostor.sys"
SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"


def run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


def virtio(shared_testdata: Path) -> Path:
    return shared_testdata / "drivers" / "virtio-win-old-drivers"


def sources(folder: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """The packages of a folder in every container that people have them in, made by other people's tools."""
    yield "folder", folder
    yield "inf", folder / "Wxp" / "x86" / "viostor.inf"
    run("zip", "-q", "-r", work / "drivers.zip", ".", cwd=folder)
    yield "zip", work / "drivers.zip"
    run("genisoimage", "-quiet", "-J", "-r", "-V", "virtio-win", "-o", work / "virtio-win.iso", ".", cwd=folder)
    yield "iso", work / "virtio-win.iso"
    files = [path.relative_to(folder / "Wxp" / "x86") for path in sorted((folder / "Wxp" / "x86").iterdir())]
    run("gcab", "-c", work / "drivers.cab", *files, cwd=folder / "Wxp" / "x86")
    yield "cab", work / "drivers.cab"
    run("mformat", "-C", "-f", "1440", "-i", work / "f6.flp")
    run("mcopy", "-s", "-i", work / "f6.flp", folder / "Wxp", "::")
    yield "floppy", work / "f6.flp"


def test_a_server_gets_its_driver_from_any_container(
    server1: BuiltMachine, shared_testdata: Path, tmp_path: Path, bootgraft: Bootgraft
) -> None:
    """The same changes from each; made, judged by outside tools, and undone for the first."""
    folder = virtio(shared_testdata)
    span = server1.span(WINDOWS)
    pristine = hashes(server1.disk.parent)
    before = oracles.export_hive_of(server1.disk, span, SYSTEM)
    software = oracles.export_hive_of(server1.disk, span, SOFTWARE)
    changes = []
    for kind, source in sources(folder, tmp_path):
        dry = () if kind == "folder" else ("--dry-run",)
        repaired = bootgraft("repair", server1.disk, *VIRTIO, "--drivers", source, "--json", *dry)
        assert repaired.status == 0, (kind, repaired)
        assert str(source) in repaired.json["notes"][0]
        changes.append([{**each, "origin": None} for each in repaired.json["changes"]])
        assert changes[-1] == changes[0], kind
        if dry:
            continue
        assert oracles.export_hive_of(server1.disk, span, SYSTEM) == applied(before, repaired.json["changes"])
        expected = (folder / "Wxp" / "x86" / "viostor.sys").read_bytes()
        assert oracles.read_file(server1.disk, span, DRIVER) == expected
        require_left_for_plug_and_play(server1, software, repaired.json["changes"], folder / "Wxp" / "x86")
        oracles.ntfs_is_consistent(server1.disk, span)
        hive = system_hive(server1.disk, span, tmp_path)
        for control_set in ("ControlSet001", "ControlSet002"):
            require_viostor(hive, control_set)
        checked = bootgraft("check", server1.disk, *VIRTIO, "--json")
        assert (checked.status, findings(checked)) == (0, [])
        assert bootgraft("undo", server1.disk).status == 0
        assert hashes(server1.disk.parent) == pristine


def require_left_for_plug_and_play(
    machine: BuiltMachine, software: oracles.Registry, changes: list[dict[str, Any]], package: Path
) -> None:
    """Assert by sleuthkit and hivexregedit that the whole package lies where the second start looks for it."""
    span = machine.span(WINDOWS)
    for name in ("viostor.inf", "viostor.cat", "viostor.sys"):
        left = oracles.read_file(machine.disk, span, rf"\WINDOWS\Drivers\viostor\{name}")
        assert left == (package / name).read_bytes(), name
    after = oracles.export_hive_of(machine.disk, span, SOFTWARE)
    assert after == applied(software, changes, hive="SOFTWARE")
    assert [change["name"] for change in changes if change.get("hive", "").endswith("SOFTWARE")] == ["DevicePath"]


def require_viostor(hive: Path, control_set: str) -> None:
    """Assert by reglookup that the driver is bound and starts at boot, as its INF has it."""
    assert key_values(hive, rf"{control_set}\Services\viostor") == {
        "Type": ("DWORD", "0x00000001"),
        "Start": ("DWORD", "0x00000000"),
        "ErrorControl": ("DWORD", "0x00000001"),
        "Group": ("SZ", "SCSI miniport"),
        "ImagePath": ("EXPAND_SZ", r"system32\drivers\viostor.sys"),
    }
    assert key_values(hive, rf"{control_set}\Services\viostor\Parameters") == {"BusType": ("DWORD", "0x00000001")}
    assert key_values(hive, rf"{control_set}\Services\viostor\Parameters\PnpInterface") == {
        "5": ("DWORD", "0x00000001")
    }
    for subsystem in ("00000000", "00020000", "00021af4"):
        binding = rf"{control_set}\Control\CriticalDeviceDatabase\pci#ven_1af4&dev_1001&subsys_{subsystem}"
        assert key_values(hive, binding) == {"ClassGUID": ("SZ", SCSI_ADAPTER), "Service": ("SZ", "viostor")}


def test_windows_7_gets_the_64_bit_build(
    build_machine: Build, shared_testdata: Path, tmp_path: Path, bootgraft: Bootgraft
) -> None:
    """Both virtio controllers from one folder: each time the INF of its own service, and BusType as that says."""
    machine = build_machine(vista.system_reserved(vista.bios_store(vista.WINDOWS)))
    pristine, span = hashes(machine.disk.parent), machine.span(1)
    folder = virtio(shared_testdata)
    for target, service, bus_type in (("kvm:virtio-blk", "viostor", 1), ("kvm:virtio-scsi-modern", "vioscsi", 10)):
        repaired = bootgraft("repair", machine.disk, "--target", target, "--drivers", folder, "--json")
        assert repaired.status == 0, repaired
        assert rf"Win7\amd64\{service}.inf" in repaired.json["notes"][0]
        oracles.ntfs_is_consistent(machine.disk, span)
        path = rf"\Windows\system32\drivers\{service}.sys"
        assert oracles.read_file(machine.disk, span, path) == (folder / f"Win7/amd64/{service}.sys").read_bytes()
        hive = system_hive(machine.disk, span, tmp_path, directory="Windows")
        for control_set in ("ControlSet001", "ControlSet002"):
            values = key_values(hive, rf"{control_set}\Services\{service}")
            assert (values["Start"], values["Type"]) == (("DWORD", "0x00000000"), ("DWORD", "0x00000001"))
            parameters = key_values(hive, rf"{control_set}\Services\{service}\Parameters")
            assert parameters["BusType"] == ("DWORD", f"0x{bus_type:08X}")
        checked = bootgraft("check", machine.disk, "--target", target, "--json")
        assert (checked.status, findings(checked)) == (0, [])
        assert bootgraft("undo", machine.disk).status == 0
        assert hashes(machine.disk.parent) == pristine


def test_the_keys_are_those_that_a_real_windows_has(
    server1: BuiltMachine, shared_testdata: Path, tmp_path: Path, machine_cache: Path, bootgraft: Bootgraft
) -> None:
    """VMware's vmscsi, from its INF, beside the same keys in the hive of a real XP that runs on it."""
    package = tmp_path / "vmscsi"
    package.mkdir()
    inf = shared_testdata / "drivers" / "dp_massstorage" / "VMware" / "NTx86" / "vmscsi.inf"
    (package / "vmscsi.inf").write_bytes(inf.read_bytes())
    (package / "vmscsi.sys").write_bytes(driver(machine_cache))
    repaired = bootgraft("repair", server1.disk, "--target", "vmware:buslogic", "--drivers", package)
    assert repaired.status == 0, repaired
    ours = system_hive(server1.disk, server1.span(WINDOWS), tmp_path)
    real = shared_testdata / "hives-system" / "xp-sp3-x86-vmware-buslogic-vmscsi" / "SYSTEM"
    for key in ("", r"\Parameters\PnpInterface"):
        grafted, installed = (texts(hive, rf"ControlSet001\Services\vmscsi{key}") for hive in (ours, real))
        # Its place among that machine's drivers, and a name for people that came with another release.
        for own in ("Tag", "DisplayName"):
            grafted.pop(own, None)
            installed.pop(own, None)
        assert grafted == installed
    binding = r"ControlSet001\Control\CriticalDeviceDatabase\pci#ven_104b&dev_1040"
    assert texts(ours, binding) == texts(real, binding)


def texts(hive: Path, key: str) -> dict[str, str]:
    """The values of a key by reglookup, in lower case: Windows compares names of groups, files and services so."""
    return {name: text.casefold() for name, (_, text) in key_values(hive, key).items()}


def test_each_windows_gets_its_own_of_many(
    build_server1: Build, tmp_path: Path, machine_cache: Path, bootgraft: Bootgraft
) -> None:
    """Two builds of one package, and one for the next Windows: an x86 server gets the x86 build that is for it."""
    for name, arch, text in (
        ("amd64", Architecture.X64, GOOD),
        ("i386", Architecture.X86, GOOD),
        ("newer", Architecture.X86, GOOD.replace("NTx86", "NTx86.6.0").replace("2010", "2020")),
    ):
        folder = tmp_path / "drivers" / name
        folder.mkdir(parents=True)
        (folder / "disk.inf").write_text(text)
        (folder / "vdisk.sys").write_bytes(driver(machine_cache, arch))
    machine = build_server1()
    repaired = bootgraft("repair", machine.disk, *VIRTIO, "--drivers", tmp_path / "drivers")
    assert repaired.status == 0, repaired
    assert rf"{tmp_path}/drivers: i386\disk.inf (chosen of 3 INFs) serves PCI\VEN_1AF4&DEV_1001" in repaired.stdout
    assert r"Passed over: amd64\disk.inf: amd64\vdisk.sys is built for x64." in repaired.stdout


def test_a_volume_without_room_for_the_package_gets_the_driver_all_the_same(
    server1: BuiltMachine, tmp_path: Path, machine_cache: Path, bootgraft: Bootgraft
) -> None:
    """What only the second start needs must not keep the machine from its first."""
    package, span = tmp_path / "package", server1.span(WINDOWS)
    package.mkdir()
    copies = "CopyFiles = @vdisk.sys, @manual.bin, @more.bin"
    (package / "disk.inf").write_text(GOOD.replace("CopyFiles = @vdisk.sys", copies))
    (package / "vdisk.sys").write_bytes(driver(machine_cache))
    for name in ("manual.bin", "more.bin"):
        (package / name).write_bytes(bytes(30 << 20))  # together more than the volume holds
    repaired = bootgraft("repair", server1.disk, *VIRTIO, "--drivers", package, "--json")
    assert repaired.status == 0, repaired
    assert any("The driver package is not left in Windows: " in note for note in repaired.json["notes"])
    written = {change["path"] for change in repaired.json["changes"] if change["kind"] == "write-file"}
    assert {name.rpartition("\\")[2] for name in written} == {"vdisk.sys"}
    oracles.ntfs_is_consistent(server1.disk, span)
    assert oracles.read_file(server1.disk, span, r"\WINDOWS\system32\drivers\vdisk.sys") == driver(machine_cache)


def test_sources_are_asked_in_their_order(
    server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path, machine_cache: Path, bootgraft: Bootgraft
) -> None:
    """A donor of another controller and a folder without the driver are passed over; what is wanted is found."""
    (tmp_path / "empty").mkdir()
    package = tmp_path / "package"
    package.mkdir()
    (package / "disk.inf").write_text(GOOD)
    (package / "vdisk.sys").write_bytes(driver(machine_cache))
    given = [word for source in (donor.disk, tmp_path / "empty", package) for word in ("--drivers", source)]
    repaired = bootgraft("repair", server1.disk, *VIRTIO, *given, "--json", "--dry-run")
    assert repaired.status == 0, repaired
    written = [change for change in repaired.json["changes"] if change["kind"] == "write-file"]
    assert {change["origin"] for change in written} == {f"{package}: disk.inf"}
    none = bootgraft("repair", server1.disk, *VIRTIO, *given[:4])
    assert none.status == 3
    assert "binds no service to it" in none.stderr  # the first source's reason


def hostile(kind: str, folder: Path) -> Path:
    """A source made to do harm."""
    path = folder / f"{kind}.zip"
    match kind:
        case "traversal":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("../../disk.inf", GOOD)
        case "bomb":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("disk.inf", GOOD)
                archive.writestr("vdisk.sys", bytes(64 * 2**20))
        case "inf bomb":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("disk.inf", b"," * (30 * 2**20))
        case "cut off":
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                archive.writestr("vdisk.sys", os.urandom(100_000))
                archive.writestr("disk.inf", GOOD)
            path.write_bytes(stream.getvalue()[:50_000])
        case "driver elsewhere":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("disk.inf", GOOD.replace(r"%12%\vdisk.sys", r"%12%\..\..\..\ntldr"))
                archive.writestr("ntldr", b"MZ")
        case "link":
            path = folder / "link"
            path.mkdir()
            (path / "disk.inf").write_text(GOOD)
            (path / "vdisk.sys").symlink_to("/proc/self/mem")
        case "loop":
            path = folder / "loop"
            path.mkdir()
            (path / "loop").symlink_to(path)
            (path / "disk.inf").write_text(GOOD)
        case "floppy":
            path = folder / "floppy.img"
            run("mformat", "-C", "-f", "1440", "-i", path)
            data = bytearray(path.read_bytes())
            data[512:] = os.urandom(len(data) - 512)
            path.write_bytes(data)
    return path


KINDS = ["traversal", "bomb", "inf bomb", "cut off", "driver elsewhere", "link", "loop", "floppy"]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_sources_are_one_clear_error(
    kind: str, server1: BuiltMachine, tmp_path: Path, bootgraft: Bootgraft
) -> None:
    source = hostile(kind, tmp_path)
    before = hashes(server1.disk.parent)
    refused = bootgraft("repair", server1.disk, *VIRTIO, "--drivers", source, "--json")
    assert refused.status == 3, refused
    assert str(source) in refused.json["error"]["where"]
    assert "Traceback" not in refused.stderr
    assert hashes(server1.disk.parent) == before
