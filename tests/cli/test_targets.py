"""The table of targets, for people and for programs."""

import json

import pytest
from tests.report.contract import faults

from bootgraft.cli.main import main
from bootgraft.targets.controllers import CONTROLLERS


def test_every_target_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(CONTROLLERS)]] == [each.target for each in CONTROLLERS]
    assert "kvm:…                   proxmox:…, pve:…, qemu:…, libvirt:…, ovirt:…, openstack:…" in lines
    assert lines[0].split() == [
        "vmware:lsilogic",
        "PCI\\VEN_1000&DEV_0030",
        "LSI",
        "Logic",
        "Parallel",
        "(53C1030);",
        "symmpi",
        "in",
        "NT",
        "5.2,",
        "LSI_SCSI",
        "in",
        "NT",
        "6.0",
        "to",
        "6.1",
    ]
    assert any(line.endswith("; no driver in any Windows") for line in lines)


def test_the_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "targets") == []
    documents = document["targets"]
    aliases = {each["target"]: each["aliases"] for each in documents}
    assert aliases["kvm:virtio-scsi"][0] == "proxmox:virtio-scsi"
    assert "kvm:virtio-scsi-single" in aliases["kvm:virtio-scsi"]
    assert aliases["vmware:buslogic"] == [f"{each}:buslogic" for each in ("esxi", "esx", "vsphere", "workstation")]
    assert documents[0]["inbox"][0] == {"service": "symmpi", "first": "5.2", "last": "5.2"}
    assert documents[0]["device_ids"][0] == "PCI\\VEN_1000&DEV_0030&SUBSYS_197615AD&REV_01"
