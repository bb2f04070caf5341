r"""The hives that ``reg`` works on: those of an installation, by their place in it, or one hive file by itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from bootgraft.changes import FileId
from bootgraft.checks.machine.saved_session import SavedSession
from bootgraft.errors import BootConfigError, BootgraftError, FileMissingError, UsageError
from bootgraft.filesystems.bare_volume import BareFile, BareVolume
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.machine import Disk, Machine, Volume
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.defects import Generation
from bootgraft.repair.apply import find_volume
from bootgraft.repair.writable import refuse_unsupported_volume
from bootgraft.storage.devices.blockdevice import BlockDevice, Slice
from bootgraft.storage.disks.partitions import Partition, PartitionTable, TableKind
from bootgraft.windows.hives import hive_generation, hive_path
from bootgraft.windows.installation import Installation, read_select, sets_to_edit
from bootgraft.windows.registry_paths import (
    BCD,
    CONFIG_HIVES,
    below_mount_point,
    in_sets,
    is_current,
    parse_key,
    set_number,
)
from bootgraft.worker.ipc.job import Job
from bootgraft.worker.ipc.registry_request import RegistryRequest
from bootgraft.worker.survey import command_on, survey

_BCD_PATHS = (r"\Boot\BCD", r"\EFI\Microsoft\Boot\BCD")
_OPENABLE = frozenset({FileSystemKind.NTFS, FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32})


class Located(Struct, frozen=True):
    r"""A key's place: the hive's file, the path from its root (perhaps with ``CurrentControlSet``), and full names.

    ``prefix`` is what the hive's root is called in full, ``HKEY_LOCAL_MACHINE\SYSTEM``.
    """

    file: FileId
    path: str
    prefix: str


class Hives:
    """The hives of one installation, or a hive file by itself where ``installation`` is None."""

    def __init__(
        self,
        machine: Machine,
        installation: Installation | None,
        bare: FileId | None,
        sessions: tuple[SavedSession, ...] = (),
    ) -> None:
        self.machine = machine
        self.sessions = sessions  # that were found hibernated
        self._installation = installation
        self._bare = bare

    @property
    def is_bare(self) -> bool:
        """Whether this is a hive file by itself."""
        return self._bare is not None

    @property
    def generation(self) -> Generation | None:
        """How the Windows that the hives belong to judges them; None where that is not known."""
        windows = self._installation
        return None if windows is None else hive_generation(windows.version, windows.service_pack)

    def open(self, place: FileId) -> Hive:
        """The hive in a file, opened once. Raises FileMissingError and HiveError."""
        return find_volume(self.machine, place).hive(place.path)

    def volume(self, place: FileId) -> Volume:
        """The volume that a hive's file lies on."""
        return find_volume(self.machine, place)

    def size(self, place: FileId) -> int:
        """Bytes in a hive's file as it now is."""
        return self.volume(place).filesystem().stat(place.path).size

    def locate(self, key: str, hive: str | None) -> Located:
        """Where a key lies. Raises UsageError for one that lies nowhere, FileMissingError where there is no BCD."""
        if self._bare is not None:
            return Located(self._bare, below_mount_point(key), _prefix(self._bare))
        if hive is not None:
            place = self.named(hive)
            return Located(place, below_mount_point(key), _prefix(place))
        found = parse_key(key)
        return Located(self.named(found.hive), found.path, found.prefix)

    def named(self, hive: str) -> FileId:
        r"""The file of SYSTEM, SOFTWARE, …, BCD, or at a path of the volume (``\Users\x\NTUSER.DAT``)."""
        if self._bare is not None or self._installation is None:
            raise UsageError("this is a hive by itself", where="--hive", advice="Leave --hive out")
        name = hive.upper()
        if name == BCD:
            return self._boot_store()
        volume = self._installation.volume
        if name in CONFIG_HIVES:
            return volume.file(hive_path(self._installation.directory, name))
        if "\\" not in hive and "/" not in hive:
            known = ", ".join((*CONFIG_HIVES, BCD))
            raise UsageError(f"there is no hive {hive}", where="--hive", advice=f"Give one of {known}, or a path")
        path = "\\" + hive.replace("/", "\\").lstrip("\\")
        volume.filesystem().stat(path)
        return volume.file(path)

    def all(self) -> tuple[FileId, ...]:
        """Every hive that is there: SYSTEM first, the boot store last."""
        if self._bare is not None:
            return (self._bare,)
        found = []
        for name in (*CONFIG_HIVES, BCD):
            try:
                place = self.named(name)
                self.volume(place).filesystem().stat(place.path)
            except FileMissingError:
                continue
            found.append(place)
        return tuple(found)

    def for_reading(self, located: Located) -> str:
        """The path that a key has in the hive's file: the current control set is the default one."""
        if not is_current(located.path):
            return located.path
        hive = self.open(located.file)
        if hive.key("Select") is None:
            return located.path
        return in_sets(located.path, [read_select(hive).default])[0]

    def for_writing(self, located: Located, *, all_sets: bool | None) -> tuple[str, ...]:
        """The paths that a key has in the control sets that are to be written; none where it names one that is not.

        Raises UsageError where the key is a whole control set.
        """
        number = set_number(located.path)
        if number is None and not is_current(located.path):
            return (located.path,)
        hive = self.open(located.file)
        if hive.key("Select") is None:
            return (located.path,)
        if "\\" not in located.path:
            raise UsageError(
                "a control set as a whole is not written",
                where=f"{located.prefix}\\{located.path}",
                advice="Name a key below it",
            )
        select = read_select(hive)
        if number is None:
            numbers: Sequence[int] = [select.default] if all_sets is False else sets_to_edit(hive, select)
        elif all_sets:
            numbers = sets_to_edit(hive, select)
        else:
            numbers = [number] if hive.key(located.path.partition("\\")[0]) is not None else []
        return in_sets(located.path, numbers)

    def _boot_store(self) -> FileId:
        volumes = sorted(self.machine.volumes(), key=lambda volume: not volume.partition.active)
        for volume in volumes:
            if volume.kind not in _OPENABLE:
                continue
            for path in _BCD_PATHS:
                try:
                    volume.filesystem().stat(path)
                except BootgraftError:  # not there, or a volume that cannot be read: another one may hold it
                    continue
                return volume.file(path)
        raise FileMissingError(
            "there is no boot store (BCD) on any volume",
            where="the machine's disks",
            advice="Windows before Vista has none: its boot menu is boot.ini",
        )


