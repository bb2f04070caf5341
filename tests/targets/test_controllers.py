"""The table of controllers: its shape, and the ids of the reference that was compiled from public sources."""

import re

import pytest
from msgspec.structs import replace

from bootgraft.targets.controllers import (
    CONTROLLERS,
    Attachment,
    Controller,
    InboxDriver,
    PciId,
    find_controller,
)
from bootgraft.targets.driverchains import driver_chain

ALL = pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.target)

# Vendor and device as qemu's docs/specs/pci-ids.rst, VirtualBox's device sources and VMware's compatibility guide have
# them, by target; of clouds as lspci and the kernel's log show them there (Azure's also in OpenVMM's tests).
IDS = {
    "vmware:lsilogic": "1000:0030", "vmware:lsisas1068": "1000:0054", "vmware:pvscsi": "15AD:07C0",
    "vmware:buslogic": "104B:1040", "vmware:ide": "8086:7111", "vmware:ahci": "15AD:07E0", "vmware:nvme": "15AD:07F0",
    "kvm:ide": "8086:7010", "kvm:ahci": "8086:2922", "kvm:virtio-blk": "1AF4:1001",
    "kvm:virtio-blk-modern": "1AF4:1042",
    "kvm:virtio-scsi": "1AF4:1004", "kvm:virtio-scsi-modern": "1AF4:1048", "kvm:lsi": "1000:0012",
    "kvm:lsisas1068": "1000:0054", "kvm:megasas": "1000:0060", "kvm:megasas-gen2": "1000:0079", "kvm:nvme": "1B36:0010",
    "kvm:pvscsi": "15AD:07C0",
    "hyperv:gen1": "8086:7111", "virtualbox:piix3": "8086:7010", "virtualbox:piix4": "8086:7111",
    "virtualbox:ahci": "8086:2829", "virtualbox:lsilogic": "1000:0030", "virtualbox:lsisas1068": "1000:0054",
    "virtualbox:buslogic": "104B:1040", "virtualbox:nvme": "80EE:4E56", "xen:ide": "8086:7010", "xen:pv": "5853:0001",
    "aws:nvme": "1D0F:8061", "aws:xen": "5853:0001", "azure:gen1": "8086:7111", "azure:nvme": "1414:00A9",
    "google:virtio-scsi": "1AF4:1004", "google:nvme": "1AE0:001F",
}  # fmt: skip


def test_the_ids_are_those_of_the_reference() -> None:
    found = {c.target: f"{c.pci.vendor:04X}:{c.pci.device:04X}" for c in CONTROLLERS if c.pci is not None}
    assert found == IDS


def test_each_target_has_one_row_and_every_hypervisor_its_rows() -> None:
    targets = [each.target for each in CONTROLLERS]
    assert len(targets) == len(set(targets))
    assert {each.hypervisor for each in CONTROLLERS} == {
        "vmware", "kvm", "hyperv", "azure", "virtualbox", "xen", "aws", "google",
    }  # fmt: skip


@ALL
def test_a_row_is_well_formed(controller: Controller) -> None:
    assert re.fullmatch(r"[a-z]+:[a-z0-9-]+", controller.target)
    assert controller.title
    ids = controller.device_ids()
    assert len(ids) == len(set(ids))
    assert controller.main_id in ids
    for each in ids:
        assert re.fullmatch(r"PCI\\(VEN_[0-9A-F]{4}.*|CC_[0-9A-F]{4,6})|VMBUS\\\{[0-9a-f-]{36}\}", each), each


@ALL
def test_the_class_fits_the_attachment(controller: Controller) -> None:
    if controller.pci is None:
        assert controller.attachment is Attachment.VMBUS
        return
    base = controller.pci.class_code >> 8
    expected = {
        Attachment.IDE: {0x0101}, Attachment.AHCI: {0x0106}, Attachment.NVME: {0x0108},
        Attachment.PCI_MINIPORT: {0x0100, 0x0104, 0x0107}, Attachment.XEN: {0x0100, 0xFF80},
        Attachment.VPCI: {0x0108},
    }  # fmt: skip
    if controller.target == "google:virtio-scsi":  # "[1af4:1004] type 00 class 0x000000" in every log from there
        assert controller.pci.class_code == 0
    else:
        assert base in expected[controller.attachment]


