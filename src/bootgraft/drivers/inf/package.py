r"""A driver package made of one INF and the files that belong to it, for one Windows.

A boot driver can be made of it where it installs a kernel driver as the device's function driver, and that driver's
file is there and built for this Windows. What is put in is the service with its keys, started at boot, and the driver
files; everything else that the INF does is left to Plug and Play. ``bindings`` are made of its :class:`InfFacts`.
"""

import re
from collections.abc import Iterator, Sequence

from bootgraft.drivers.inf.choice import Candidate
from bootgraft.drivers.inf.files import DRIVERS, CopiedFile, copied_files, source_paths
from bootgraft.drivers.inf.install import ServiceLine, decorated, install_section, services
from bootgraft.drivers.inf.models import SUFFIXES, models_for
from bootgraft.drivers.inf.service import BOOT_START, NoBootDriverError, ServiceKeys, service_keys
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts, PackageFile
from bootgraft.errors import DriverSourceError
from bootgraft.windows.pe import NotPortableExecutableError, read_pe

MAX_CONTENT = 128 * 2**20
"""Bytes of all files of one package."""

_GUID = re.compile(r"\{[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}\}", re.IGNORECASE)
_CLASSES = {
    "scsiadapter": "{4D36E97B-E325-11CE-BFC1-08002BE10318}",
    "hdc": "{4D36E96A-E325-11CE-BFC1-08002BE10318}",
    "system": "{4D36E97D-E325-11CE-BFC1-08002BE10318}",
}


def make_package(source: PackageTree, candidate: Candidate, target_windows: TargetWindows) -> DriverPackage:
    """Make the package of an INF that was found to serve the device.

    Raises:
        NoBootDriverError: no boot driver can be made of it; the text says why.
        DriverSourceError: the INF cannot be followed, or a file cannot be read.
    """
    return _Maker(source, candidate, target_windows).package()


def package_paths(source: PackageTree, candidate: Candidate, target_windows: TargetWindows) -> tuple[str, ...]:
    """Where the files lie in the source that the package of an INF is likely made of; none where that is not clear."""
    try:
        return _Maker(source, candidate, target_windows).paths()
    except (DriverSourceError, NoBootDriverError):
        return ()