@contextmanager
def opened(
    job: Job, request: RegistryRequest, disks: Sequence[BlockDevice], logs: Sequence[BlockDevice], *, writable: bool
) -> Iterator[Hives]:
    """The hives of a job, open until the block ends, which unmounts. Nothing is remembered from one to the next."""
    if request.bare_size is not None:
        yield _bare(job, disks[0], logs, request.bare_size, writable=writable)
        return
    with Machine.read(disks, writable=writable) as machine:
        found = survey(job, machine)
        if writable or found.installation is None:
            refuse_unsupported_volume(found.unsupported_volume)
        if found.installation is None:
            step = found.chain.steps[-1] if found.chain.steps else None
            why = "" if step is None else f" ({step.what}: {step.evidence})"
            raise BootConfigError(
                f"no Windows boots from these disks{why}, so it is not known whose registry is meant",
                where=job.devices[0].location,
                advice=f"Name the installation: --windows ID.\nTo list them, run:\n    {command_on(job, 'inspect')}",
                id="no-windows",
            )
        yield Hives(machine, found.installation, None, found.sessions)


class _LooseVolume(Volume):
    """A volume whose file system is there already."""

    def __init__(self, files: FileSystem, partition: Partition, device: Slice, *, writable: bool) -> None:
        super().__init__(0, partition, None, device, writable=writable)
        self._files = files

    def filesystem(self) -> FileSystem:
        """The files."""
        return self._files


def _bare(job: Job, device: BlockDevice, logs: Sequence[BlockDevice], size: int, *, writable: bool) -> Hives:
    name = _file_name(job.devices[0].location)
    files = {name: BareFile(device, size, writable=writable)}
    for spec, log in zip(job.devices[1:], logs, strict=True):
        files[_file_name(spec.location)] = BareFile(log, log.size)
    partition = Partition(slot=1, start=0, size=device.size, type="", active=False, logical=False)
    window = Slice(device, 0, device.size, job.devices[0].location.rpartition("/")[0] or "/")
    volume = _LooseVolume(BareVolume(files), partition, window, writable=writable)
    disk = Disk(0, device, PartitionTable(TableKind.NONE, None, (), 512, ()), (volume,))
    return Hives(Machine((disk,)), None, volume.file("\\" + name))


def _file_name(location: str) -> str:
    return location.rpartition("/")[2].replace("\\", "_")


def _prefix(place: FileId) -> str:
    name = place.path.rpartition("\\")[2]
    return f"HKEY_LOCAL_MACHINE\\{name.upper()}"
