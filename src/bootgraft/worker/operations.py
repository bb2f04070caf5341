"""One machine's work, start to end: a synchronous, re-entrant call on block devices.

All writing goes to the devices it is given, which are overlays; whether anything reaches an image is decided by
whoever called, and only when the outcome says that it is proven.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootgraft.boot.chain import follow
from bootgraft.changes import Plan
from bootgraft.checks.diagnosis import Diagnosis, Verdict
from bootgraft.checks.finding import Finding, Severity
from bootgraft.errors import (
    BootgraftError,
    DriverSourceError,
    FileSystemError,
    HiveError,
    PartitionTableError,
)
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.machine import Machine
from bootgraft.report.device import DeviceSpec
from bootgraft.report.document import RepairDocument, change_document, check_document, inspect_document
from bootgraft.report.text import (
    check_text,
    finding_lines,
    inspect_text,
    plan_text,
    summary_line,
    verdict_line,
)
from bootgraft.storage.blockdevice import BlockDevice
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.worker.job import Job, Operation, Outcome
from bootgraft.worker.survey import Survey, default_windows, read_target, refuse_unsafe, survey, windows_targets

if TYPE_CHECKING:  # only a repair that has something to do loads them
    from bootgraft.drivers.package import DriverPackage
    from bootgraft.repair.soundness import Defects

BOOTS, DOES_NOT_BOOT = 0, 1


def run_job(job: Job, disks: Sequence[BlockDevice], donors: Sequence[BlockDevice], *, monitor: Monitor) -> Outcome:
    """Do the job on the machine whose disks these are, in BIOS order.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    match job.operation:
        case Operation.INSPECT:
            return _inspect(job, disks)
        case Operation.CHECK:
            return _check(job, disks)
        case Operation.REPAIR:
            return _repair(job, disks, donors, monitor)


def _inspect(job: Job, disks: Sequence[BlockDevice]) -> Outcome:
    with Machine.read(disks, writable=False) as machine:
        chain = follow(machine)
        windows, unreadable = [], []
        for target in windows_targets(chain):
            try:
                windows.append(read_target(target, default_boot=target is chain.default))
            except BootgraftError as error:  # one damaged installation must not hide the others
                unreadable.append(str(error))
        unreadable += chain.notes
        document = inspect_document(machine, job.devices[: job.disks], windows, chain.steps, unreadable)
        return Outcome(BOOTS, json.dumps(document), inspect_text(document))


def _check(job: Job, disks: Sequence[BlockDevice]) -> Outcome:
    images = job.devices[: job.disks]
    with Machine.read(disks, writable=False) as machine:
        diagnosis = survey(machine, job.windows, images).diagnose(job.targets)[0]
        status = BOOTS if diagnosis.verdict is Verdict.BOOTS else DOES_NOT_BOOT
        return Outcome(status, json.dumps(check_document(diagnosis)), check_text(diagnosis, images))


def _repair(job: Job, disks: Sequence[BlockDevice], donors: Sequence[BlockDevice], monitor: Monitor) -> Outcome:
    images = job.devices[: job.disks]
    _step(monitor, "reading the machine")
    with Machine.read(disks, writable=True) as machine:
        found = survey(machine, job.windows, images)
        before = found.diagnose(job.targets)
        if found.installation is None or found.hive is None:
            return _unchanged(before, images)
        refuse_unsafe(found.installation.volume)
        if not any(finding.fixable for each in before for finding in each.findings):
            return _unchanged(before, images)
        _step(monitor, "reading the driver sources")
        packages = [_package(job, donors, each, found.installation) for each in before]
        if any(_lacks_driver(each, package) for each, package in zip(before, packages, strict=True)):
            return _unchanged(before, images)
        plan = _plan(found, before, packages)
        _step(monitor, "reading the hives that are to be edited from end to end")
        defects = _read_strictly(plan, machine)
        damage = _damage(plan, defects)
        before = tuple(each.with_findings(damage) for each in before)
        if any(finding.severity is Severity.BLOCKER for finding in damage):
            return _unchanged(before, images)
        _step(monitor, "applying the plan to the overlay")
        _apply(plan, machine)
    _step(monitor, "proving the result on the overlay, mounted afresh")
    return _prove(job, plan, before, defects, disks)


def _read_strictly(plan: Plan, machine: Machine) -> "Defects":
    from bootgraft.repair.soundness import read_strictly

    return read_strictly(plan, machine)


def _damage(plan: Plan, defects: "Defects") -> tuple[Finding, ...]:
    from bootgraft.repair.soundness import findings

    return findings(plan, defects)


def _lacks_driver(diagnosis: Diagnosis, package: "DriverPackage | None") -> bool:
    from bootgraft.repair.plan import needs_driver

    return package is None and needs_driver(diagnosis)


def _plan(found: Survey, before: Sequence[Diagnosis], packages: Sequence["DriverPackage | None"]) -> Plan:
    from bootgraft.repair.plan import plan_repair

    if found.installation is None or found.hive is None:
        return Plan(())
    return plan_repair(found.installation, found.hive, list(zip(before, packages, strict=True)))


def _apply(plan: Plan, machine: Machine) -> None:
    from datetime import UTC, datetime

    from bootgraft.repair.apply import apply

    apply(plan, machine, now=datetime.now(UTC))


