"""The driver out of the guest itself: Windows has it in a cache, its setup just never put it in place.

Every place that has the file is looked at, and of the drivers that this Windows can load the newest is taken, with the
files that it imports from and that are not in place either. What is passed over is told with the reason.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from bootgraft.drivers.guestcaches import Caches, Place, PlaceKind
from bootgraft.drivers.inboxservices import InboxService, binding, boot_start, inbox_service
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bindings import find_critical_device
from bootgraft.windows.driver_files import judge_driver, unsatisfied
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import PeFacts
from bootgraft.windows.services import Service, driver_file, read_service

_DRIVERS = "system32\\drivers"
_PLUG_AND_PLAY, _LAST_WITH_CRITICAL_DEVICES = (5, 0), (6, 1)
_MAX_FILES = 8  # that are looked for: the driver and, by way of its imports, what it needs
_MAX_PLACES = 64  # that have a file of one name by itself
_MAX_TOLD = 8  # drivers that are passed over in words


@dataclass(frozen=True, slots=True)
class Wanted:
    """The driver that a Windows lacks for a controller; ``target`` is where its file belongs, below Windows."""

    service: str
    target: str
    known: InboxService | None  # what its INF would write, where the registry does not have it
    keys: tuple[PackageKey, ...]

    @property
    def file(self) -> str:
        """The file's name."""
        return self.target.rpartition("\\")[2]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A driver that fits, from one place, with the files that it needs beside those in place."""

    place: Place
    data: bytes = field(repr=False)
    pe: PeFacts
    brings: tuple["Chosen", ...] = ()

    @property
    def version(self) -> tuple[int, int, int, int]:
        """Its version, zeros where it has none."""
        return self.pe.version or (0, 0, 0, 0)


def own_driver(installation: Installation, hive: Hive, controller: Controller, bound: str | None) -> str | None:
    """Where this Windows has the controller's driver itself, in words; None where it has none that is known of.

    ``bound`` is the service that the registry binds to the controller, if any. Quick: a cabinet is not opened, what
    ``drvindex.inf`` says of it is believed.

    Raises:
        HiveError, FileSystemError: the machine is damaged on the way.
    """
    wanted = _wanted(installation, hive, controller, bound)
    if wanted is None:
        return None
    search = _Search(installation, quick=True)
    best = search.driver(wanted.file)
    if best is not None:
        return f"{best.place} is {wanted.file} {_dots(best)}".rstrip()
    indexed = search.caches.indexed(wanted.file)
    return f"{indexed[0].path} has {wanted.file}" if indexed else None


def read_inbox(
    installation: Installation, hive: Hive, controller: Controller, bound: str | None
) -> DriverPackage | None:
    """The controller's driver out of this Windows itself; None where it has none.

    Raises:
        DriverSourceError: it has some, and none of them fits.
        HiveError, FileSystemError: the machine is damaged on the way.
    """
    wanted = _wanted(installation, hive, controller, bound)
    if wanted is None:
        return None
    search = _Search(installation)
    chosen = search.driver(wanted.file)
    if chosen is None:
        if not search.passed_over:
            return None
        raise DriverSourceError(
            f"this Windows has {wanted.file} itself, but none that it can load: {'; '.join(search.passed_over)}",
            where=f"{installation.product} on {installation.volume.name}",
            advice="Give a donor with --drivers, or --reg and --file with an exported driver",
        )
    notes = [f"{wanted.file} {_dots(chosen)} is taken from this Windows itself: {chosen.place}."]
    notes += [f"{each.place.name} comes along from {each.place}: it is needed too." for each in chosen.brings]
    notes += [f"Passed over: {each}." for each in search.passed_over]
    origin = f"its own {chosen.place.path.rpartition(chr(92))[2] if _is_packed(chosen.place) else chosen.place.path}"
    return DriverPackage(origin, wanted.service, wanted.keys, _files(installation, wanted, chosen), tuple(notes))


def _wanted(installation: Installation, hive: Hive, controller: Controller, bound: str | None) -> Wanted | None:
    """The driver to look for: that of the bound service, else the one that this Windows is shipped with."""
    name = bound or controller.inbox_service(installation.version)
    if (
        name is None
        or controller.pci is None
        or not _PLUG_AND_PLAY <= installation.version <= _LAST_WITH_CRITICAL_DEVICES
    ):
        return None
    known = inbox_service(name)
    present = read_service(hive, installation.select.default, name)
    if known is None and (present is None or bound is None):
        return None  # nothing says what the service and its binding must be
    service = name if present is None else present.name
    target = f"{_DRIVERS}\\{name}.sys" if present is None else _target(installation, present)
    keys: list[PackageKey] = (
        [boot_start(service, target)] if known is None or _is_elsewhere(target, known) else [*known.keys()]
    )
    keys += _bindings(installation, hive, controller, service, known)
    return Wanted(service, target, known, tuple(keys))


def _is_elsewhere(target: str, known: InboxService) -> bool:
    """Whether the service that is there is another driver's by the same name."""
    return target.casefold() != f"{_DRIVERS}\\{known.file}".casefold()


