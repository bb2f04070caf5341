r"""All that one Windows recorded of its last starts, read within bounds.

A log that is damaged, or cannot be read at that place of the volume, is named and left out: nothing here ever keeps a
command from its answer.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from msgspec import Struct

from bootgraft.errors import BootgraftError, FileMissingError
from bootgraft.filesystems.base import FileSystem, OpenFile
from bootgraft.text import printable
from bootgraft.windows.events import crashdump, starts
from bootgraft.windows.events.crashdump import Bugcheck, CrashDump, read_dump
from bootgraft.windows.events.evt import read_evt
from bootgraft.windows.events.evtx import read_evtx
from bootgraft.windows.events.failures import is_failure
from bootgraft.windows.events.logtext import last_lines
from bootgraft.windows.events.ntbtlog import BootLog, last_boot
from bootgraft.windows.events.record import EventRecord, LogReading
from bootgraft.windows.events.setuplog import DeviceInstall, last_installs
from bootgraft.windows.events.starts import Start, read_starts
from bootgraft.windows.events.startup_repair import NAME as REPAIR_LOG
from bootgraft.windows.events.startup_repair import bugchecks, root_causes
from bootgraft.windows.installation import Installation
from bootgraft.windows.leftovers.first_boot import LOG, ScriptRun, read_last_run
from bootgraft.windows.versions import VISTA

_LOGS = r"system32\winevt\Logs"
_SYSTEM_LOGS = {rf"{_LOGS}\System.evtx": read_evtx, r"system32\config\SysEvent.Evt": read_evt}
_OTHER_LOGS = (
    rf"{_LOGS}\Microsoft-Windows-CodeIntegrity%4Operational.evtx",
    rf"{_LOGS}\Microsoft-Windows-Kernel-PnP%4Configuration.evtx",
)
_MAX_DUMPS = 64
_NEVER = datetime.min.replace(tzinfo=UTC)
_MAX_OTHERS = 256
_Read = TypeVar("_Read")


class GuestRecords(Struct, frozen=True):
    """What was found. ``last`` is when the newest record of the system's log was written, in UTC.

    ``repair`` are the root causes that Startup Repair named, ``repair_stops`` the STOPs among them. ``unreadable`` says
    of each log that could not be read, or not to its end, why.
    """

    starts: tuple[Start, ...] = ()
    last: datetime | None = None
    dumps: tuple[CrashDump, ...] = ()
    boot_log: BootLog | None = None
    installs: tuple[DeviceInstall, ...] = ()
    repair: tuple[str, ...] = ()
    repair_stops: tuple[Bugcheck, ...] = ()
    first_boot: ScriptRun | None = None
    unreadable: tuple[str, ...] = ()


class _Reader:
    """The logs of one installation."""

    def __init__(self, filesystem: FileSystem, directory: str) -> None:
        self._filesystem = filesystem
        self._directory = directory
        self.unreadable: list[str] = []

    def event_log(self, path: str, read: Callable[[OpenFile], LogReading]) -> LogReading:
        """What a log holds; nothing where there is none."""
        reading = self.read(path, read) or LogReading()
        if reading.problem is not None:
            self._complain(path, reading.problem)
        return reading

    def lines(self, path: str) -> list[str]:
        """The last lines of a text; none where there is no such file."""
        return self.read(path, last_lines) or []

    def read(self, path: str, read: Callable[[OpenFile], _Read]) -> _Read | None:
        """What reading a file below the Windows directory comes to; None where it is not there or cannot be read."""
        try:
            return read(OpenFile(self._filesystem, f"{self._directory}\\{path}"))
        except FileMissingError:
            return None
        except BootgraftError as error:
            self._complain(path, error.what)
            return None

    def dumps(self) -> tuple[CrashDump, ...]:
        """The headers of its crash dumps, the oldest first."""
        found = (self.read(path, _dump_head) for path in ("MEMORY.DMP", *self._minidumps()))
        timed = [each for each in found if each is not None]
        return tuple(sorted(timed, key=lambda each: each.time or _NEVER))

    def first_boot(self, installation: Installation) -> ScriptRun | None:
        """What virt-v2v's first-boot log ends with."""
        try:
            return read_last_run(installation)
        except BootgraftError as error:
            self.unreadable.append(printable(f"{LOG}: {error.what}"))
            return None

    def _minidumps(self) -> Iterator[str]:
        try:
            entries = self._filesystem.listdir(f"{self._directory}\\Minidump")
        except FileMissingError:
            return
        except BootgraftError as error:
            self._complain("Minidump", error.what)
            return
        names = [each.name for each in entries if not each.is_directory and each.name.casefold().endswith(".dmp")]
        yield from (f"Minidump\\{name}" for name in names[-_MAX_DUMPS:])

    def _complain(self, path: str, what: str) -> None:
        self.unreadable.append(printable(f"{self._directory}\\{path}: {what}"))


def read_records(installation: Installation) -> GuestRecords:
    """Read what it recorded. Raises nothing for damage on its volume."""
    reader = _Reader(installation.volume.filesystem(), installation.directory)
    system = _first_there(reader)
    others = [reader.event_log(path, partial(read_evtx, wanted=is_failure, enough=_many)) for path in _OTHER_LOGS]
    dumps = reader.dumps()
    repair = root_causes(reader.lines(rf"system32\LogFiles\Srt\{REPAIR_LOG}"))
    log = r"INF\setupapi.dev.log" if installation.version >= VISTA else "setupapi.log"
    return GuestRecords(
        starts=read_starts(system.records, (record for each in others for record in each.records), dumps),
        last=system.last,
        dumps=dumps,
        boot_log=last_boot(reader.lines("ntbtlog.txt")),
        installs=last_installs(reader.lines(log)),
        repair=repair,
        repair_stops=bugchecks(repair),
        first_boot=reader.first_boot(installation),
        unreadable=tuple(reader.unreadable),
    )


def _first_there(reader: _Reader) -> LogReading:
    """The system's log: a Windows that was upgraded from XP still has the old one, which ended then."""
    for path, read in _SYSTEM_LOGS.items():
        reading = reader.event_log(path, partial(read, wanted=_wanted, enough=starts.enough))
        if reading != LogReading():
            return reading
    return LogReading()


def _wanted(source: str, identifier: int) -> bool:
    return starts.is_wanted(source, identifier) or is_failure(source, identifier)


def _many(found: list[EventRecord]) -> bool:
    return len(found) > _MAX_OTHERS


def _dump_head(file: OpenFile) -> CrashDump | None:
    return read_dump(file.read(0, crashdump.HEADER), printable(file.path))
