"""Hyper-V's XML exports: the real ones of both generations."""

from pathlib import Path

from tests.targets.descriptions.summaries import summary

from bootgraft.targets.descriptions import hyperv

NAMES = {1: "B90AC31B-C6F8-479F-9B91-07B894A6A3F6.xml", 2: "D351C151-DAC7-4042-B434-B72D522C1E4A.xml"}


def real(shared_testdata: Path, generation: int) -> Path:
    return shared_testdata / "vm-config" / "hyperv" / NAMES[generation]


def test_generation_1(shared_testdata: Path) -> None:
    path = real(shared_testdata, 1)
    assert summary(hyperv.parse(path.read_bytes(), path)) == (
        f"{NAMES[1]}: hyperv, bios\n"
        "  IDE controller0 drive0 hyperv:gen1 C:\\Disks\\Default Generation 1.vhdx (line 32)\n"
        "  Network Adapter out (line 106)\n"
        "  boot IDE controller0 drive0 (exclusive) it is a generation 1 machine, which starts from IDE disks only "
        "(line None)\n"
        "    else the disk on its IDE controller 0, at place 0\n"
    )


def test_generation_2(shared_testdata: Path) -> None:
    path = real(shared_testdata, 2)
    assert summary(hyperv.parse(path.read_bytes(), path)) == (
        f"{NAMES[2]}: hyperv, uefi\n"
        "  SCSI 0 controller0 drive0 hyperv:gen2 C:\\Disks\\Default Generation 2.vhdx (line 13)\n"
        "  Network Adapter out (line 36)\n"
    )


def test_generation_1_starts_from_ide_and_keeps_its_other_disks_behind(shared_testdata: Path) -> None:
    path = real(shared_testdata, 1)
    text = path.read_bytes().decode("utf-16")
    tag = "<_aa4b08d9-e0f7-4add-b08c-3259ac8bd05d_>"
    drive = r"<controller0><drive0><pathname>D:\data.vhdx</pathname><type>VHD</type></drive0></controller0>"
    assert tag in text
    found = hyperv.parse(text.replace(tag, tag + drive).encode("utf-16"), path)
    assert [(disk.place, disk.controller) for disk in found.disks] == [
        ("IDE controller0 drive0", "hyperv:gen1"),
        ("SCSI 0 controller0 drive0", "hyperv:gen2"),
    ]
    assert found.order_doubt == ""
    assert found.boot_order is not None
    assert found.boot_order.tried == ("IDE controller0 drive0",)
