"""The first rounds of work whose user consented to lose a saved session: afterwards no Windows on the machine is
hibernated.

The page that makes the session is cleared first, below the mounted file system; then the volumes are no longer
hibernated, and what would look for the session, or save the next one, is edited like anything else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from bootgraft.boot.bios.bootcode import none_given
from bootgraft.changes import Change, Plan, WriteSectors
from bootgraft.checks.finding import Finding
from bootgraft.checks.machine import hibernation
from bootgraft.machine import Machine
from bootgraft.repair.apply import apply, open_hive_at
from bootgraft.repair.chainplan import join, volumes_written
from bootgraft.repair.consent import Consent
from bootgraft.repair.plan import commit_notes
from bootgraft.repair.soundness import Defects, read_strictly
from bootgraft.repair.task import Look
from bootgraft.repair.writable import open_for_writing, refuse_unsafe, refuse_unsupported_volume
from bootgraft.storage.devices.blockdevice import BlockDevice

_NOTE = (
    "the saved session on {} is discarded ("
    + hibernation.OPTION
    + "): open documents and all that was not saved in it are lost; Windows starts as after a power failure."
)


class Discarded(Struct, frozen=True):
    """What was changed, what was found before that, and the defects of the edited hives before the edit."""

    plan: Plan = field(default_factory=lambda: Plan(()))
    findings: tuple[Finding, ...] = ()
    defects: Defects = field(default_factory=dict)


def discard_sessions(look: Look, consent: Consent, disks: Sequence[BlockDevice]) -> Discarded:
    """Drop every saved session of the machine whose disks these are (overlays); nothing where there is none.

    ``look`` reads the machine.

    Raises the BootgraftError family, UnsafeVolumeError where something else stands in the way of writing.
    """
    done = _clear(look, consent, disks)
    if not done.plan.changes:
        return done
    done = _edit(look, consent, disks, done, of_store=True)
    return _edit(look, consent, disks, done, of_store=False)


def _clear(look: Look, consent: Consent, disks: Sequence[BlockDevice]) -> Discarded:
    with Machine.read(disks, writable=True) as machine:
        found = look(machine, none_given)
        refuse_unsupported_volume(found.unsupported_volume)
        volumes = [session.volume for session in found.sessions]
        if found.installation is not None and volumes:
            volumes.append(found.installation.volume)
        for volume in volumes:
            refuse_unsafe(volume, found.sessions, consent)
        changes: list[WriteSectors] = [change for session in found.sessions for change in session.changes]
        findings = hibernation.check(found.sessions, found.installation, found.hive)
        plan = Plan(tuple(changes), tuple(_NOTE.format(session.volume.name) for session in found.sessions))
        apply(plan, machine, now=datetime.now(UTC))
    return Discarded(plan, findings)


def _edit(look: Look, consent: Consent, disks: Sequence[BlockDevice], done: Discarded, *, of_store: bool) -> Discarded:
    """Edit bootmgr's store, or the hive of the Windows that the chain, now that nothing is hibernated, arrives at."""
    with Machine.read(disks, writable=True) as machine:
        plan = Plan(_store_changes(machine) if of_store else _hive_changes(look, machine))
        if not plan.changes:
            return done
        notes = list(open_for_writing(machine, volumes_written(plan, machine), (), consent))
        for place in dict.fromkeys(change.hive for change in plan.registry()):
            notes += commit_notes(open_hive_at(machine, place))
        defects = read_strictly(plan, machine)
        apply(plan, machine, now=datetime.now(UTC))
    return Discarded(join(done.plan, Plan(plan.changes, tuple(notes))), done.findings, {**defects, **done.defects})


def _store_changes(machine: Machine) -> tuple[Change, ...]:
    from bootgraft.repair.resume import resume_changes

    return resume_changes(machine)


def _hive_changes(look: Look, machine: Machine) -> tuple[Change, ...]:
    found = look(machine, none_given)
    if found.installation is None or found.hive is None:
        return ()
    return hibernation.switched_off(found.installation, found.hive)