@ALL
def test_no_windows_has_two_in_box_drivers_for_it(controller: Controller) -> None:
    for one in controller.inbox:
        assert one.first <= one.last
        for other in controller.inbox:
            assert one is other or one.last < other.first or other.last < one.first


def test_the_ids_come_best_match_first() -> None:
    # The order of pci.sys: Microsoft, "Identifiers for PCI Devices".
    ids = PciId(0x1000, 0x0030, 0x010000, 0x197615AD, 0x01).device_ids()
    head = "PCI\\VEN_1000&DEV_0030"
    assert ids[:3] == (f"{head}&SUBSYS_197615AD&REV_01", f"{head}&SUBSYS_197615AD", f"{head}&CC_010000")
    assert ids.index(head) > ids.index(f"{head}&REV_01")
    assert ids[-2:] == ("PCI\\CC_010000", "PCI\\CC_0100")


def test_without_subsystem_and_revision_fewer_ids() -> None:
    ids = PciId(0x80EE, 0x4E56, 0x010802).device_ids()
    assert ids[0] == "PCI\\VEN_80EE&DEV_4E56&CC_010802"
    assert not any("SUBSYS" in each or "REV_" in each for each in ids)


@pytest.mark.parametrize(
    ("version", "service"),
    [((4, 0), None), ((5, 0), None), ((5, 1), None), ((5, 2), "symmpi"), ((6, 0), "LSI_SCSI"), ((6, 2), None)],
)
def test_the_in_box_driver_of_each_windows(version: tuple[int, int], service: str | None) -> None:
    assert find_controller("vmware:lsilogic").inbox_service(version) == service


def test_azure_presents_what_hyperv_does() -> None:
    for name in ("gen1", "gen2"):
        azure, hyperv = find_controller(f"azure:{name}"), find_controller(f"hyperv:{name}")
        assert azure.is_hyperv
        assert hyperv.is_hyperv
        for version in ((4, 0), (5, 2), (6, 1), (10, 0)):
            assert driver_chain(azure, version) == driver_chain(hyperv, version)


def test_azures_nvme_hangs_at_the_virtual_pci_bus() -> None:
    chain = driver_chain(find_controller("azure:nvme"), (10, 0))
    assert [link.services for link in chain.links] == [("vmbus",), ("vpci",), ("stornvme",), ("disk",)]
    assert chain.links[1].main_id == r"VMBUS\{44C4F61D-4444-4400-9D52-802E27EDE19F}"
    assert (chain.links[1].enumerator, chain.links[1].device) == tuple(chain.links[1].main_id.split("\\"))


@pytest.mark.parametrize("target", ["aws:nvme", "google:nvme", "azure:nvme"])
def test_the_clouds_nvme_is_served_from_windows_8_1_on(target: str) -> None:
    controller = find_controller(target)
    found = [controller.inbox_service(version) for version in ((6, 1), (6, 2), (6, 3), (10, 0))]
    assert found == [None, None, "stornvme", "stornvme"]
    assert r"PCI\CC_010802" in controller.device_ids()  # what stornvme.inf binds


def test_qemus_pvscsi_has_the_ids_of_vmwares_but_its_class() -> None:
    # VMware's own calls itself SAS (lspci on ESXi), qemu's SCSI.
    vmware, qemu = find_controller("vmware:pvscsi").pci, find_controller("kvm:pvscsi").pci
    assert vmware is not None
    assert qemu == replace(vmware, class_code=0x010000)


def test_an_in_box_driver_serves_both_ends_of_its_span() -> None:
    made = Controller("x", "y", "z", Attachment.NVME, None, ("a",), (InboxDriver("s", (6, 1), (6, 3)),))
    assert [made.inbox_service(version) for version in ((6, 0), (6, 1), (6, 3), (10, 0))] == [None, "s", "s", None]


@pytest.mark.parametrize("name", ["vmware:lsilogic", "VMware:LSILogic", "VMWARE:LSILOGIC"])
def test_a_target_is_found_in_any_case(name: str) -> None:
    assert find_controller(name).target == "vmware:lsilogic"
