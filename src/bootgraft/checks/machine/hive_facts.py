"""The facts about the hives that Windows loads before anybody logs on: what an integrity check of them finds.

SYSTEM is read whole. Of the others, whose loading the kernel waits for too (STOP 0xC0000218), a Windows that refuses a
hive for any defect has all read whole; XP SP1 and later refuse only one that has no root key, so no more is looked at.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.errors import DirtyHiveError, FileSystemError, HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.defects import Defect, Generation
from bootgraft.windows.hives import hive_generation, hive_path
from bootgraft.windows.installation import Installation, hive_file, open_hive

_OTHERS = ("SOFTWARE", "SAM", "SECURITY", "DEFAULT")


class HiveFacts(Struct, frozen=True):
    """One hive. ``error`` says why it could not be opened, ``unread`` why it could not be read to its end.

    ``start_keys`` are paths of keys, in upper case, that the start depends on with all below them; none but in SYSTEM.
    """

    place: str
    defects: tuple[Defect, ...] = ()
    error: str | None = None
    unread: str | None = None
    start_keys: tuple[str, ...] = ()


def gather(installation: Installation, system: Hive) -> tuple[HiveFacts, ...]:
    """Read the hives of a Windows whose SYSTEM is open. What is missing is left out: other checks tell of that."""
    generation = hive_generation(installation.version, installation.service_pack)
    control_set = f"CONTROLSET{installation.select.default:03d}"
    keys = ("SELECT", "SETUP", "DRIVERDATABASE", f"{control_set}\\CONTROL", f"{control_set}\\SERVICES")
    place = str(hive_file(installation))
    found = [_read(place, system, generation, keys)]
    for name in _OTHERS:
        found += _other(installation, name, generation)
    return tuple(found)


def _other(installation: Installation, name: str, generation: Generation | None) -> Iterator[HiveFacts]:
    place = str(installation.volume.file(hive_path(installation.directory, name)))
    try:
        hive = open_hive(installation, name)
        hive.root  # noqa: B018  reading it is the check
    except DirtyHiveError as error:  # the kernel has more ways to recover it than by its logs
        yield HiveFacts(place, unread=error.what)
    except HiveError as error:
        yield HiveFacts(place, error=error.what)
    except FileSystemError:
        return
    else:
        if generation in (Generation.UP_TO_2000, Generation.XP_WITHOUT_SP):
            yield _read(place, hive, generation)


def _read(place: str, hive: Hive, generation: Generation | None, keys: tuple[str, ...] = ()) -> HiveFacts:
    from bootgraft.registry.integrity.harm import harmful  # only here are hives read to their ends

    try:
        return HiveFacts(place, harmful(hive, generation), start_keys=keys)
    except HiveError as error:
        return HiveFacts(place, unread=error.what, start_keys=keys)
