"""A repair from start to end, in rounds: what a broken boot chain leads to is only seen once the chain is repaired.

Identities of disks, volumes and drive letters is repaired in the same rounds: it may be what the chain breaks on.

Each round plans, applies its plan to the overlays and unmounts them; the next one reads the machine again. All rounds
are one plan, proven at the end as a whole on the overlays, mounted again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.boot.bios.bootcode import none_given
from bootgraft.changes import FileId, Plan, WitnessRange
from bootgraft.checks.diagnosis import Diagnosis, Verdict, findings_of, judge, within
from bootgraft.checks.finding import Finding, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.drivers.package import DriverPackage
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.machine import Machine
from bootgraft.repair.apply import apply
from bootgraft.repair.chainplan import join, plan_chain, volumes_written
from bootgraft.repair.plan import commit_notes, needs_driver, plan_repair
from bootgraft.repair.proof import read_back, witnesses_of
from bootgraft.repair.soundness import (
    Defects,
    SoundHives,
    findings,
    read_strictly,
    recall_sound,
    remember_sound,
    require_no_worse,
)
from bootgraft.repair.task import RepairTask
from bootgraft.repair.writable import open_for_writing, refuse_unsafe, refuse_unsupported_volume
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.windows.installation import Installation, hive_file

_OUT_OF_REACH = (Remedy.NONE, Remedy.BOOT_CODE, Remedy.ADD_PARTITION, Remedy.OFFERED, Remedy.SKIPPED)
"""What no plan for a Windows repairs: boot code is grafted with the chain, or there was none to graft."""
_MAX_CHAIN_ROUNDS = 8
"""Rounds that repair the chain: more than it has repairable links, so that this ends whatever a check says."""


class _Progress(Struct, frozen=True):
    """What the rounds so far planned and applied, what they found and repaired, and the hives before the first edit.

    ``repaired`` was found in the chain, ``renamed`` among the identities of disks and volumes.
    """

    plan: Plan
    repaired: tuple[Finding, ...] = ()
    renamed: tuple[Finding, ...] = ()
    was_followed: bool = True  # whether the chain, as it was before the first round, arrived at a Windows
    defects: Defects | None = None
    sound: SoundHives = {}  # as they were last
    rounds: int = 0

    def before(self, diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
        """The diagnoses of a machine whose chain was repaired, with what was wrong with that in front."""
        return tuple(self._with_chain(each) for each in diagnoses)

    def _with_chain(self, diagnosis: Diagnosis) -> Diagnosis:
        found = (*self.repaired, *diagnosis.findings, *self.renamed)
        known = self.was_followed and not any(finding.leaves_open for finding in (*self.repaired, *self.renamed))
        verdict, image_verdict = (
            each if known else Verdict.UNKNOWN for each in (diagnosis.verdict, diagnosis.image_verdict)
        )
        return replace(
            diagnosis,
            findings=found,
            verdict=judge(found, otherwise=verdict),
            image_verdict=judge(within(found), otherwise=image_verdict),
        )

    def with_plan(self, plan: Plan, defects: Defects, sound: SoundHives) -> "_Progress":
        """The same after one more plan was applied; ``defects`` are those of the hives that it edited, before that."""
        defects = {**defects, **(self.defects or {})}
        return replace(self, plan=join(self.plan, plan), defects=defects, sound={**self.sound, **sound})


class _Planned(Struct, frozen=True):
    """What came of one round: ``progress`` is None where nothing that can be done would help."""

    before: tuple[Diagnosis, ...]
    progress: _Progress | None


class Unchanged(Struct, frozen=True):
    """Nothing is to be changed: because all boots already, or because nothing that can be done would help."""

    diagnoses: tuple[Diagnosis, ...]


class Repaired(Struct, frozen=True):
    """What the overlays now hold, and what was wrong before and is after.

    ``witnesses`` are where it shows later whether Windows has run since.
    """

    plan: Plan
    before: tuple[Diagnosis, ...]
    after: tuple[Diagnosis, ...]
    witnesses: tuple[WitnessRange, ...]

    @property
    def proven(self) -> bool:
        """Whether the machine boots with the changes, as far as that depends on its image."""
        return all(each.image_verdict is Verdict.BOOTS for each in self.after)


def repair(task: RepairTask, disks: Sequence[BlockDevice], *, monitor: Monitor) -> Unchanged | Repaired:
    """Repair the machine whose disks these are (overlays), in BIOS order.

    Raises the BootgraftError family; nothing else leaves it but a bug.
    """
    _step(monitor, "reading the machine")
    progress = _Progress(task.edits)
    if task.consent.discard_hibernation:
        from bootgraft.repair.sessions import discard_sessions

        done = discard_sessions(task.look, task.consent, disks)
        progress = replace(progress, plan=join(task.edits, done.plan), repaired=done.findings, defects=done.defects)
    while True:
        with Machine.read(disks, writable=True) as machine:
            recall_sound(progress.sound, machine)
            found = task.look(machine, task.boot_code)
            refuse_unsupported_volume(found.unsupported_volume)
            faults = (*findings_of(found, Stage.CHAIN), *findings_of(found, Stage.IDENTITY))
            plan = _with_notes(plan_chain(faults), found)
            is_last = not plan.changes or progress.rounds == _MAX_CHAIN_ROUNDS
            planned = (
                _repair_windows(task, machine, found, progress, monitor)
                if is_last
                else _repair_chain(task, machine, found, plan, progress, monitor)
            )
        if planned.progress is None:
            return Unchanged(planned.before)
        progress = planned.progress
        if is_last:
            _step(monitor, "proving the result on the overlay, mounted again")
            return _prove(task, progress, planned.before, disks)


def _with_notes(plan: Plan, found: Guest) -> Plan:
    """The plan with what the commit of its edits of the SYSTEM hive writes besides them."""
    if found.installation is None or found.hive is None:
        return plan
    place = hive_file(found.installation)
    edited = any(change.hive == place for change in plan.registry())
    return replace(plan, notes=tuple(commit_notes(found.hive))) if edited else plan


def _repair_chain(
    task: RepairTask, machine: Machine, found: Guest, plan: Plan, progress: _Progress, monitor: Monitor
) -> _Planned:
    """Apply what the findings about chain and names carry; the Windows behind it is looked at in the next round."""
    _step(monitor, "repairing the boot chain and volume identities on the overlay")
    before = progress.before(task.diagnose(found))
    opened = open_for_writing(machine, volumes_written(plan, machine), found.sessions, task.consent)
    plan = replace(plan, notes=(*opened, *plan.notes))
    defects = read_strictly(plan, machine)
    damage = findings(plan, defects, system=_system_of(found))
    if any(finding.severity is Severity.BLOCKER for finding in damage):
        return _Planned(tuple(each.with_findings(damage) for each in before), None)
    sound = remember_sound(machine)
    apply(plan, machine, now=datetime.now(UTC))
    repaired = tuple(each for each in findings_of(found, Stage.CHAIN) if each.changes)
    renamed = tuple(each for each in findings_of(found, Stage.IDENTITY) if each.changes)
    was_followed = progress.was_followed and found.chain.default is not None
    done = replace(
        progress,
        repaired=(*progress.repaired, *repaired, *damage),
        renamed=(*progress.renamed, *renamed),
        was_followed=was_followed,
        rounds=progress.rounds + 1,
    )
    return _Planned(before, done.with_plan(plan, defects, sound))


def _repair_windows(
    task: RepairTask,
    machine: Machine,
    found: Guest,
    progress: _Progress,
    monitor: Monitor,
) -> _Planned:
    """Graft what the Windows lacks that the chain arrives at."""
    diagnoses = task.diagnose(found)
    before = progress.before(diagnoses)
    if found.installation is None or found.hive is None:
        return _Planned(before, None)
    refuse_unsafe(found.installation.volume, found.sessions, task.consent)
    if any(finding.remedy in _OUT_OF_REACH for each in diagnoses for finding in within(each.blockers)):
        return _Planned(before, None)  # no driver source would help
    if all(finding.remedy in _OUT_OF_REACH for each in diagnoses for finding in each.findings):
        return _Planned(before, progress if progress.plan.changes else None)
    _step(monitor, "reading the driver sources")
    work: list[tuple[Diagnosis, DriverPackage | None]] = []
    for each in diagnoses:
        packages = task.find_packages(each, found.installation)
        if needs_driver(each) and not packages:
            return _Planned(before, None)
        work += [(each, package) for package in packages or (None,)]
    plan = plan_repair(found.installation, found.hive, work)
    notes = open_for_writing(machine, volumes_written(plan, machine), found.sessions, task.consent)
    plan = replace(plan, notes=(*plan.notes, *notes))
    _step(monitor, "verifying the hives that are to be edited")
    given = [package for _, package in work if package is not None] if task.leaves_packages else []
    plan, defects = _with_packages(machine, found.installation, plan, given)
    damage = findings(plan, defects, system=_system_of(found))
    before = tuple(each.with_findings(damage) for each in before)
    if any(finding.severity is Severity.BLOCKER for finding in damage):
        return _Planned(before, None)
    _step(monitor, "applying the plan to the overlay")
    sound = remember_sound(machine)
    apply(plan, machine, now=datetime.now(UTC))
    return _Planned(before, progress.with_plan(plan, defects, sound))


def _with_packages(
    machine: Machine, installation: Installation, plan: Plan, given: Sequence[DriverPackage]
) -> tuple[Plan, Defects]:
    """The plan with the packages left for the second start, and what is wrong with the hives that it edits.

    Neither a damaged SOFTWARE hive, which is then left alone, nor a volume that is too full for the packages keeps the
    machine from its first start.
    """
    if not plan.changes or not any(package.inf is not None and package.inf.content for package in given):
        return plan, read_strictly(plan, machine)
    from bootgraft.repair.secondboot import leave_package, not_left, rehearse, without_registry

    left = Plan(())
    for package in given:
        left = join(left, leave_package(installation, package))
    defects = read_strictly(join(plan, left), machine)
    damage = findings(left, {change.hive: defects[change.hive] for change in left.registry()})
    blocker = next((each for each in damage if each.severity is Severity.BLOCKER), None)
    if blocker is not None:
        left = without_registry(left, blocker.title)
    fault = rehearse(join(plan, left), machine) if left.changes else None
    if fault is not None:
        left = not_left(fault)
    edited = {change.hive for change in join(plan, left).registry()}
    return join(plan, left), {place: found for place, found in defects.items() if place in edited}


def _prove(
    task: RepairTask, progress: _Progress, before: tuple[Diagnosis, ...], disks: Sequence[BlockDevice]
) -> Repaired:
    plan = progress.plan
    with Machine.read(disks, writable=False) as machine:
        recall_sound(progress.sound, machine)
        read_back(plan, machine)
        remaining = read_strictly(plan, machine)
        require_no_worse(progress.defects or {}, remaining)
        found = task.look(machine, none_given)
        damage = findings(plan, remaining, system=_system_of(found))
        after = tuple(each.with_findings(damage) for each in task.diagnose(found))
        done = Repaired(plan, before, after, ())
        return replace(done, witnesses=_witnesses(plan, found, machine)) if done.proven else done


def _witnesses(plan: Plan, found: Guest, machine: Machine) -> tuple[WitnessRange, ...]:
    """Where it shows that Windows ran since: its SYSTEM hive tells it even if the plan only writes, say, boot.ini."""
    system = _system_of(found)
    hives = (*(change.hive for change in plan.registry()), *((system,) if system else ()))
    files = (*(change.file for change in plan.directories()), *(change.file for change in plan.files()))
    return witnesses_of(hives, files, machine)


def _system_of(found: Guest) -> FileId | None:
    return None if found.installation is None else hive_file(found.installation)


def _step(monitor: Monitor, text: str) -> None:
    monitor(Event(EventKind.STEP, text))
