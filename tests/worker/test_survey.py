"""What a job's targets are where the machine's description says on which controller each disk hangs."""

from tests.checks.guests import guest_of
from tests.checks.subjects import chain, installation

from bootgraft.checks.diagnosis import Verdict
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.machine import Firmware
from bootgraft.report.device import DeviceSpec
from bootgraft.worker.ipc.job import DescribedMachine, Job, Operation, Request
from bootgraft.worker.survey import diagnoses_of

DISKS = (DeviceSpec("a", "raw", 1), DeviceSpec("b", "raw", 1))


def job(*controllers: str | None, targets: tuple[str, ...] = ()) -> Job:
    """A check of two disks, on the controllers that the machine's description names."""
    request = Request(operation=Operation.CHECK, targets=targets)
    return Job(request=request, devices=DISKS, disks=2, described=DescribedMachine(path="x", controllers=controllers))


JOB = job("vmware:ide", "vmware:lsilogic")


def found_on(disk: int | None, described: DescribedVm | None = None) -> Guest:
    """A machine whose Windows lies on this disk. Its SYSTEM hive is not looked at here."""
    windows = None if disk is None else installation()
    if windows is not None and disk is not None:
        windows.volume.disk = disk
    return guest_of(chain(), windows, described=described)


def targets(asked: Job, found: Guest) -> list[str]:
    return [each.controller.target if each.controller else "none" for each in diagnoses_of(asked, found)]


def test_the_controller_of_the_disk_with_windows_counts() -> None:
    assert targets(JOB, found_on(1)) == ["vmware:lsilogic"]
    assert targets(JOB, found_on(0)) == ["vmware:ide"]
    assert targets(JOB, found_on(None)) == ["vmware:ide"]


def test_a_target_that_is_given_comes_before_the_description() -> None:
    assert targets(job("vmware:ide", "vmware:lsilogic", targets=("kvm:lsi", "kvm:ide")), found_on(1)) == [
        "kvm:lsi",
        "kvm:ide",
    ]
    assert targets(job(), found_on(1)) == ["none"]
    assert targets(job("vmware:ide", None), found_on(1)) == ["none"]


def test_the_wrong_firmware_comes_first() -> None:
    (found,) = diagnoses_of(JOB, found_on(0, DescribedVm("a.vmx", Firmware.UEFI)))
    assert (found.findings[0].id, found.verdict) == ("vm-firmware", Verdict.BLOCKED)
    (right,) = diagnoses_of(JOB, found_on(0, DescribedVm("a.vmx", Firmware.BIOS)))
    assert "vm-firmware" not in [each.id for each in right.findings]
