r"""Which volume is meant by a partition that no given disk has: said only where it is proven.

One single volume must have what the store says lies there, and it must be the same partition under another name:
its disk is the one that is named, or the Windows on it says itself that it was there (``SYSTEM\MountedDevices``, the
letter that it was installed under). A Windows that knows itself by the name that its partition has now did not move:
the store meant another one. What the boot manager's own object names is the partition that the store lies on.
A disk whose old name is proven so is known for every other partition that the store names on it. Where these are all
disks, by the user's word, one that none of them has exists no more: what the one volume has must be meant then.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bootmgr.bcd_references import Reference, Role
from bootgraft.errors import FileSystemError, HiveError, PartitionTableError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import IF_COMPLETE, GptPartition, Machine, MbrPartition, PartitionIdentity, Volume
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.hives import hive_path
from bootgraft.windows.mounted_devices import name_of, read_mounted_devices
from bootgraft.windows.system_root import agreed, own_letters

MAX_NAMED = 100
"""Partitions that are not there and are looked for; real stores name three or four, however many objects they have."""

_UNREADABLE = frozenset({FileSystemKind.BITLOCKER, FileSystemKind.REFS})
_ORDER = (Role.MANAGER, Role.DEFAULT, Role.RECOVERY, Role.RESUME, Role.OTHER)
"""In this order: what is proven for one is known for the next."""


class Meaning(Struct, frozen=True):
    """The volume that a partition's old name means, None where that is not proven, and the reason either way."""

    volume: Volume | None
    reason: str


def find_meanings(
    machine: Machine, system: Volume, found: Sequence[Reference]
) -> dict[PartitionIdentity, tuple[Meaning, tuple[Reference, ...]]]:
    """For each partition that no given disk has: what it means, and the elements that name it."""
    groups: dict[PartitionIdentity, list[Reference]] = {}
    for reference in sorted(found, key=lambda each: _ORDER.index(each.role)):
        if reference.identity in groups:
            groups[reference.identity].append(reference)
        elif len(groups) < MAX_NAMED and not machine.known_as(reference.identity):
            groups[reference.identity] = [reference]
    disks: dict[int | str, int] = {}
    meanings = {}
    for identity, group in groups.items():
        meaning = _meaning(machine, system, identity, group, disks)
        if meaning.volume is not None and _is_named_rightly(meaning.volume, group, found):
            reason = f"{meaning.volume.name} would fit, but another entry names that, so that this one meant another"
            meaning = Meaning(None, reason)
        if meaning.volume is not None:
            disks.setdefault(_disk_name(identity), meaning.volume.disk)
        meanings[identity] = (meaning, tuple(group))
    return meanings


def unreadable(machine: Machine) -> tuple[str, ...]:
    """The names of the volumes that nothing can be said about."""
    return tuple(volume.name for volume in machine.volumes() if volume.kind in _UNREADABLE)


def is_renamed_disk(machine: Machine, identity: PartitionIdentity) -> bool:
    """Whether a given volume has the GUID that is named, on a disk of another GUID: bootmgr may find it or not."""
    if not isinstance(identity, GptPartition):
        return False
    return any(volume.partition.guid == identity.partition_guid for volume in machine.volumes())


def fits(machine: Machine, paths: Sequence[str]) -> tuple[Volume, ...]:
    """The volumes that have all these files."""
    return tuple(volume for volume in machine.volumes() if all(search.has(volume, path) for path in paths))


def _meaning(
    machine: Machine,
    system: Volume,
    identity: PartitionIdentity,
    group: Sequence[Reference],
    disks: dict[int | str, int],
) -> Meaning:
    paths = tuple(dict.fromkeys(_paths(group)))
    if group[0].role is Role.MANAGER:
        return _system(machine, system, identity, paths)
    hidden = unreadable(machine)
    if hidden:
        return Meaning(None, f"{', '.join(hidden)} cannot be read, and may be what is meant")
    if not paths:
        return Meaning(None, "the store does not say what lies there")
    fitting = fits(machine, paths)
    listed = " and ".join(paths)
    if len(fitting) != 1:
        names = " and ".join(volume.name for volume in fitting) or "no volume"
        return Meaning(None, f"{listed}: {names} {'have' if len(fitting) > 1 else 'has'} it")
    (volume,) = fitting
    proof = _proof(machine, volume, identity, paths, disks)
    if proof is None and not _disks_named(machine, identity) and group[0].role is not Role.OTHER:
        if not machine.is_complete:
            reason = f"only {volume.name} has {listed}, but nothing proves that it is meant; {IF_COMPLETE}"
            return Meaning(None, reason)
        proof = "these are said to be all disks, so that no other can be meant"
    if proof is None:
        return Meaning(None, f"only {volume.name} has {listed}, but nothing proves that it is meant")
    return Meaning(volume, f"only {volume.name} has {listed}, and {proof}")


