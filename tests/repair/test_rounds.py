"""The rounds by themselves: what they are given to look, judge and graft with decides what comes of them."""

from collections.abc import Callable
from functools import partial

import pytest
from tests.machines.build import BuiltMachine
from tests.machines.spec import VolumeState
from tests.storage.sample_disks import SparseDisk

from bootgraft.boot.bios.bootcode import none_given
from bootgraft.changes import Plan
from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import UnsafeVolumeError
from bootgraft.events import silent
from bootgraft.machine import Machine
from bootgraft.repair.consent import Consent
from bootgraft.repair.rounds import Repaired, Unchanged, repair
from bootgraft.repair.task import RepairTask
from bootgraft.report.device import DeviceSpec
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.windows.installation import Installation
from bootgraft.worker.drivers.packages import GivenTrees, find_packages
from bootgraft.worker.ipc.job import DriverSource, GivenSources, Job, Operation, Request
from bootgraft.worker.survey import diagnoses_of, survey

JOB = Job(
    request=Request(operation=Operation.REPAIR, targets=("vmware:lsilogic",)),
    devices=(DeviceSpec("server1.raw", "raw", 1), DeviceSpec("donor.raw", "raw", 1)),
    disks=1,
    sources=GivenSources(drivers=(DriverSource("donor.raw", 1),)),
)
Packages = Callable[[Diagnosis, Installation], tuple[DriverPackage, ...]]


def nothing(_diagnosis: Diagnosis, _installation: Installation) -> tuple[DriverPackage, ...]:
    return ()


def task(packages: Packages = nothing, consent: Consent = Consent()) -> RepairTask:  # noqa: B008 - it never changes
    return RepairTask(
        look=partial(survey, JOB),
        diagnose=partial(diagnoses_of, JOB),
        find_packages=packages,
        boot_code=none_given,
        leaves_packages=True,
        consent=consent,
        edits=Plan(()),
    )


def test_without_a_driver_nothing_is_changed(server1: BuiltMachine) -> None:
    overlay = Overlay(SparseDisk(server1.disk))
    done = repair(task(), [overlay], monitor=silent)
    assert isinstance(done, Unchanged)
    assert [each.verdict for each in done.diagnoses] == [Verdict.BLOCKED]
    assert not overlay.changed


def test_with_one_it_is_proven_and_a_second_repair_finds_nothing_to_do(
    server1: BuiltMachine, donor: BuiltMachine
) -> None:
    overlay = Overlay(SparseDisk(server1.disk))
    packages = partial(find_packages, JOB, [SparseDisk(donor.disk)], GivenTrees())
    done = repair(task(packages), [overlay], monitor=silent)
    assert isinstance(done, Repaired)
    assert done.proven
    assert [each.verdict for each in (*done.before, *done.after)] == [Verdict.BLOCKED, Verdict.BOOTS]
    assert done.plan.registry()
    assert done.witnesses
    again = repair(task(), [overlay], monitor=silent)
    assert isinstance(again, Unchanged)
    assert [each.verdict for each in again.diagnoses] == [Verdict.BOOTS]


def test_what_is_pending_is_lost_only_with_consent(
    build_server1: Callable[..., BuiltMachine], donor: BuiltMachine
) -> None:
    machine = build_server1(volume_state=VolumeState.UNCLEAN)
    packages = partial(find_packages, JOB, [SparseDisk(donor.disk)], GivenTrees())
    for consent in (Consent(), Consent(discard_hibernation=True)):
        with pytest.raises(UnsafeVolumeError, match="would destroy what is pending"):
            repair(task(packages, consent), [Overlay(SparseDisk(machine.disk))], monitor=silent)
    overlay = Overlay(SparseDisk(machine.disk))
    done = repair(task(packages, Consent(reset_journal=True)), [overlay], monitor=silent)
    assert isinstance(done, Repaired)
    assert done.proven
    with Machine.read([overlay], writable=False) as read:
        assert all(volume.filesystem().obstacles == () for volume in read.volumes() if volume.number)
