"""Hives are read strictly before they are edited and again in the proof: an edit must not make one worse.

What an integrity check learnt of the hives that are sound is carried from one mounting of a machine to the next: there
only what differs is read again, and all of a hive only where that leaves a doubt (``registry.integrity.recheck``).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from bootgraft.changes import DeleteKey, FileId, Plan
from bootgraft.checks.finding import Finding
from bootgraft.checks.machine import hive_integrity
from bootgraft.errors import BootgraftError
from bootgraft.machine import Machine
from bootgraft.registry.integrity.defects import Defect, DefectSeverity
from bootgraft.registry.integrity.harm import harmful, recall, remember
from bootgraft.registry.integrity.pagehashes import SoundHive
from bootgraft.repair.apply import open_hive_at

Defects = Mapping[FileId, tuple[Defect, ...]]
"""What is harmful in each hive that a plan edits."""
SoundHives = Mapping[FileId, SoundHive]
"""What is known of hives that were found sound."""


def read_strictly(plan: Plan, machine: Machine) -> dict[FileId, tuple[Defect, ...]]:
    """Read every hive that the plan edits, as it now stands on the machine. Raises HiveError where one cannot be."""
    places = dict.fromkeys(change.hive for change in plan.registry())
    return {place: harmful(open_hive_at(machine, place)) for place in places}


def remember_sound(machine: Machine) -> dict[FileId, SoundHive]:
    """What is known of the machine's hives that were read strictly and found sound, and not edited since."""
    found = {}
    for volume in (volume for disk in machine.disks for volume in disk.volumes):
        for path, hive in volume.opened_hives.items():
            known = remember(hive)
            if known is not None:
                found[volume.file(path)] = known
    return found


def recall_sound(known: SoundHives, machine: Machine) -> None:
    """Read the hives of a machine that was mounted anew where they are not as they were."""
    for place, before in known.items():
        with suppress(BootgraftError):  # whoever needs it meets the same error
            recall(before, open_hive_at(machine, place))


def findings(plan: Plan, defects: Defects, *, system: FileId | None = None) -> tuple[Finding, ...]:
    """What the defects mean for a plan: blockers where it would edit, warnings elsewhere.

    Of the hive ``system`` only the former: a diagnosis tells of the rest.
    """
    found: list[Finding] = []
    for place, each in defects.items():
        changes = [change for change in plan.registry() if change.hive == place]
        walked = set(_with_parents(change.key for change in changes))
        deleted = {change.key for change in changes if isinstance(change, DeleteKey)}
        found += hive_integrity.check(str(place), each, walked, deleted, elsewhere=place != system)
    return tuple(found)


def require_no_worse(before: Defects, after: Defects) -> None:
    """Raise BootgraftError where a hive has a defect that it did not have before it was edited."""
    for place, defects in after.items():
        new = Counter(map(_identity, _harmful(defects))) - Counter(map(_identity, _harmful(before[place])))
        if new:
            shown = next(each for each in _harmful(defects) if _identity(each) in new)
            raise BootgraftError(
                f"the edited hive fails the integrity check: {shown}",
                where=str(place),
                advice="Nothing was written. This is a bug: please report it",
                id="proof-failed",
            )


def _harmful(defects: Iterable[Defect]) -> Iterator[Defect]:
    return (each for each in defects if each.severity is not DefectSeverity.HARMLESS)


def _identity(defect: Defect) -> tuple[str, str | None]:
    """What a defect is known by: cells move, and counts in its text may change with every edit."""
    return defect.kind.value, defect.key


def _with_parents(keys: Iterable[str]) -> Iterator[str]:
    for key in keys:
        names = key.split("\\")
        yield from ("\\".join(names[:count]) for count in range(len(names) + 1))
