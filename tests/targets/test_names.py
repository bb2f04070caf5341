"""The names that people type for targets, and what is said of those that nobody knows."""

import pytest

from bootgraft.errors import UsageError
from bootgraft.targets.controllers import CONTROLLERS, find_controller
from bootgraft.targets.names import CONTROLLERS as NAMES
from bootgraft.targets.names import HYPERVISORS, other_names

TARGETS = tuple(each.target for each in CONTROLLERS)
PRODUCTS = tuple(dict.fromkeys(each.hypervisor for each in CONTROLLERS))


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("proxmox:virtio-scsi", "kvm:virtio-scsi"),
        ("Proxmox:VirtIO-SCSI-single", "kvm:virtio-scsi"),
        ("proxmox:sata", "kvm:ahci"),
        ("proxmox:virtio", "kvm:virtio-blk"),
        ("proxmox:pvscsi", "kvm:pvscsi"),
        ("esxi:pvscsi", "vmware:pvscsi"),
        ("ESXi:LSI Logic SAS", "vmware:lsisas1068"),
        ("vsphere:paravirtual", "vmware:pvscsi"),
        ("vmware:sata", "vmware:ahci"),
        ("hyper-v:gen2", "hyperv:gen2"),
        ("Hyper-V:Generation 1", "hyperv:gen1"),
        ("hyperv:scsi", "hyperv:gen2"),
        ("vbox:ahci", "virtualbox:ahci"),
        ("virtio-scsi-single", "kvm:virtio-scsi"),
        ("virtio-blk", "kvm:virtio-blk"),
        ("viostor", "kvm:virtio-blk"),
        ("megasas", "kvm:megasas"),
        ("piix4", "virtualbox:piix4"),
    ],
)
def test_a_name_that_means_one_target(said: str, target: str) -> None:
    assert find_controller(said).target == target


@pytest.mark.parametrize(
    ("said", "presented", "target"),
    [
        ("sata", "vmware:lsilogic", "vmware:ahci"),
        ("scsi", "vmware:pvscsi", "vmware:pvscsi"),  # the one that the machine has
        ("virtio", "kvm:ide", "kvm:virtio-blk"),
        ("nvme", "azure:gen2", "azure:nvme"),
        ("pvscsi", "kvm:ahci", "kvm:pvscsi"),
    ],
)
def test_the_description_tells_the_hypervisor(said: str, presented: str, target: str) -> None:
    assert find_controller(said, [presented]).target == target


@pytest.mark.parametrize(
    ("said", "choices"),
    [
        ("sata", ("kvm:ahci", "vmware:ahci", "virtualbox:ahci")),
        ("pvscsi", ("vmware:pvscsi", "kvm:pvscsi")),
        ("virtualbox:ide", ("virtualbox:piix4", "virtualbox:piix3")),
        ("proxmox:scsi", ("kvm:virtio-scsi", "kvm:lsi", "kvm:megasas", "kvm:pvscsi")),
        ("hyperv", ("hyperv:gen1", "hyperv:gen2")),
        ("kvm:virtio-sci", ("kvm:virtio-scsi",)),
        ("vmware:lsilogik", ("vmware:lsilogic",)),
        ("wmware:pvscsi", ("vmware:pvscsi",)),
        ("virtio-blck", ("kvm:virtio-blk",)),
    ],
)
def test_a_name_that_may_mean_several_or_is_mistyped(said: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        find_controller(said)
    assert caught.value.said == said
    assert choices[0] in [each for (each,) in caught.value.choices]
    if len(choices) > 1:
        assert tuple(each for (each,) in caught.value.choices) == choices


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("vmware:floppy", "vmware:lsilogic, vmware:lsisas1068"),
        ("", "aws:…, azure:…, google:…, hyperv:…, kvm:…, virtualbox:…, vmware:…, xen:…"),
        (":", "hyperv:…"),
        ("\x1b[31m", "hyperv:…"),
    ],
)
def test_an_unknown_target_lists_what_there_is(name: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_controller(name)
    assert caught.value.exit_status == 2
    assert advice in caught.value.advice
    assert caught.value.advice.endswith("\n    bootgraft targets")


def test_no_alias_hides_a_name_of_ours() -> None:
    assert not set(PRODUCTS) & set(HYPERVISORS)
    assert set(HYPERVISORS.values()) <= set(PRODUCTS)
    assert {each for meant in NAMES.values() for each in meant} <= set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_other_name_of_a_target_is_taken_for_it(target: str) -> None:
    assert find_controller(target.upper()).target == target
    for name in other_names(target):
        assert find_controller(name).target == target
