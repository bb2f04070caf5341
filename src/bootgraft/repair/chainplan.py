"""The first rounds of a repair: the boot chain is repaired before the Windows that it leads to can be looked at."""

from msgspec.structs import replace

from bootgraft.changes import Change, DeleteValue, Place, Plan, SetValue, WriteFile, WriteSectors, place_of
from bootgraft.checks.finding import Finding
from bootgraft.machine import Machine, Volume
from bootgraft.repair.apply import find_volume


def plan_chain(findings: tuple[Finding, ...]) -> Plan:
    """The changes that the findings about a boot chain carry.

    Of two findings that want different content in one place (checksums of a partition table) the first is repaired: the
    other is found again in the next round, which reads the disk as it is then.
    """
    taken: dict[Place, Change] = {}
    for finding in findings:
        if all(taken.get(place_of(change), change) == change for change in finding.changes):
            taken |= {place_of(change): change for change in finding.changes}
    return Plan(tuple(taken.values()))


def join(first: Plan, second: Plan) -> Plan:
    """One plan of two, the second made for a machine on which the first was carried out.

    What both write is written once: with the second's content, for what was there before the first.
    """
    earlier = {place_of(change): change for change in first.changes}
    later = {place_of(change): change for change in second.changes}
    kept = [change for place, change in earlier.items() if place not in later]
    joined = (_made_earlier(change, earlier.get(place)) for place, change in later.items())
    return Plan((*kept, *joined), tuple(dict.fromkeys((*first.notes, *second.notes))))


def volumes_written(plan: Plan, machine: Machine) -> tuple[Volume, ...]:
    """The volumes that the plan writes to, each once."""
    files = (*(each.file for each in plan.directories()), *(each.file for each in plan.files()))
    places = dict.fromkeys((*files, *(each.hive for each in plan.registry())))
    return tuple(dict.fromkeys(find_volume(machine, place) for place in places))


def _made_earlier(change: Change, earlier: Change | None) -> Change:
    """The change as it is for a machine on which ``earlier``, about the same place, was not carried out."""
    if isinstance(change, WriteFile) and isinstance(earlier, WriteFile):
        return replace(change, before=earlier.before, old=earlier.old)
    if isinstance(change, WriteSectors) and isinstance(earlier, WriteSectors):
        return replace(change, before=earlier.before)
    if isinstance(change, SetValue | DeleteValue) and isinstance(earlier, SetValue | DeleteValue):
        if earlier.before is not None:
            return replace(change, before=earlier.before)
        return replace(change, before=None) if isinstance(change, SetValue) else change
    return change
