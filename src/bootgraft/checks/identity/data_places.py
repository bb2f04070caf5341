"""Which given volume each path means that Windows has its data at: by the letter, as Windows itself would find it."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from bootgraft.checks.identity.identity_facts import IdentityFacts, VolumeFacts, WindowsFacts
from bootgraft.checks.identity.moved_volumes import moved_letters
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.registry.hive import Hive
from bootgraft.windows.data.data_paths import DataPath, software_paths, system_paths
from bootgraft.windows.installation import Installation, open_hive
from bootgraft.windows.mounted_devices import DeviceKind, MountedDevice


class Ground(StrEnum):
    """What a letter leads to."""

    OWN = "the volume of Windows"
    GIVEN = "another given volume"
    NOT_GIVEN = "a volume that no given disk has"
    REMOVABLE = "a drive for discs, diskettes or sticks"
    UNKNOWN = "nothing that can be determined"


class DataPlace(Struct, frozen=True):
    """One path and what its letter leads to; ``volume`` is None where that is no given volume."""

    path: DataPath
    ground: Ground
    volume: VolumeFacts | None = None
    entry: MountedDevice | None = None


def gather(installation: Installation, hive: Hive, facts: IdentityFacts) -> tuple[DataPlace, ...]:
    """Every path with a letter that the default control set and SOFTWARE name, each text once for a use.

    Raises HiveError where the SYSTEM hive is damaged there.
    """
    windows = facts.windows
    if windows is None or windows.mounted is None:
        return ()
    moved = {each.entry.letter: each.volume for each in moved_letters(facts)}
    found = (*system_paths(hive, installation.select.default), *_of_software(installation))
    paths = {(each.use, str(each).casefold()): each for each in reversed(found)}
    return tuple(_place(facts, windows, path, moved) for path in reversed(paths.values()))


def _of_software(installation: Installation) -> Iterator[DataPath]:
    try:
        yield from software_paths(open_hive(installation, "SOFTWARE"))
    except (FileSystemError, HiveError):  # told elsewhere; the letters of programs are unknown then
        return


def _place(
    facts: IdentityFacts, windows: WindowsFacts, path: DataPath, moved: dict[str | None, VolumeFacts]
) -> DataPlace:
    entry = windows.named(path.letter)
    if path.letter == windows.letter:
        return DataPlace(path, Ground.OWN, windows.volume, entry)
    if entry is None:
        return DataPlace(path, Ground.UNKNOWN)
    volume = moved.get(path.letter) or facts.volume_known_as(entry.data)
    if volume is not None:
        ground = Ground.OWN if volume == windows.volume else Ground.GIVEN
        return DataPlace(path, ground, volume, entry)
    if entry.kind is DeviceKind.INTERFACE:
        return DataPlace(path, Ground.REMOVABLE, None, entry)
    return DataPlace(path, Ground.NOT_GIVEN if _is_elsewhere(facts, windows, entry) else Ground.UNKNOWN, None, entry)


def _is_elsewhere(facts: IdentityFacts, windows: WindowsFacts, entry: MountedDevice) -> bool:
    """Whether no given volume can be meant: Windows knows every given disk by its name, and none has this one.

    A disk that it knows nothing of may be the one that is meant, under a new signature or GUID.
    """
    names = {each.data for each in windows.mounted or ()}
    known = {each.disk for each in facts.volumes if each.known_as in names}
    if any(each.disk not in known or each.known_as == entry.data for each in facts.volumes):
        return False
    if entry.kind is DeviceKind.MBR:
        return entry.place is not None and not facts.with_signature(entry.place.signature)
    return entry.kind is DeviceKind.GPT and all(each.known_as is not None for each in facts.volumes)
