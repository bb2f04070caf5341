"""The machines of the story: server1, which would stop with 0x7B, and the donor of what it lacks.

Every messier variant is a keyword. All sizes in MiB; partitions begin at sector 63, as Windows 2003 laid them out.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct, field

from tests.machines.spec import (
    SECTOR,
    Architecture,
    Content,
    Disk,
    File,
    FileSystem,
    HiveState,
    HostFile,
    MachineSpec,
    Partition,
    Volume,
    VolumeState,
)
from tests.machines.windows_files import DriverFile, loader_files, symmpi_file, user_files, windows_files
from tests.machines.windows_hives import (
    SERVER_2003,
    ControlSet,
    Instance,
    Letter,
    Release,
    Select,
    Symmpi,
    SystemFacts,
    software_hive,
    system_hive,
)

SERVER1_SIGNATURE = 0x5E0A71C3
SECOND_DISK_SIGNATURE = 0x5E0A71C4
DONOR_SIGNATURE = 0xD0A70C11

_TRACK = 63
_SECTORS_PER_MIB = 2048
_NTFS, _OEM = 0x07, 0xDE
_TYPES = {FileSystem.NTFS: _NTFS, FileSystem.FAT12: 0x01, FileSystem.FAT16: 0x06, FileSystem.FAT32: 0x0B}


class _Layout(Struct):
    """Puts partitions one after the other on a disk, a track apart."""

    next_start: int = _TRACK
    partitions: list[Partition] = field(default_factory=list)

    def add(self, mib: int, type_: int, volume: Volume | None, *, active: bool = False, logical: bool = False) -> None:
        start, sectors = self.next_start, mib * _SECTORS_PER_MIB
        self.partitions.append(Partition(start, sectors, type_, volume, active, logical))
        self.next_start = start + sectors + _TRACK

    def start_after(self, *mibs: int) -> int:
        """Where a partition begins that follows partitions of these sizes (in bytes)."""
        return (self.next_start + sum(mib * _SECTORS_PER_MIB + _TRACK for mib in mibs)) * SECTOR

    def disk(self, signature: int) -> Disk:
        end = self.next_start // _SECTORS_PER_MIB + 2
        return Disk(end * _SECTORS_PER_MIB, signature, tuple(self.partitions))


def boot_ini(default: str, *entries: tuple[str, str]) -> str:
    """A boot.ini with this default and these entries (path, description)."""
    lines = ["[boot loader]", "timeout=30", f"default={default}", "[operating systems]"]
    lines += [f'{path}="{description}" /noexecute=optout /fastdetect' for path, description in entries]
    return "\r\n".join(lines) + "\r\n"


def arc(partition: int, directory: str, *, disk: int = 0) -> str:
    """The ARC path of a directory."""
    return rf"multi(0)disk(0)rdisk({disk})partition({partition})\{directory}"


class Server1(Struct, frozen=True):
    """The variants of the dead server; the defaults are the machine of the story.

    ``logical``: Windows is the second of two logical partitions, partition(3) to the loader. ``second_installation``:
    \\W2 beside \\WINDOWS on the same volume, and the default. ``second_disk``: Windows alone on disk 1. ``decoy``: a
    healthy \\WINDOWS on a further partition that boot.ini does not point at. ``symmpi``, ``binding`` and ``instance``
    hold in every control set. ``boot_device`` is the ARC path that Windows last started from. ``system_file``: a real
    SYSTEM hive in place of the made one; ``system_missing``: none. ``volume_state`` is the Windows volume's, and
    ``extra`` are further files on it; ``without`` are names of files that it lacks.
    """

    name: str = "server1"
    release: Release = SERVER_2003
    arch: Architecture = Architecture.X86
    directory: str = "WINDOWS"
    system_filesystem: FileSystem = FileSystem.NTFS
    logical: bool = False
    second_installation: bool = False
    second_disk: bool = False
    decoy: bool = False
    boot_ini_text: str | None = None
    boot_ini_missing: bool = False
    boot_device: str | None = None
    control_sets: tuple[int, ...] = (1, 2)
    select: Select | None = None
    symmpi: Symmpi = Symmpi.ABSENT
    binding: bool = False
    instance: Instance = Instance.NONE
    driver: DriverFile = DriverFile.ABSENT
    system_state: HiveState = HiveState.CLEAN
    system_missing: bool = False
    system_file: Path | None = None
    volume_state: VolumeState = VolumeState.CLEAN
    extra: tuple[File, ...] = ()
    without: tuple[str, ...] = ()
    system_mib: int = 16
    windows_mib: int = 48
    data_mib: int = 8

    @property
    def boots_from(self) -> str:
        """The directory of the default installation."""
        return "W2" if self.second_installation else self.directory

    @property
    def arc_disk(self) -> int:
        """The rdisk() of the Windows volume."""
        return 1 if self.second_disk else 0

    @property
    def arc_partition(self) -> int:
        """The partition() of the Windows volume: primaries first, then logical drives; extended ones have no number."""
        if self.second_disk:
            return 1
        return 3 if self.logical else 2


def server1(**variant: Any) -> MachineSpec:
    """The dead server, with any of the keywords of Server1."""
    return dead_server(Server1(**variant))


def dead_server(options: Server1) -> MachineSpec:
    """The specification of the dead server."""
    first = _Layout()
    loader = Volume(options.system_filesystem, loader_files(_boot_ini(options)))
    first.add(options.system_mib, _TYPES[options.system_filesystem], loader, active=True)
    where = _Layout() if options.second_disk else first
    signature = SECOND_DISK_SIGNATURE if options.second_disk else SERVER1_SIGNATURE
    before = (options.data_mib,) if options.logical and not options.second_disk else ()
    letters = (
        Letter("C", SERVER1_SIGNATURE, _TRACK * SECTOR),
        Letter("D", signature, where.start_after(*before)),
    )
    for size in before:
        where.add(size, _NTFS, None, logical=True)
    windows = Volume(FileSystem.NTFS, _windows(options, letters), state=options.volume_state)
    where.add(options.windows_mib, _NTFS, windows, logical=options.logical)
    if options.decoy:
        where.add(
            options.windows_mib, _NTFS, Volume(FileSystem.NTFS, _decoy(options, letters)), logical=options.logical
        )
    disks = [first.disk(SERVER1_SIGNATURE)]
    if options.second_disk:
        disks.append(where.disk(SECOND_DISK_SIGNATURE))
    return MachineSpec(options.name, tuple(disks))


def donor(
    *,
    name: str = "donor",
    release: Release = SERVER_2003,
    arch: Architecture = Architecture.X86,
    directory: str = "WINNT",
    control_sets: tuple[ControlSet, ...] | None = None,
    select: Select | None = None,
    driver: DriverFile = DriverFile.GOOD,
    windows_mib: int = 48,
) -> MachineSpec:
    """A healthy machine of another layout: an OEM partition first, then Windows on the active one with its loader.

    Without ``control_sets`` it has two, both with symmpi and its binding; ``driver=DriverFile.ABSENT`` takes the file.
    """
    sets = control_sets or tuple(ControlSet(number, Symmpi.READY, binding=True) for number in (1, 2))
    layout = _Layout()
    oem_mib = 4
    letters = (Letter("C", DONOR_SIGNATURE, layout.start_after(oem_mib)),)
    facts = SystemFacts(release, arch, "DONOR", sets, select or Select(), letters)
    entry = arc(2, directory)
    files = (
        *loader_files(boot_ini(entry, (entry, "Windows Server 2003, Standard"))),
        *windows_files(
            directory,
            release,
            arch,
            system=system_hive(facts),
            software=software_hive(release, rf"C:\{directory}"),
        ),
        *symmpi_file(driver, directory, release, arch),
    )
    layout.add(oem_mib, _OEM, None)
    layout.add(windows_mib, _NTFS, Volume(FileSystem.NTFS, files), active=True)
    return MachineSpec(name, (layout.disk(DONOR_SIGNATURE),))


def _boot_ini(options: Server1) -> str | None:
    if options.boot_ini_missing:
        return None
    if options.boot_ini_text is not None:
        return options.boot_ini_text
    number, disk = options.arc_partition, options.arc_disk
    names = [options.directory] + (["W2"] if options.second_installation else [])
    entries = [(arc(number, name, disk=disk), f"Windows Server 2003 in {name}") for name in names]
    return boot_ini(arc(number, options.boots_from, disk=disk), *entries)


def _windows(options: Server1, letters: tuple[Letter, ...]) -> tuple[File, ...]:
    sets = tuple(
        ControlSet(number, options.symmpi, options.binding, options.instance) for number in options.control_sets
    )
    select = options.select or Select(last_known_good=options.control_sets[-1])
    facts = SystemFacts(options.release, options.arch, "SERVER1", sets, select, letters, options.boot_device)
    system: Content | None = system_hive(facts, state=options.system_state)
    if options.system_file is not None:
        system = HostFile(options.system_file)
    if options.system_missing:
        system = None
    default = options.boots_from
    files = _installation(options, default, system)
    files += symmpi_file(options.driver, default, options.release, options.arch)
    if options.second_installation:
        healthy = tuple(ControlSet(number) for number in (1, 2))
        other = SystemFacts(options.release, options.arch, "OLDSERVER", healthy, Select(), letters)
        files += _installation(options, options.directory, system_hive(other))
    files = tuple(file for file in files if file.path.rpartition("\\")[2] not in options.without)
    return files + options.extra + user_files()


def _installation(options: Server1, directory: str, system: Content | None) -> tuple[File, ...]:
    software = software_hive(options.release, rf"D:\{directory}")
    return windows_files(directory, options.release, options.arch, system=system, software=software)


def _decoy(options: Server1, letters: tuple[Letter, ...]) -> tuple[File, ...]:
    sets = tuple(ControlSet(number, Symmpi.READY, binding=True) for number in (1, 2))
    facts = SystemFacts(options.release, options.arch, "DECOY", sets, Select(), letters)
    files = _installation(options, "WINDOWS", system_hive(facts))
    return files + symmpi_file(DriverFile.GOOD, "WINDOWS", options.release, options.arch)
