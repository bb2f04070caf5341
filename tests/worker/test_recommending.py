"""Which lines a job gets: for the firmware that the chain needs, and only where nothing stops the start."""

from msgspec import structs
from msgspec.structs import replace
from tests.checks.subjects import LSI_LOGIC, chain

from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.machine import Firmware
from bootgraft.report.device import DeviceSpec
from bootgraft.worker.ipc.job import Job, Operation, Request
from bootgraft.worker.recommending import recommend

DISK, DONOR = DeviceSpec("server1.vhd", "vhd dynamic", 1), DeviceSpec("donor", "raw", 1)
JOB = Job(request=Request(operation=Operation.CHECK, recommend=True), devices=(DISK, DONOR), disks=1)
SILENT = Job(request=Request(operation=Operation.CHECK), devices=(DISK, DONOR), disks=1)


def diagnosis(firmware: Firmware | None, verdict: Verdict) -> Diagnosis:
    return Diagnosis(replace(chain(), firmware=firmware), None, LSI_LOGIC, None, (), verdict, verdict)


def test_the_machines_own_disks_and_firmware() -> None:
    (made,) = recommend(JOB, diagnosis(Firmware.UEFI, Verdict.BOOTS))
    assert made.format == "vmx"
    assert 'firmware = "efi"' in made.text
    assert "qemu-img convert -O vmdk server1.vhd server1.vmdk" in made.text
    assert "donor" not in made.text


def test_ntldr_is_started_by_a_bios() -> None:
    (made,) = recommend(JOB, diagnosis(None, Verdict.UNKNOWN))
    assert 'firmware = "bios"' in made.text


def test_none_where_it_would_not_boot_or_nobody_asked() -> None:
    assert recommend(JOB, diagnosis(None, Verdict.BLOCKED)) == ()
    silent = Request(operation=Operation.CHECK)
    assert recommend(structs.replace(JOB, request=silent), diagnosis(None, Verdict.BOOTS)) == ()
    assert recommend(JOB, replace(diagnosis(None, Verdict.BOOTS), controller=None)) == ()
