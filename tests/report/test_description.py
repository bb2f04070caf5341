"""What ``inspect --vm`` adds to its report."""

from pathlib import Path

from tests.plaintext import in_plain
from tests.report.contract import printed

from bootgraft.machine import Firmware
from bootgraft.report.description import vm_document
from bootgraft.report.description import vm_text as vm_text_of
from bootgraft.targets.descriptions import vmx
from bootgraft.targets.descriptions.vmdescription import NetworkCard, VmDescription, VmDisk

vm_text = in_plain(vm_text_of)


VM = VmDescription(
    Path("server1.vmx"),
    vmx.FORMAT,
    (VmDisk("a.vmdk", "scsi0:0", "vmware:lsilogic", 3), VmDisk("b\x1b[2J.vmdk", "scsi0:10", None, 5)),
    Firmware.BIOS,
    (NetworkCard("ethernet0", plugged=True, line=7), NetworkCard("ethernet1", plugged=False, line=8)),
    unattached=(VmDisk("c.vmdk", "scsi0:2", None, 9),),
)


def test_text_and_document() -> None:
    document = vm_document(VM)
    assert printed(document) == {
        "path": "server1.vmx", "format": "vmx", "firmware": "bios",
        "disks": [
            {"place": "scsi0:0", "name": "a.vmdk", "controller": "vmware:lsilogic"},
            {"place": "scsi0:10", "name": "b\x1b[2J.vmdk", "controller": None},
        ],
        "cards": [{"name": "ethernet0", "plugged": True}, {"name": "ethernet1", "plugged": False}],
        "unattached": [{"place": "scsi0:2", "name": "c.vmdk"}],
    }  # fmt: skip
    assert vm_text(document) == (
        "\n"
        "machine  server1.vmx  vmx, BIOS\n"
        "  scsi0:0   a.vmdk  vmware:lsilogic\n"
        "  scsi0:10  b?[2J.vmdk  controller not specified\n"
        "  scsi0:2   c.vmdk  not attached\n"
        "  ethernet0: connected\n"
        "  ethernet1: disconnected\n"
    )