def _target(installation: Installation, service: Service) -> str:
    """Where the service's file belongs, relative to the Windows directory; the drivers folder for one elsewhere."""
    path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
    prefix = f"{installation.directory}\\".casefold()
    if path.casefold().startswith(prefix):
        return path[len(prefix) :]
    return f"{_DRIVERS}\\{path.rpartition(chr(92))[2]}"


def _bindings(
    installation: Installation, hive: Hive, controller: Controller, service: str, known: InboxService | None
) -> Iterator[PackageKey]:
    found = find_critical_device(hive, installation.select.default, controller.device_ids())
    if found is not None and (found.service or "").casefold() == service.casefold():
        yield binding(found.device_id, found.class_guid, service)
    elif known is not None:
        yield binding(controller.main_id, known.class_guid, service)


def _files(installation: Installation, wanted: Wanted, chosen: Chosen) -> tuple[PackageFile, ...]:
    """The files that are not in place yet."""
    files = [PackageFile(f"{_DRIVERS}\\{each.place.name}", each.data) for each in chosen.brings]
    if chosen.place.path.casefold() != f"{installation.directory}\\{wanted.target}".casefold():
        files.insert(0, PackageFile(wanted.target, chosen.data))
    return tuple(files)


def _is_packed(place: Place) -> bool:
    return place.kind is not PlaceKind.FILE


def _dots(chosen: Chosen) -> str:
    return ".".join(map(str, chosen.pe.version)) if chosen.pe.version else ""


class _Search:
    """Finds the best driver of a name in one Windows, and keeps what it passes over.

    ``quick`` opens no cabinet: a file that is missing is taken as found where ``drvindex.inf`` gives it to one.
    """

    def __init__(self, installation: Installation, *, quick: bool = False) -> None:
        volume = installation.volume
        self._directory = installation.directory
        self._arch = installation.arch
        self._quick = quick
        self._filesystem = volume.filesystem()
        self.caches = Caches(
            self._filesystem, volume.name, installation.directory, installation.version, installation.arch
        )
        self.passed_over: list[str] = []
        self._known: dict[str, Chosen | None] = {}

    def driver(self, name: str) -> Chosen | None:
        """The newest that fits, from everywhere; None where there is none. Remembered: imports may lead in circles."""
        key = name.casefold()
        if key not in self._known and len(self._known) < _MAX_FILES:
            self._known[key] = None
            self._known[key] = self._look_for(name)
        return self._known.get(key)

    def _look_for(self, name: str) -> Chosen | None:
        files = islice(self.caches.files(name), _MAX_PLACES)
        if self._quick:
            return self._best_of(files)
        indexed = self.caches.indexed(name)
        best = self._best_of(chain(files, indexed))
        return best or self._best_of(each for each in self.caches.cabinets(name) if each not in indexed)

    def _best_of(self, places: Iterable[Place]) -> Chosen | None:
        """The newest that fits; of several as new the first."""
        best: Chosen | None = None
        for place in places:
            found = self._try(place)
            if found is not None and (best is None or found.version > best.version):
                best = found
        return best

    def _try(self, place: Place) -> Chosen | None:
        try:
            data = self.caches.read(place)
        except FileMissingError:
            return None
        except (FileSystemError, DriverSourceError) as error:
            self._pass_over(place, error.what)
            return None
        facts = judge_driver(data, self._filesystem, self._directory, place.path)
        brings: dict[str, Chosen] = {}
        if facts.pe is None:
            fault = facts.fault or "it cannot be loaded"
        elif facts.pe.machine is not self._arch:
            fault = f"it is built for {facts.pe.machine}, this Windows is {self._arch}"
        else:
            left = tuple(each for each in facts.imports if each.path is not None or not self._bring(each.name, brings))
            lacking = unsatisfied(replace(facts, imports=left), self._arch)
            if not lacking:
                return Chosen(place, data, facts.pe, tuple(brings.values()))
            fault = f"it imports from {' and from '.join(lacking)}"
        self._pass_over(place, fault)
        return None

    def _bring(self, name: str, brings: dict[str, Chosen]) -> bool:
        """Whether a file that a driver imports from, and that is not in place, can come along too."""
        found = self.driver(name)
        if found is None:
            return self._quick and bool(self.caches.indexed(name))
        brings.update({each.place.name.casefold(): each for each in (found, *found.brings)})
        return True

    def _pass_over(self, place: Place, why: str) -> None:
        if len(self.passed_over) < _MAX_TOLD:
            self.passed_over.append(f"{place}: {why}")
