r"""What bootmgr's store says about a session to be resumed, and the changes after which it attempts none.

``attemptresume`` (26000005) of {bootmgr} is true, and at times a ``bootsequence`` names the resume object for the next
start (Microsoft, "BCD Reference": BcdBootMgrBoolean_AttemptResume, BcdBootMgrObjectList_BootSequence). The session
itself is :mod:`bootgraft.checks.machine.saved_session`'s.
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bootmgr.bcd import BcdObject, BcdStore, Element, ElementType, ObjectType, read_store
from bootgraft.boot.bootmgr.bcd_menu import STORES
from bootgraft.changes import Change, DeleteKey, RegistryData, SetValue
from bootgraft.errors import BootConfigError, FileSystemError, HiveError, PartitionTableError
from bootgraft.machine import Machine, Volume


def resume_changes(machine: Machine) -> tuple[Change, ...]:
    """The changes to bootmgr's stores on the system partitions of disk 0, so that it does not look for a session."""
    changes: list[Change] = []
    for volume in machine.disks[0].volumes if machine.disks else ():
        for path in STORES.values():
            changes += _store_changes(volume, path)
    return tuple(changes)


def _store_changes(volume: Volume, path: str) -> Iterator[Change]:
    try:
        if volume.kind not in search.OPENABLE or search.find_entry(volume.filesystem(), path) is None:
            return
        store = read_store(volume.hive(path))
    except (BootConfigError, FileSystemError, HiveError, PartitionTableError):  # the chain says so where it matters
        return
    manager = store.bootmgr
    if manager is None:
        return
    place = volume.file(path)
    attempt = manager.element(ElementType.ATTEMPT_RESUME)
    if attempt is not None and attempt.value is True:
        zero, old = (RegistryData(attempt.kind, data) for data in (bytes(len(attempt.data)), attempt.data))
        yield SetValue(place, _key(manager, attempt), "Element", zero, old)
    once = manager.element(ElementType.BOOT_SEQUENCE)
    if once is not None and _only_resumes(store, manager):
        yield DeleteKey(place, _key(manager, once))


def _only_resumes(store: BcdStore, manager: BcdObject) -> bool:
    objects = [store.object(guid) for guid in store.guids(manager, ElementType.BOOT_SEQUENCE)]
    return bool(objects) and all(each is not None and each.type == ObjectType.RESUME for each in objects)


def _key(owner: BcdObject, element: Element) -> str:
    return f"Objects\\{{{owner.guid}}}\\Elements\\{element.type:08x}"