def _is_named_rightly(volume: Volume, group: Sequence[Reference], found: Sequence[Reference]) -> bool:
    """Whether a further entry that nothing needs is for another Windows: the one on the volume has its own entry.

    Left over from a Windows that was removed, it would start this one under the other's name.
    """
    paths = tuple(_paths(group))
    if any(each.role is not Role.OTHER for each in group) or _by_its_own_name(volume, group[0].identity, paths):
        return False
    own = volume.identity
    return any(each.identity == own and each.path in paths for each in found if each.path)


def _system(machine: Machine, system: Volume, identity: PartitionIdentity, paths: Sequence[str]) -> Meaning:
    lacking = [path for path in paths if not search.has(system, path)]
    if lacking:
        what = f"the boot manager's object names it, but {system.name}, on which the store lies, has no {lacking[0]}"
        return Meaning(None, what)
    if _disks_named(machine, identity) not in ([], [system.disk]):
        return Meaning(None, "the boot manager's object names it, but on a disk that the store does not lie on")
    return Meaning(system, f"{system.name} is the partition that this store and its boot manager lie on")


def _paths(group: Sequence[Reference]) -> Iterator[str]:
    """What must lie there: what the default entry needs, where it is among those that name the partition."""
    wanted = [each for each in group if each.role is Role.DEFAULT and each.path]
    used = [each for each in group if each.used and each.path]
    return (each.path for each in wanted or used)


def _proof(
    machine: Machine, volume: Volume, identity: PartitionIdentity, paths: Sequence[str], disks: dict[int | str, int]
) -> str | None:
    if _disks_named(machine, identity) == [volume.disk]:
        return None if _has_not_moved(volume, paths) else "its disk is the one that the element names"
    certain = _by_its_own_name(volume, identity, paths)
    if certain is None and disks.get(_disk_name(identity)) == volume.disk:
        return "another partition that the store names on that disk is proven to be on this one"
    return certain


def _by_its_own_name(volume: Volume, identity: PartitionIdentity, paths: Sequence[str]) -> str | None:
    """What proves that this very partition, and not only its disk, is what is named."""
    if isinstance(identity, GptPartition) and volume.partition.guid == identity.partition_guid:
        return "it has the very GUID that the element names, though its disk has not"
    letter = next(filter(None, (_own_letter(volume, path, identity) for path in paths)), None)
    if letter is not None:
        return f"the Windows on it knows itself as {letter} by that very name (SYSTEM\\MountedDevices)"
    return None


def _has_not_moved(volume: Volume, paths: Sequence[str]) -> bool:
    """Whether the Windows on a volume knows it by the name that it has now: another name meant another partition."""
    own = volume.identity
    return own is not None and any(_own_letter(volume, path, own) for path in paths)


def _disk_name(identity: PartitionIdentity) -> int | str:
    return identity.signature if isinstance(identity, MbrPartition) else identity.disk_guid


def _disks_named(machine: Machine, identity: PartitionIdentity) -> list[int]:
    """The given disks that have the signature or GUID which the identity names; signature 0 names none."""
    if isinstance(identity, MbrPartition):
        kind = TableKind.MBR
        return [
            disk.index
            for disk in machine.disks
            if disk.table.kind is kind and identity.signature and disk.table.signature == identity.signature
        ]
    return [disk.index for disk in machine.disks if disk.table.disk_guid == identity.disk_guid]


def _directory_of(path: str) -> str | None:
    """The directory of the Windows whose SYSTEM hive the path is; None for any other file."""
    hive = hive_path("", "SYSTEM")
    return path[: -len(hive)] if path.casefold().endswith(hive.casefold()) else None


def _own_letter(volume: Volume, path: str, identity: PartitionIdentity) -> str | None:
    """The letter that the Windows with this SYSTEM hive was installed under, where that was this partition's."""
    directory = _directory_of(path)
    if directory is None:
        return None
    try:
        letter = agreed(own_letters(volume.hive(hive_path(directory, "SOFTWARE"))))
        mounted = read_mounted_devices(volume.hive(path)) or ()
    except (FileSystemError, HiveError, PartitionTableError):
        return None
    name = name_of(identity)
    return letter if letter and any(each.letter == letter and each.data == name for each in mounted) else None
