"""Which given volume an old name in MountedDevices means: only where that can be proven.

Two things prove it. The Windows on a volume called it by its own letter, so the signature in that name is the one that
this disk had. And the boot sector of a volume still says at which sector it began before it was moved.
"""

from msgspec import Struct

from bootgraft.changes import DeleteValue, RegistryChange, RegistryData, SetValue
from bootgraft.checks.identity.identity_facts import IdentityFacts, VolumeFacts, WindowsFacts
from bootgraft.machine import MbrPartition
from bootgraft.registry.values import ValueType
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.mounted_devices import KEY, MountedDevice


class Moved(Struct, frozen=True):
    """An old name, the volume that it means now, and what proves it."""

    entry: MountedDevice
    volume: VolumeFacts
    proof: str


def old_place(facts: IdentityFacts, windows: WindowsFacts) -> MbrPartition | None:
    """What the own letter of Windows names, where that is a place of an MBR disk that no given volume has."""
    known = windows.named(windows.letter or "")
    if known is None or any(volume.known_as == known.data for volume in facts.volumes):
        return None
    return known.place


def old_signature(facts: IdentityFacts, windows: WindowsFacts) -> int | None:
    """The signature that the disk of Windows had when Windows last ran, where it has another one now.

    Only where no given disk has the old one, and the volume began at that offset on the disk then: the disk was carried
    over as a whole.
    """
    place = old_place(facts, windows)
    disk = facts.disks[windows.volume.disk]
    if place is None or disk.kind is not TableKind.MBR or not place.signature:
        return None
    if place.signature == disk.signature or facts.with_signature(place.signature):
        return None
    return place.signature if place.offset in _starts(windows.volume) else None


def moved_letters(facts: IdentityFacts) -> tuple[Moved, ...]:
    """The letters of other volumes than Windows' own that name one which is proven to have another name now."""
    windows = facts.windows
    if windows is None:
        return ()
    found = []
    for entry in windows.mounted or ():
        if entry.letter is None or entry.letter == windows.letter:
            continue
        moved = _moved(facts, windows, entry)
        if moved is not None and not _has_letter(windows, moved.volume):
            found.append(moved)
    targets = [each.volume for each in found]
    return tuple(each for each in found if targets.count(each.volume) == 1)


def rename(windows: WindowsFacts, old: bytes, new: bytes) -> tuple[SetValue, ...]:
    r"""Give the ``\??\Volume{…}`` name of the old data to the new: mounted folders go by it.

    Nothing where Windows has already made a new one.
    """
    names = [each for each in windows.mounted or () if each.letter is None]
    if any(each.data == new for each in names):
        return ()
    return tuple(set_entry(windows, each.name, new) for each in names if each.data == old)


def set_entry(windows: WindowsFacts, name: str, data: bytes) -> SetValue:
    """The change that makes a value of MountedDevices name this volume."""
    present = next((each for each in windows.mounted or () if each.name.casefold() == name.casefold()), None)
    before = None if present is None else RegistryData(present.type, present.data)
    return SetValue(windows.hive, KEY, name, RegistryData(ValueType.REG_BINARY, data), before)


def delete_entry(windows: WindowsFacts, entry: MountedDevice) -> RegistryChange:
    """The change that takes a value out of MountedDevices."""
    return DeleteValue(windows.hive, KEY, entry.name, RegistryData(entry.type, entry.data))


def _moved(facts: IdentityFacts, windows: WindowsFacts, entry: MountedDevice) -> Moved | None:
    place = entry.place
    if place is None or any(volume.known_as == entry.data for volume in facts.volumes):
        return None
    old = old_signature(facts, windows)
    if old is not None and place.signature == old:
        disk = windows.volume.disk
        reason = f"the disk of Windows had the signature {old:08x}, by the letter of Windows itself"
    else:
        disks = facts.with_signature(place.signature)
        if len(disks) != 1:
            return None
        disk, reason = disks[0].index, f"{disks[0].name} has the signature {place.signature:08x}"
    volumes = [each for each in facts.volumes if each.disk == disk and each != windows.volume and each.known_as]
    came = [each for each in volumes if place.offset in _starts(each)]
    if len(came) != 1:
        return None
    (volume,) = came
    if volume.start == place.offset:
        return Moved(entry, volume, f"{reason}; {volume.name} begins at byte {place.offset}")
    proof = f"{reason}; the boot sector of {volume.name} says that it began at sector {volume.hidden}"
    return Moved(entry, volume, f"{proof} (byte {place.offset})")


def _starts(volume: VolumeFacts) -> set[int]:
    """Where a volume begins, and where its boot sector says that it began."""
    return {volume.start} if volume.hidden is None else {volume.start, volume.hidden * SECTOR}


def _has_letter(windows: WindowsFacts, volume: VolumeFacts) -> bool:
    return any(each.letter and each.data == volume.known_as for each in windows.mounted or ())
