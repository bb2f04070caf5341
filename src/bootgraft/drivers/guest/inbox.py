"""The driver out of the guest itself: Windows has it in a cache, its setup just never put it in place.

Every place that has the file is looked at, and of the drivers that this Windows can load the newest is taken, with the
files that it imports from and that are not in place either. What is passed over is told with the reason.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.drivers.guest.caches import CachedFile, CachedFileKind, Caches
from bootgraft.drivers.guest.inboxservices import DRIVERS, MissingDriver, wanted_driver
from bootgraft.drivers.package import DriverPackage, PackageFile
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.targets.driverchains import Link
from bootgraft.windows.driver_files import judge_driver, unsatisfied
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import PeFacts

_MAX_FILES = 8  # that are looked for: the driver and, by way of its imports, what it needs
_MAX_PLACES = 64  # that have a file of one name by itself
_MAX_TOLD = 8  # drivers that are passed over in words
_CPU_SECONDS = 60.0  # of processor time for one search; one cabinet has its own limit besides


class Chosen(Struct, frozen=True):
    """A driver that fits, from one place, with the files that it needs beside those in place."""

    place: CachedFile
    data: bytes
    pe: PeFacts
    brings: tuple["Chosen", ...] = ()

    @property
    def version(self) -> tuple[int, int, int, int]:
        """Its version, zeros where it has none."""
        return self.pe.version or (0, 0, 0, 0)


def own_driver(installation: Installation, hive: Hive, link: Link, bound: str | None) -> str | None:
    """Where this Windows has the driver of a device itself, in words; None where it has none that is known of.

    ``bound`` is the service that the registry binds to the device, if any. Quick: a cabinet is not opened, what
    ``drvindex.inf`` says of it is believed.

    Raises:
        HiveError, FileSystemError: the machine is damaged on the way.
    """
    wanted = wanted_driver(installation, hive, link, bound)
    if wanted is None:
        return None
    search = _Search(installation, quick=True)
    best = search.driver(wanted.file)
    if best is not None:
        return f"{best.place} is {wanted.file} {_dots(best)}".rstrip()
    indexed = search.caches.indexed(wanted.file)
    return f"{indexed[0].path} has {wanted.file}" if indexed else None


def read_inbox(
    installation: Installation, hive: Hive, controller: Controller, link: Link, bound: str | None
) -> DriverPackage | None:
    """The driver of a device on the way to the disk out of this Windows itself; None where it has none.

    ``link`` is one of the controller's chain; ``bound`` is the service that the registry binds to it, if any.

    Raises:
        DriverSourceError: it has some, and none of them fits.
        HiveError, FileSystemError: the machine is damaged on the way.
    """
    wanted = wanted_driver(installation, hive, link, bound)
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
    path = chosen.place.path
    origin = f"its own {path if chosen.place.kind is CachedFileKind.FILE else path.rpartition(chr(92))[2]}"
    files = _files(installation, wanted, chosen)
    package = DriverPackage(origin, wanted.service, wanted.keys, files, (), device=link.main_id)
    notes: tuple[str, ...] = ()
    if wanted.is_incomplete and link.main_id == controller.main_id:
        driver = PackageFile(wanted.target, chosen.data)
        package, notes = _as_its_inf_says(installation, hive, controller, package, driver)
    passed_over = (f"Passed over: {each}." for each in search.passed_over)
    return replace(package, notes=(*_notes(wanted, chosen), *notes, *passed_over))


def _as_its_inf_says(
    installation: Installation, hive: Hive, controller: Controller, package: DriverPackage, driver: PackageFile
) -> tuple[DriverPackage, tuple[str, ...]]:
    """The package with the keys that an INF of this Windows gives, where one does; and the word on which."""
    from bootgraft.drivers.guest.inboxinf import by_own_inf

    said = by_own_inf(installation, hive, controller, package.service, (driver, *package.files))
    if said is None:
        return package, ()
    return replace(package, keys=said.keys, inf=said.inf), (f"Its service and bindings are what {said.origin} says.",)


def _files(installation: Installation, wanted: MissingDriver, chosen: Chosen) -> tuple[PackageFile, ...]:
    """The files that are not in place yet."""
    files = [PackageFile(f"{DRIVERS}\\{each.place.name}", each.data) for each in chosen.brings]
    if chosen.place.path.casefold() != f"{installation.directory}\\{wanted.target}".casefold():
        files.insert(0, PackageFile(wanted.target, chosen.data))
    return tuple(files)


def _notes(wanted: MissingDriver, chosen: Chosen) -> Iterator[str]:
    yield f"{' '.join((wanted.file, _dots(chosen))).rstrip()} is taken from this Windows itself: {chosen.place}."
    yield from (f"{each.place.name} comes along from {each.place}: it is needed too." for each in chosen.brings)


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
        self._deadline = time.process_time() + _CPU_SECONDS
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

    def _best_of(self, places: Iterable[CachedFile]) -> Chosen | None:
        """The newest that fits; of several as new the first."""
        best: Chosen | None = None
        for place in places:
            found = self._try(place)
            if found is not None and (best is None or found.version > best.version):
                best = found
        return best

    def _try(self, place: CachedFile) -> Chosen | None:
        if time.process_time() > self._deadline:
            self._pass_over(place, "not looked at, since the other places took too long")
            return None
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

    def _pass_over(self, place: CachedFile, why: str) -> None:
        if len(self.passed_over) < _MAX_TOLD:
            self.passed_over.append(f"{place}: {why}")
