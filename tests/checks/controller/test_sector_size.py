"""The sectors of a partition table against those that the new machine presents."""

import pytest
from msgspec.structs import replace
from tests.checks.subjects import chain, installation
from tests.fakes import FakePartition, machine_of

from bootgraft.checks.controller.sector_size import find
from bootgraft.checks.finding import FaultPlace, Finding, Severity
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.targets.controllers import find_controller

BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING


def found(
    table: int = 512,
    target: str | None = "kvm:virtio-blk",
    described: int | None = None,
    image: int | None = None,
    version: tuple[int, int] = (10, 0),
    *,
    kind: TableKind = TableKind.GPT,
) -> tuple[Finding, ...]:
    machine = machine_of([FakePartition()])
    (disk,) = machine.disks
    disk.table = replace(disk.table, kind=kind, sector_size=table)
    guest = Guest(
        machine,
        chain(),
        installation(version=version),
        controller=None if target is None else find_controller(target),
        described=None if described is None else DescribedVm("server1.xml", sector_sizes=(described,)),
        sector_sizes=(image,),
    )
    return find(guest)


@pytest.mark.parametrize(
    ("options", "severity"),
    [
        ({}, None),
        ({"described": 512}, None),
        ({"described": 4096}, BLOCKER),
        ({"table": 4096, "described": 4096}, None),
        ({"table": 4096, "described": 512}, BLOCKER),
        ({"table": 4096}, WARNING),
        ({"table": 4096, "target": None}, WARNING),
        ({"table": 4096, "target": "kvm:ahci"}, BLOCKER),
        ({"table": 4096, "target": "vmware:ide"}, BLOCKER),
        ({"table": 4096, "target": "virtualbox:nvme"}, BLOCKER),
        ({"table": 4096, "target": "hyperv:gen2", "image": 4096}, None),
        ({"table": 4096, "target": "hyperv:gen2", "image": 512}, BLOCKER),
        ({"target": "hyperv:gen2", "image": 4096}, BLOCKER),
        ({"target": "kvm:virtio-blk", "image": 4096}, None),  # qemu presents 512 whatever a VHDX says
        ({"table": 4096, "described": 4096, "version": (6, 1)}, BLOCKER),
        ({"table": 4096, "described": 4096, "version": (6, 2)}, None),
        ({"kind": TableKind.NONE, "described": 4096}, None),
    ],
)
def test_what_is_said(options: dict[str, int], severity: Severity | None) -> None:
    findings = found(**options)  # type: ignore[arg-type]
    assert [(each.severity, each.leaves_open) for each in findings] == (
        [] if severity is None else [(severity, severity is WARNING)]
    )
    assert all(each.fault_in is FaultPlace.OUTSIDE for each in findings)


def test_who_says_it() -> None:
    (by_the_machine,) = found(4096, described=512)
    assert by_the_machine.title == (
        "the partition table of disk 0 counts sectors of 4096 bytes, the machine presents 512"
    )
    assert by_the_machine.evidence == (
        "disk 0: its GPT counts sectors of 4096 bytes",
        "server1.xml: it presents sectors of 512 bytes",
    )
    (by_the_controller,) = found(4096, "kvm:ide")
    assert by_the_controller.evidence[1] == "kvm:ide presents sectors of 512 bytes only"
    (nobody,) = found(4096)
    assert len(nobody.evidence) == 1
