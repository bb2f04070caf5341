"""What --recommend prints is read back by our own readers, and judged by libvirt's schema."""

from pathlib import Path

import pytest
from tests.machines.tools import run

from bootgraft.targets.controllers import CONTROLLERS, Controller, find_controller
from bootgraft.targets.descriptions import libvirt, proxmox, vmx
from bootgraft.targets.descriptions.vmdescription import Firmware
from bootgraft.targets.recommend import DiskFile, fragments

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
DISKS = (DiskFile("/vm/server1 & <o'x>.vmdk", "vmdk"), DiskFile("data.raw", "raw"))
ALL = pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.target)
BOTH = pytest.mark.parametrize("firmware", list(Firmware))


def texts(controller: Controller, firmware: Firmware) -> dict[str, str]:
    return {each.format: each.text for each in fragments(controller, firmware, DISKS)}


def of(hypervisor: str) -> pytest.MarkDecorator:
    rows = [each for each in CONTROLLERS if each.hypervisor == hypervisor]
    return pytest.mark.parametrize("controller", rows, ids=lambda each: each.target)


@ALL
@BOTH
def test_every_target_has_a_fragment_that_ends_its_lines(controller: Controller, firmware: Firmware) -> None:
    found = texts(controller, firmware)
    assert bool(found) is (controller.cloud is None)
    assert all(text.endswith("\n") and "None" not in text for text in found.values())


@of("vmware")
@BOTH
def test_vmware(controller: Controller, firmware: Firmware) -> None:
    found = vmx.parse(texts(controller, firmware)["vmx"].encode(), Path("x.vmx"))
    assert found.firmware is firmware
    assert [(disk.name, disk.controller) for disk in found.disks] == [
        ("server1 & <o'x>.vmdk", controller.target),
        ("data.vmdk", controller.target),
    ]
    assert found.order_doubt == ""


@of("kvm")
@BOTH
def test_libvirt(controller: Controller, firmware: Firmware, tmp_path: Path) -> None:
    found = texts(controller, firmware)
    if "libvirt" not in found:
        assert "qemu" in found  # libvirt has no such controller
        return
    data = found["libvirt"].encode()
    read = libvirt.parse(data, Path("x.xml"))
    assert read.firmware is firmware
    assert [(disk.name, disk.controller) for disk in read.disks] == [
        ("/vm/server1 & <o'x>.vmdk", controller.target),
        (str(Path("data.raw").absolute()), controller.target),
    ]
    if not SCHEMA.exists():
        pytest.skip("libvirt's schemas are not here (package libvirt0)")
    judged = tmp_path / "x.xml"
    head = b"<domain type='kvm'>\n"
    judged.write_bytes(data.replace(head, head + b"<name>x</name><memory>1048576</memory>"))
    run("xmllint", "--noout", "--relaxng", SCHEMA, judged)


@of("kvm")
@BOTH
def test_proxmox(controller: Controller, firmware: Firmware) -> None:
    text = texts(controller, firmware).get("proxmox")
    if text is None:
        return
    found = proxmox.parse(text.encode(), Path("100.conf"))
    assert found.firmware is firmware
    assert [disk.controller for disk in found.disks] == [controller.target] * 2
    assert found.order_doubt == ""


def test_the_machine_type_fits_the_controller() -> None:
    for target, machine in (("ide", "pc"), ("ahci", "q35"), ("lsi", "pc"), ("virtio-scsi-modern", "q35")):
        assert f"machine='{machine}'" in texts(find_controller(f"kvm:{target}"), Firmware.BIOS)["libvirt"]
    assert "machine='q35'" in texts(find_controller("kvm:virtio-blk"), Firmware.UEFI)["libvirt"]


def test_place_7_of_a_scsi_bus_is_the_controllers_own() -> None:
    disks = [DiskFile(f"{number}.vmdk", "vmdk") for number in range(9)]
    (made,) = fragments(find_controller("vmware:lsilogic"), Firmware.BIOS, disks)
    assert "scsi0:7." not in made.text
    assert "scsi0:9.present" in made.text


def test_hyperv_virtualbox_and_xen() -> None:
    assert "New-VM -Name NAME -Generation 1 -VHDPath 'server1 & <o''x>.vhdx'" in texts(
        find_controller("hyperv:gen1"), Firmware.BIOS
    )["powershell"]  # fmt: skip
    assert "--add sas --controller LSILogicSAS" in texts(find_controller("virtualbox:lsisas1068"), Firmware.BIOS)[
        "virtualbox"
    ]  # fmt: skip
    assert "vdev=hdb" in texts(find_controller("xen:ide"), Firmware.BIOS)["xl"]
