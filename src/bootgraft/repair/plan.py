"""From findings and a driver package to a plan: pure data, nothing is written here.

What is there already is compared value by value, so a plan holds only what changes and a second repair is empty.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from bootgraft.changes import (
    Change,
    CreateKey,
    DeleteValue,
    Place,
    Plan,
    RegistryChange,
    RegistryData,
    SetValue,
    WriteFile,
    WriteSectors,
    content_digest,
    describe_place,
    place_of,
)
from bootgraft.checks.controller import driver_signature, enum_instance
from bootgraft.checks.controller.facts import ControllerFacts, binding_store
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import DRIVER_REMEDIES
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.filesystems.base import Entry
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.repair.folders import with_folders
from bootgraft.repair.wanted import binds_another, wanted_keys
from bootgraft.windows.driver_files import DriverFacts, read_driver, unsatisfied
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import NotPortableExecutableError, read_pe
from bootgraft.windows.roots import is_plain

_REFUSED = (driver_signature.MISSING, driver_signature.REFUSED)


def plan_repair(installation: Installation, hive: Hive, work: Sequence[tuple[Diagnosis, DriverPackage | None]]) -> Plan:
    """Plan what repairs the fixable findings of each diagnosis, with the package that its target needs.

    Raises DriverSourceError where two packages want different things, FileSystemError where a file that must be
    replaced cannot be written.
    """
    changes: list[Change] = []
    notes: list[str] = []
    for diagnosis, package in work:
        if diagnosis.facts is None:
            continue
        if package is not None and needs_driver(diagnosis):
            graft = _Graft(installation, hive, diagnosis.facts, package, _refused(diagnosis))
            grafted = tuple(graft.changes())
            changes += grafted
            notes += [*package.notes, *graft.notes]
            known = {place_of(change) for change in grafted}
            changes += (change for change in _of_findings(hive, diagnosis) if place_of(change) not in known)
        else:
            changes += _of_findings(hive, diagnosis)
    planned = tuple(with_folders(installation, tuple(_without_repeats(changes))))
    if any(isinstance(change, RegistryChange) for change in planned):
        notes += commit_notes(hive)
    return Plan(planned, tuple(dict.fromkeys(notes)))


def commit_notes(hive: Hive) -> Iterator[str]:
    """What a commit of edits writes besides them."""
    if hive.pending is not None:
        count = hive.pending.transactions
        what = "1 transaction that was" if count == 1 else f"{count} transactions that were"
        logs = " and ".join(log.name for log in hive.pending.logs)
        yield f"{what} pending in {logs} will be written into the hive too, as Windows would at its next start."
    if hive.keeps_alternate:
        yield "SYSTEM.ALT, the copy of the hive that this Windows falls back to, will be written alike."


def needs_driver(diagnosis: Diagnosis) -> bool:
    """Whether a finding can only be repaired with a driver, from a source or from the Windows itself."""
    return any(finding.remedy in DRIVER_REMEDIES for finding in diagnosis.findings)


def _of_findings(hive: Hive, diagnosis: Diagnosis) -> Iterator[Change]:
    """The changes that the findings carry."""
    return _as_it_stands(hive, (change for finding in diagnosis.findings for change in finding.changes))


def _as_it_stands(hive: Hive, changes: Iterable[Change]) -> Iterator[Change]:
    """The changes with the values as they lie in the hive: a check knows their meaning, not their type and bytes."""
    for change in changes:
        if not isinstance(change, SetValue):
            yield change
            continue
        before = _present(hive.key(change.key), change.name)
        if before != change.value:
            yield replace(change, before=before)


def _without_repeats(changes: Iterable[Change]) -> Iterator[Change]:
    seen: dict[Place, Change] = {}
    for change in changes:
        first = seen.setdefault(place_of(change), change)
        if first is change:
            yield change
        elif not _same(first, change):
            value = f", {change.name!r}" if isinstance(change, SetValue) else ""
            raise DriverSourceError(
                f"two driver sources want different content for {describe_place(change)}{value}",
                where="--drivers",
                advice="Repair for one target at a time, or give sources that agree",
            )


def _same(one: Change, other: Change) -> bool:
    """Whether both come to the same, from whichever source and in whichever case the names are written."""
    if isinstance(one, WriteFile) and isinstance(other, WriteFile):
        return one.data == other.data
    if isinstance(one, WriteSectors) and isinstance(other, WriteSectors):
        return one.data == other.data
    if isinstance(one, SetValue) and isinstance(other, SetValue):
        return one.value == other.value
    return type(one) is type(other)


def _refused(diagnosis: Diagnosis) -> frozenset[str]:
    """The drivers whose signature the Windows refuses, by their paths in lower case: any other is the better one."""
    devices = {each.device for each in diagnosis.findings if each.id in _REFUSED}
    links = () if diagnosis.facts is None else diagnosis.facts.links
    return frozenset(each.driver.path.casefold() for each in links if each.driver and each.main_id in devices)


class _Graft:
    """The changes that put one package into one installation, in every control set.

    ``refused`` are drivers that give way to the package's, whatever their version.
    """

    def __init__(
        self,
        installation: Installation,
        hive: Hive,
        facts: ControllerFacts,
        package: DriverPackage,
        refused: frozenset[str],
    ) -> None:
        self._installation = installation
        self._hive = hive
        self._facts = facts
        self._package = package
        self._refused = refused
        self.notes: list[str] = []
        wanted = wanted_keys(package, binding_store(hive, installation.version), installation.arch)
        self._database = wanted.database
        self._in_sets = wanted.in_sets

    def changes(self) -> Iterator[Change]:
        for file in self._package.files:
            yield from self._file(file)
        for key in self._database:
            yield from self._key(key.path, key)
        for control_set in self._facts.control_sets:
            for key in self._in_sets:
                yield from self._key(f"{control_set}\\{key.path}", key)
            yield from self._lift_overrides(control_set)
        device = self._package.device or self._facts.controller.main_id
        for link in self._facts.links:
            if link.main_id != device:
                continue
            defeating = (i for i in link.instances if enum_instance.defeats(i, self._package.service))
            rebinding = enum_instance.rebind(self._facts.hive, defeating, self._package.service)
            yield from _as_it_stands(self._hive, rebinding)

    def _lift_overrides(self, control_set: str) -> Iterator[RegistryChange]:
        """A service of that name that Windows 8 or later took out of the boot is put back into it."""
        key = self._hive.key(f"{control_set}\\Services\\{self._package.service}\\StartOverride")
        for value in () if key is None else key.values():
            nothing = RegistryData(ValueType.REG_DWORD, dword_data(0))
            before = RegistryData(value.type, value.data)
            if key is not None and before != nothing:
                yield SetValue(self._facts.hive, key.path, value.name, nothing, before)

    def _key(self, path: str, key: PackageKey) -> Iterator[RegistryChange]:
        existing = self._hive.key(path)
        if existing is not None and self._serves_another(existing, key):
            self.notes.append(f"{path} is left as it is: another service of this Windows is bound to it.")
            return
        if existing is None:
            yield CreateKey(self._facts.hive, path)
        for value in key.values:
            before = _present(existing, value.name)
            if value.data is None:
                if before is not None:
                    yield DeleteValue(self._facts.hive, path, value.name, before)
            elif value.data != before and not (value.keeps and before is not None):
                yield SetValue(self._facts.hive, path, value.name, value.data, before)

    def _serves_another(self, existing: Key, key: PackageKey) -> bool:
        """Whether this is a binding of another device, and to another service, that the machine may live on."""
        if not binds_another(key.path, self._facts.controller):
            return False
        service = existing.value("Service")
        bound = service.text() if service else None
        return bool(bound) and (bound or "").casefold() != self._package.service.casefold()

    def _file(self, file: PackageFile) -> Iterator[WriteFile]:
        _require_inside(file.path, self._package.origin)
        volume = self._installation.volume
        filesystem = volume.filesystem()
        path = f"{self._installation.directory}\\{file.path}"
        try:
            entry = filesystem.stat(path)
        except FileMissingError:
            yield WriteFile(volume.file(path), file.data, None, self._package.origin)
            return
        path = f"{path.rpartition(chr(92))[0]}\\{entry.name}"
        _refuse_special(entry, f"{volume.name}: {path}")
        present = filesystem.read(path)
        if present == file.data:
            return
        build = self._installation.build
        there = read_driver(filesystem, self._installation.directory, path, build=build)
        if path.casefold() not in self._refused and _is_as_good(there, file.data, self._installation):
            self.notes.append(f"{path} is left as it is: it is not older than the one from {self._package.origin}.")
            return
        yield WriteFile(volume.file(path), file.data, content_digest(present), self._package.origin)


def _present(key: Key | None, name: str) -> RegistryData | None:
    value = key.value(name) if key is not None else None
    return None if value is None else RegistryData(value.type, value.data)


def _require_inside(path: str, origin: str) -> None:
    """Raise where a path would leave the Windows directory or name a stream: it comes from a file of somebody else."""
    if not is_plain(path):
        raise DriverSourceError(
            f"the driver's file would lie outside the Windows directory ({path})",
            where=origin,
            advice="Give another source for the driver",
        )


def _refuse_special(entry: Entry, where: str) -> None:
    if entry.is_encrypted or entry.reparse_tag:
        kind = "WOF-compressed" if entry.is_wof_compressed else "a link or another reparse point"
        raise FileSystemError(
            f"the file to be replaced is {'encrypted' if entry.is_encrypted else kind}, and cannot be written offline",
            where=where,
            advice="Attach the disk to a working Windows, delete this file there, detach it, and repair again",
        )


def _is_as_good(present: DriverFacts, offered: bytes, installation: Installation) -> bool:
    """Whether the file that is there can be loaded by this Windows and is known to be no older than the offered one."""
    here = present.pe
    if here is None or here.machine is not installation.arch or unsatisfied(present, installation.arch):
        return False
    there = _version(offered, present.path)
    return here.version is not None and there is not None and here.version >= there


def _version(data: bytes, path: str) -> tuple[int, int, int, int] | None:
    try:
        return read_pe(data, name=path).version
    except NotPortableExecutableError:
        return None