class _Maker:
    def __init__(self, source: PackageTree, candidate: Candidate, target_windows: TargetWindows) -> None:
        self._source = source
        self._candidate = candidate
        self._target_windows = target_windows
        self._inf = candidate.inf
        self._folder = candidate.path.rpartition("\\")[0]
        self._library = source.library(self._folder)
        self._read = 0  # bytes of the package's files so far
        self._notes: list[str] = []

    def package(self) -> DriverPackage:
        section = self._section()
        function, *others = self._services(section)
        copied = tuple(copied_files(self._inf, section, self._library))
        files = [self._driver_file(function.file, copied)]
        files += self._further_files(copied, others, function.file)
        facts = self._facts(section, copied)
        keys = tuple(key for service in (function, *others) for key in service.keys)
        origin = self._source.place(self._candidate.path)
        return DriverPackage(origin, function.name, keys, tuple(files), tuple(self._notes), facts)

    def paths(self) -> tuple[str, ...]:
        copied = copied_files(self._inf, self._section(), self._library)
        found = (self._find(name) for name in (self._catalog(), *(each.source for each in copied)) if name)
        return tuple(path for path in found if path is not None)

    def _section(self) -> str:
        name = self._candidate.model.install
        section = install_section(self._inf, name, self._target_windows.arch)
        if section is None:
            names = "], [".join(decorated(name, self._target_windows.arch))
            raise NoBootDriverError(f"it has none of the install sections [{names}]")
        return section

    def _services(self, section: str) -> Iterator[ServiceKeys]:
        """The service that drives the device, and further ones that start at boot."""
        lines = services(self._inf, section, self._library)
        function = next((each for each in lines if each.is_function_driver), None)
        if function is None or not function.name:
            raise NoBootDriverError(f"[{section}.Services] gives the device no driver")
        yield service_keys(self._inf, section, function, self._library, at_boot=True)
        for line in lines:
            if line.name.casefold() != function.name.casefold():
                yield from self._other_service(section, line)

    def _other_service(self, section: str, line: ServiceLine) -> Iterator[ServiceKeys]:
        try:
            service = service_keys(self._inf, section, line, self._library)
        except NoBootDriverError:  # a program of the vendor's, say: Plug and Play will see to it
            return
        if service.start == BOOT_START:
            yield service

    def _driver_file(self, target: str, copied: Sequence[CopiedFile]) -> PackageFile:
        """A file that a service needs, by where it belongs."""
        name = target.rpartition("\\")[2]
        source = next((each.source for each in copied if (each.target or "").casefold() == target.casefold()), name)
        path = self._find(source)
        if path is None:
            raise NoBootDriverError(f"its driver file {source} is not in the source")
        data = self._content(path)
        try:
            machine = read_pe(data, name=path).machine
        except NotPortableExecutableError as error:
            raise NoBootDriverError(f"{path} is no driver: {error.what}") from error
        if machine is not self._target_windows.arch:
            raise NoBootDriverError(f"{path} is built for {machine}")
        return PackageFile(target, data)

    def _further_files(
        self, copied: Sequence[CopiedFile], others: Sequence[ServiceKeys], function: str
    ) -> Iterator[PackageFile]:
        """The files of the other services, and drivers that are copied beside them: the first may import from those."""
        done = {function.casefold()}
        for service in others:
            if service.file.casefold() not in done:
                done.add(service.file.casefold())
                yield self._driver_file(service.file, copied)
        for each in copied:
            target = (each.target or "").casefold()
            if target in done or not target.startswith(f"{DRIVERS}\\") or not target.endswith(".sys"):
                continue
            done.add(target)
            if self._find(each.source) is None:
                self._notes.append(f"{each.source}, which the INF copies too, is not in the source.")
            else:
                yield self._driver_file(each.target or "", copied)

    def _facts(self, section: str, copied: Sequence[CopiedFile]) -> InfFacts:
        inf, candidate = self._inf, self._candidate
        install = candidate.model.install.casefold()
        devices: dict[str, DeviceId] = {}
        for model in models_for(inf, self._target_windows):
            if model.install.casefold() == install:
                for index, each in enumerate(model.ids):
                    devices.setdefault(each.casefold(), DeviceId(each, index == 0, model.description))
        return InfFacts(
            name=candidate.path.rpartition("\\")[2],
            class_guid=self._class_guid(),
            class_name=inf.value("Version", "Class"),
            provider=inf.value("Version", "Provider"),
            driver_date=candidate.driver_date,
            driver_version=candidate.driver_version,
            configuration=section,
            devices=tuple(devices.values()),
            content=tuple(self._all_content(copied)),
        )

    def _class_guid(self) -> str:
        given = self._inf.value("Version", "ClassGUID").strip()
        if _GUID.fullmatch(given):
            return given
        known = _CLASSES.get(self._inf.value("Version", "Class").strip().casefold())
        if known is None:
            raise NoBootDriverError("its [Version] names no ClassGUID")
        return known

    def _all_content(self, copied: Sequence[CopiedFile]) -> Iterator[tuple[str, bytes]]:
        """The INF, its catalog and whatever it copies that is there, by the path that the INF knows it by."""
        yield self._candidate.path.rpartition("\\")[2], self._content(self._candidate.path)
        done = set()
        for name in (self._catalog(), *(each.source for each in copied)):
            if not name or name.casefold() in done:
                continue
            done.add(name.casefold())
            for place in source_paths(self._inf, name, self._target_windows.arch):
                path = self._source.find(f"{self._folder}\\{place}")
                if path is not None:
                    yield place, self._content(path)
                    break

    def _catalog(self) -> str:
        arch = SUFFIXES[self._target_windows.arch]
        keys = (f"CatalogFile.NT{arch}", "CatalogFile.NT", "CatalogFile")
        return next((name for key in keys if (name := self._inf.value("Version", key))), "")

    def _find(self, name: str) -> str | None:
        """Where a file of the package lies in the source."""
        places = source_paths(self._inf, name, self._target_windows.arch)
        found = (self._source.find(f"{self._folder}\\{place}") for place in places)
        return next((path for path in found if path is not None), None)

    def _content(self, path: str) -> bytes:
        data = self._source.read(path)
        self._read += len(data)
        if self._read > MAX_CONTENT:
            raise self._inf.error(f"its files have more than {MAX_CONTENT >> 20} MiB")
        return data