def _package(
    job: Job, donors: Sequence[BlockDevice], diagnosis: Diagnosis, installation: Installation
) -> "DriverPackage | None":
    """The driver package for one diagnosis; None where none is needed or no source was given."""
    from bootgraft.repair.plan import needs_driver

    if not needs_driver(diagnosis) or diagnosis.controller is None:
        return None
    if job.reg_files or job.driver_files:
        from bootgraft.drivers.manual import read_manual

        return read_manual(job.reg_files, job.driver_files, installation.arch)
    failure: BootgraftError | None = None
    for device, image in zip(donors, job.devices[job.disks :], strict=True):
        try:
            return _donor_package(device, image.location, diagnosis, installation)
        except DriverSourceError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None


def _donor_package(
    device: BlockDevice, source: str, diagnosis: Diagnosis, installation: Installation
) -> "DriverPackage":
    from bootgraft.drivers.donor import read_donor

    if diagnosis.controller is None:
        raise ValueError(diagnosis)
    try:
        with Machine.read([device], writable=False) as machine:
            chain = follow(machine, search_others=False)
            donor = default_windows(chain)
            if donor is None:
                last = chain.steps[-1] if chain.steps else None
                raise DriverSourceError(
                    f"no Windows boots from this donor{'' if last is None else f' ({last.what}: {last.evidence})'}",
                    where=source,
                    advice="Give the system disk of a machine that runs on this controller",
                )
            hive = open_hive(donor, "SYSTEM")
            return read_donor(donor, hive, diagnosis.controller, installation, source=source)
    except DriverSourceError:
        raise
    except (PartitionTableError, FileSystemError, HiveError) as error:
        raise DriverSourceError(
            f"this donor cannot be read: {error.what}",
            where=f"{source}: {error.where}",
            advice="Give another donor, copied after a clean shutdown, or --reg and --file with an exported driver",
        ) from error
    except BootgraftError as error:  # its place alone would read as one on the machine to be repaired
        raise type(error)(error.what, where=f"donor {source}: {error.where}", advice=error.advice) from error


def _unchanged(diagnoses: Sequence[Diagnosis], images: Sequence[DeviceSpec]) -> Outcome:
    """Nothing is to be changed: because all boots already, or because nothing that can be done would help."""
    documents = [check_document(each) for each in diagnoses]
    document: RepairDocument = {
        "before": documents,
        "changes": [],
        "notes": [],
        "after": documents,
        "committed": False,
        "journal": None,
    }
    good = all(each.verdict is Verdict.BOOTS for each in diagnoses)
    head = "Nothing to do: nothing was changed." if good else "Nothing was written."
    text = "\n".join([head, "", *(check_text(each, images) for each in diagnoses)])
    return Outcome(BOOTS if good else DOES_NOT_BOOT, json.dumps(document), text)


def _prove(
    job: Job, plan: Plan, before: Sequence[Diagnosis], defects: "Defects", disks: Sequence[BlockDevice]
) -> Outcome:
    from bootgraft.repair.proof import read_back, witnesses
    from bootgraft.repair.soundness import require_no_worse

    with Machine.read(disks, writable=False) as machine:
        read_back(plan, machine)
        remaining = _read_strictly(plan, machine)
        require_no_worse(defects, remaining)
        damage = _damage(plan, remaining)
        diagnoses = survey(machine, job.windows, job.devices[: job.disks]).diagnose(job.targets)
        after = tuple(each.with_findings(damage) for each in diagnoses)
        proven = all(each.verdict is Verdict.BOOTS for each in after)
        document: RepairDocument = {
            "before": [check_document(each) for each in before],
            "changes": [change_document(change) for change in plan.changes],
            "notes": list(plan.notes),
            "after": [check_document(each) for each in after],
            "committed": False,
            "journal": None,
        }
        return Outcome(
            BOOTS if proven else DOES_NOT_BOOT,
            json.dumps(document),
            _unproven_head(plan, proven=proven) + _repair_text(plan, before, after, detailed=job.detailed),
            proven and bool(plan.changes),
            summary_line(plan),
            witnesses(plan, machine) if proven else (),
        )


def _unproven_head(plan: Plan, *, proven: bool) -> str:
    if not proven:
        return "Nothing was written: the machine would not boot with these changes either.\n\n"
    return "" if plan.changes else "Nothing to do: nothing was changed.\n\n"


def _repair_text(plan: Plan, before: Sequence[Diagnosis], after: Sequence[Diagnosis], *, detailed: bool) -> str:
    lines = [f"before: {verdict_line(each)}" for each in before]
    lines += [f"after:  {verdict_line(each)}" for each in after]
    lines += ["", plan_text(plan, detailed=detailed).rstrip()]
    remaining = [finding for each in after for finding in each.findings]
    lines += finding_lines(remaining)
    lines.append("")
    lines.append(
        "The same edits go to every control set: Last Known Good no longer holds the old state."
        if plan.registry()
        else ""
    )
    return "\n".join(lines).rstrip() + "\n"


def _step(monitor: Monitor, text: str) -> None:
    monitor(Event(EventKind.STEP, text))
