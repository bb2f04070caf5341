"""What ``inspect --vm`` adds to its report."""

import json
from pathlib import Path

from bootgraft.machine import Firmware
from bootgraft.report.description import vm_document, with_description
from bootgraft.targets import vmx
from bootgraft.targets.vmdescription import NetworkCard, VmDescription, VmDisk

VM = VmDescription(
    Path("server1.vmx"),
    vmx.FORMAT,
    (VmDisk("a.vmdk", "scsi0:0", "vmware:lsilogic", 3), VmDisk("b\x1b[2J.vmdk", "scsi0:10", None, 5)),
    Firmware.BIOS,
    (NetworkCard("ethernet0", plugged=True, line=7), NetworkCard("ethernet1", plugged=False, line=8)),
)


def test_text_and_document() -> None:
    document, text = with_description('{"vm": null, "disks": []}', "disk 0\n", VM)
    assert json.loads(document) == {"vm": vm_document(VM), "disks": []}
    assert text == (
        "disk 0\n\n"
        "machine  server1.vmx  vmx, BIOS\n"
        "  scsi0:0   a.vmdk  vmware:lsilogic\n"
        "  scsi0:10  b?[2J.vmdk  controller not told\n"
        "  ethernet0: plugged in\n"
        "  ethernet1: unplugged\n"
    )
