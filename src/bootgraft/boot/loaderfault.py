"""What a BCD store has wrong about partitions, and the changes that mend it: only where that can be proven.

An element that names no partition of the given disks is pointed at the one that it means (:mod:`.bcd_meaning`). An
element of the default entry that is damaged is made anew where the entry's other device is sound, and the one volume
has what both must lead to.
"""

from collections.abc import Iterator

from bootgraft.boot.bcd_meaning import Meaning, find_meanings, fits, is_renamed_disk
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, Element, ElementType
from bootgraft.boot.bootmgr.bcd_device import (
    DamagedDevice,
    GptPartition,
    PartitionIdentity,
    partition_element,
    retargeted,
)
from bootgraft.boot.bootmgr.bcd_references import Reference, Role, references, sought
from bootgraft.boot.bootmgr.chain import STORES, Menu, title
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.changes import FileId, RegistryData, SetValue
from bootgraft.machine import Machine, Volume

_MAX_LISTED = 8


_KINDS = {
    Role.DEFAULT: LoaderFaultKind.DEVICE,
    Role.MANAGER: LoaderFaultKind.MANAGER_DEVICE,
    Role.RESUME: LoaderFaultKind.RESUME_DEVICE,
    Role.RECOVERY: LoaderFaultKind.RECOVERY_DEVICE,
    Role.OTHER: LoaderFaultKind.OTHER_DEVICE,
}
_WHAT = {
    Role.DEFAULT: "the default entry of the BCD store names a partition that is not on the given disks",
    Role.MANAGER: "the boot manager's object in the BCD store names a partition that is not on the given disks",
    Role.RESUME: "the resume entry of the BCD store names a partition that is not on the given disks",
    Role.RECOVERY: "the recovery entry of the BCD store names a partition that is not on the given disks",
    Role.OTHER: "another entry of the BCD store names a partition that is not on the given disks",
}
_DAMAGED = "a device of the default entry of the BCD store is damaged"


def wrong_devices(machine: Machine, menu: Menu, default: BcdObject | None) -> tuple[LoaderFault, ...]:
    """The elements that name no partition of the given disks, those of the default entry first."""
    meanings = find_meanings(machine, menu.system, references(menu.store, default))
    found: list[LoaderFault] = []
    for role in Role:
        groups = [
            (meaning, tuple(each for each in group if each.role is role and _counts(each, meaning)))
            for meaning, group in meanings.values()
        ]
        faults = [_fault(machine, menu, role, meaning, group) for meaning, group in groups if group]
        found += [_joined(faults)] if role is Role.DEFAULT and faults else faults
    if not any(fault.stops for fault in found) and default is not None:
        found += _damaged(machine, menu, default)
    return tuple(found)


def element_place(menu: Menu, owner: BcdObject, kind: int) -> tuple[FileId, str]:
    """The hive of a store, and the key of an object's element in it."""
    volume = menu.system
    hive = FileId(volume.disk, volume.partition.start, volume.name, STORES[menu.firmware])
    return hive, f"Objects\\{{{owner.guid}}}\\Elements\\{kind:08x}"


def _counts(reference: Reference, meaning: Meaning) -> bool:
    """Whether it is worth a word: what is left over from an earlier Windows is mended along, never complained of."""
    return reference.used or meaning.volume is not None


def _fault(machine: Machine, menu: Menu, role: Role, meaning: Meaning, group: tuple[Reference, ...]) -> LoaderFault:
    target = None if meaning.volume is None else bcd_volumes.identity_of(machine, meaning.volume)
    changes = () if target is None else tuple(filter(None, (_retarget(menu, each, target) for each in group)))
    if len(changes) < len(group):
        changes = ()
    named = [f"{title(menu, each.owner)}, element {each.element.type:08x}, names {each.identity}" for each in group]
    more = [f"and {len(named) - _MAX_LISTED} more"] if len(named) > _MAX_LISTED else []
    evidence = (*named[:_MAX_LISTED], *more, meaning.reason)
    stops = role is Role.DEFAULT and not any(is_renamed_disk(machine, each.identity) for each in group)
    return LoaderFault(_KINDS[role], _WHAT[role], evidence, changes, stops)


def _joined(faults: list[LoaderFault]) -> LoaderFault:
    """The faults of the default entry as one: half mended it would start as little as before."""
    evidence = tuple(line for fault in faults for line in fault.evidence)
    changes = tuple(change for fault in faults for change in fault.changes)
    whole = all(fault.changes for fault in faults)
    stops = any(fault.stops for fault in faults)
    return LoaderFault(LoaderFaultKind.DEVICE, _WHAT[Role.DEFAULT], evidence, changes if whole else (), stops)


def _retarget(menu: Menu, reference: Reference, new: PartitionIdentity) -> SetValue | None:
    """Point an element at another partition, leaving all its other bytes."""
    old, element = reference.identity, reference.element
    if isinstance(old, GptPartition) != isinstance(new, GptPartition):
        return None  # another partition style is another kind of start, not the same partition
    return _set(menu, reference.owner, element, retargeted(element.data, old, new, name=menu.where))


def _set(menu: Menu, owner: BcdObject, element: Element, data: bytes) -> SetValue:
    hive, key = element_place(menu, owner, element.type)
    before = RegistryData(element.kind, element.data)
    return SetValue(hive, key, "Element", RegistryData(element.kind, data), before)


def _damaged(machine: Machine, menu: Menu, default: BcdObject) -> Iterator[LoaderFault]:
    """The default entry's device elements that cannot be read, each made anew from the other one."""
    kinds = (ElementType.DEVICE, ElementType.OS_DEVICE)
    broken = [kind for kind in kinds if isinstance(menu.store.device(default, kind), DamagedDevice)]
    if not broken:
        return
    paths = [sought(menu.store, default, kind) for kind in kinds]
    sound = {each.identity for each in references(menu.store, default) if each.owner is default}
    volume, reason = _same_volume(machine, sound, paths)
    target = None if volume is None else bcd_volumes.identity_of(machine, volume)
    elements = [element for kind in broken if (element := default.element(kind)) is not None]
    changes = [] if target is None else [_set(menu, default, each, partition_element(target)) for each in elements]
    named = tuple(f"{title(menu, default)}, element {kind:08x}, cannot be read as a device" for kind in broken)
    yield LoaderFault(LoaderFaultKind.DEVICE, _DAMAGED, (*named, reason), tuple(changes), stops=True)


def _same_volume(machine: Machine, sound: set[PartitionIdentity], paths: list[str]) -> tuple[Volume | None, str]:
    """The volume that the entry's sound device names, where it alone has what both must lead to."""
    named = [volume for identity in sound for volume in bcd_volumes.matching(machine, identity)]
    fitting = fits(machine, paths) if all(paths) else ()
    listed = " and ".join(paths)
    if len(named) == 1 and fitting == (named[0],):
        return named[0], f"the entry's other device is {named[0].name}, which alone has {listed}"
    names = " and ".join(volume.name for volume in fitting) or "no volume"
    return None, f"{listed}: {names} {'have' if len(fitting) > 1 else 'has'} it, and no sound device proves which"
