"""Which volume of the machine a BCD device element means, as bootmgr finds it.

A partition is found by the signature (or GUID) of its disk and its offset (or own GUID), all of which must agree; a
device to be located by looking for the file on every volume. Where that leaves a choice, nothing is chosen.
"""

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bootmgr.bcd_device import (
    BootDevice,
    DamagedDevice,
    Device,
    FileDevice,
    LocateDevice,
    PartitionDevice,
    on_partition,
)
from bootgraft.boot.steps import broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.machine import Disk, GptPartition, Machine, PartitionIdentity, Volume
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.text import printable

MAX_LISTED = 12
"""Partitions of one disk that evidence lists."""


class Question(Struct, frozen=True):
    r"""Which volume is meant: the device element, what is sought there, and how a message speaks of it.

    ``path`` is the loader (``\Windows\system32\winload.exe``) or the directory that lies on it; ``role`` is ``device``
    or ``osdevice``; ``where`` the store, object and element.
    """

    device: Device
    path: str
    role: str
    where: str


def having(machine: Machine, path: str) -> tuple[Volume, ...]:
    """The volumes that can be read and have a file or directory at ``path``."""
    return tuple(volume for volume in machine.volumes() if search.has(volume, path))


def resolve(walk: ChainWalk, question: Question, system: Volume) -> Volume:
    """Find the volume and record the link; ``system`` is the volume that bootmgr came from.

    Raises BrokenLinkError where no volume is meant, or more than one.
    """
    device = question.device
    if isinstance(device, BootDevice):
        return _found(walk, question, system, str(device))
    if isinstance(device, PartitionDevice):
        return _partition(walk, question, device.identity)
    if isinstance(device, LocateDevice) and device.parent is None:
        return _located(walk, question, device)
    if isinstance(device, DamagedDevice):
        what = f"the default entry's {question.role} is damaged"
        raise broken(what, question.where, "bootmgr cannot use it", fitting(walk.machine, question.path))
    what = f"the default entry's {question.role} is {_sort(device)}, from which bootgraft does not follow the start"
    raise unknown(what, question.where, printable(str(device)), *_image(walk.machine, device))


def _image(machine: Machine, device: Device) -> tuple[str, ...]:
    """Say of a file that serves as a disk whether it is there."""
    named = on_partition(device)
    if named is None or not named[1]:
        return ()
    identity, path = named
    volumes = machine.known_as(identity)
    if not volumes:
        return ("that partition is not on the given disks",)
    there = [volume.name for volume in volumes if search.has(volume, path)]
    shown = printable(path)
    return (f"{shown} is on {there[0]}",) if there else (f"{volumes[0].name} has no {shown}",)


def resolve_unique(machine: Machine, question: Question, system: Volume) -> Volume | None:
    """The volume that is meant, None where none is or more than one: for entries that are only listed."""
    device = question.device
    if isinstance(device, BootDevice):
        return system
    if isinstance(device, PartitionDevice):
        found = machine.known_as(device.identity)
    elif isinstance(device, LocateDevice) and device.parent is None:
        found = having(machine, _sought(device, question))
    else:
        return None
    return found[0] if len(found) == 1 else None


def _sort(device: Device) -> str:
    if isinstance(device, FileDevice):
        return f"a {device.what}"
    if isinstance(device, LocateDevice) and isinstance(device.parent, FileDevice):
        return f"on a {device.parent.what}"
    return "of a kind that no installed Windows starts from"


def _found(walk: ChainWalk, question: Question, volume: Volume, evidence: str) -> Volume:
    link = volume.name if question.role == "osdevice" else ""
    walk.record_step(f"the default entry's {question.role} is {volume.name}", question.where, evidence, link=link)
    return volume


def _partition(walk: ChainWalk, question: Question, identity: PartitionIdentity) -> Volume:
    found = walk.machine.known_as(identity)
    if len(found) == 1:
        return _found(walk, question, found[0], str(identity))
    if found:
        names = " and ".join(volume.name for volume in found)
        what = f"the default entry's {question.role} is {names} alike: two disks have the same identity"
        raise unknown(what, question.where, str(identity))
    evidence = (f"it names {identity}", *describe_disks(walk.machine), fitting(walk.machine, question.path))
    near = _same_partition_guid(walk.machine, identity)
    if near is not None:
        what = f"the default entry's {question.role} is {near.name}, but names another disk GUID than its disk has"
        raise unknown(what, question.where, *evidence)
    raise broken(f"the default entry's {question.role} is no partition of the given disks", question.where, *evidence)


def _same_partition_guid(machine: Machine, identity: PartitionIdentity) -> Volume | None:
    if not isinstance(identity, GptPartition):
        return None
    found = [volume for volume in machine.volumes() if volume.partition.guid == identity.partition_guid]
    return found[0] if len(found) == 1 else None


def _located(walk: ChainWalk, question: Question, device: LocateDevice) -> Volume:
    path = _sought(device, question)
    found = having(walk.machine, path)
    if len(found) == 1:
        return _found(walk, question, found[0], f"{device}; only this one has {printable(path)}")
    if not found:
        what = f"no volume has {printable(path)}, by which bootmgr locates the default entry's {question.role}"
        raise broken(what, question.where, str(device), *walk.fitting())
    names = ", ".join(volume.name for volume in found)
    what = f"more than one volume has {printable(path)}, by which bootmgr locates the default entry's {question.role}"
    raise unknown(what, question.where, f"{device}; {names} have it")


def _sought(device: LocateDevice, question: Question) -> str:
    return question.path if device.element is not None else device.path


def describe_disks(machine: Machine) -> tuple[str, ...]:
    """Say of each disk what a BCD store would call it and its partitions."""
    return tuple(_describe(disk) for disk in machine.disks)


def fitting(machine: Machine, path: str) -> str:
    """Say which volumes have what the element should lead to."""
    found = having(machine, path)
    shown = printable(path)
    if not found:
        return f"no volume has {shown}"
    names = " and ".join(volume.name for volume in found)
    return f"{shown} lies on {names}" if len(found) > 1 else f"{shown} lies on {names} only, which would fit"


def _describe(disk: Disk) -> str:
    volumes = [volume for volume in disk.volumes if not volume.partition.is_container]
    if disk.table.kind is TableKind.GPT:
        own = f"GUID {{{disk.table.disk_guid}}}"
        listed = [f"{volume.name} {{{volume.partition.guid}}}" for volume in volumes[:MAX_LISTED]]
    elif disk.table.kind is TableKind.MBR:
        own = f"signature {disk.table.signature or 0:08x}"
        listed = [f"{volume.name} at byte {volume.partition.start}" for volume in volumes[:MAX_LISTED]]
    else:
        return f"{disk.name} has no partition table"
    more = f" and {len(volumes) - MAX_LISTED} more" if len(volumes) > MAX_LISTED else ""
    return f"{disk.name} has {own} with {', '.join(listed) or 'no partition'}{more}"
