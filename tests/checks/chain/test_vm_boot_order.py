"""The boot order of a description against the disk that has the loader."""

import pytest
from msgspec.structs import replace
from tests.checks.subjects import chain
from tests.fakes import FakePartition, machine_of

from bootgraft.boot.bootmgr.uefi import SYSTEM_PARTITION
from bootgraft.checks.chain.vm_boot_order import check
from bootgraft.checks.finding import FaultPlace, Finding, Severity
from bootgraft.checks.guest import DescribedVm
from bootgraft.machine import Firmware, Machine
from bootgraft.targets.descriptions.hardware import BootOrder

BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING
PLACES = ("scsi0", "scsi1")


def machine(*, starts: bool) -> Machine:
    """Two disks; ``starts``: there is something on the second that either firmware would start."""
    found = machine_of([FakePartition(active=True)], [FakePartition()])
    second = found.disks[1]
    if starts:
        second.device.write(510, b"\x55\xaa")
        (partition,) = second.table.partitions
        second.table = replace(second.table, partitions=(replace(partition, type=SYSTEM_PARTITION),))
    return found


def found(
    *,
    tried: tuple[str, ...],
    exclusive: bool = True,
    first_only: bool = True,
    firmware: Firmware | None = Firmware.BIOS,
    starts: bool = True,
    described: bool = True,
) -> tuple[Finding, ...]:
    order = BootOrder(tried, exclusive, first_only, "boot: order=…", 3, "boot: order={place};net0")
    vm = DescribedVm("100.conf", firmware, PLACES, order if described else None)
    return check(machine(starts=starts), chain(), vm)


@pytest.mark.parametrize(
    ("tried", "options", "severity"),
    [
        ((), {}, BLOCKER),
        (("scsi1",), {}, BLOCKER),
        (("scsi1", "scsi0"), {}, BLOCKER),  # SeaBIOS tries one disk
        (("scsi0", "scsi1"), {}, None),
        ((), {"firmware": None}, BLOCKER),  # the chain is ntldr's
        ((), {"firmware": Firmware.UEFI}, WARNING),
        (("scsi1", "scsi0"), {"firmware": Firmware.UEFI}, WARNING),
        (("scsi1", "scsi0"), {"firmware": Firmware.UEFI, "starts": False}, None),
        (("scsi1",), {"exclusive": False, "first_only": False}, WARNING),
        (("scsi1",), {"exclusive": False, "first_only": False, "starts": False}, None),
        (("scsi1", "scsi0"), {"first_only": False}, WARNING),
        ((), {"exclusive": False}, None),
    ],
)
def test_what_is_reached(tried: tuple[str, ...], options: dict[str, bool], severity: Severity | None) -> None:
    findings = found(tried=tried, **options)  # type: ignore[arg-type]
    assert [(each.severity, each.leaves_open) for each in findings] == (
        [] if severity is None else [(severity, severity is WARNING)]
    )
    assert all(each.fault_in is FaultPlace.OUTSIDE for each in findings)


def test_what_is_said() -> None:
    (finding,) = found(tried=("scsi1",))
    assert finding.title == "the machine's boot order does not reach disk 0 (scsi0); it starts from scsi1"
    assert finding.explanation.endswith("Change the description: boot: order=scsi0;net0.")
    assert finding.evidence == ("100.conf, line 3: boot: order=…", "disk 0 is scsi0")
    (later,) = found(tried=("scsi1", "scsi0"), firmware=Firmware.UEFI)
    assert later.title == "the machine's boot order has scsi1 before disk 0 (scsi0)"


def test_without_a_description_or_its_places_nothing_is_said() -> None:
    order = BootOrder((), True, True, "", 1, "")
    assert check(machine(starts=True), chain(), None) == ()
    assert check(machine(starts=True), chain(), DescribedVm("a", Firmware.BIOS, (), order)) == ()
