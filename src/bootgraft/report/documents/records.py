"""What a Windows recorded of its last starts, as ``inspect`` and ``check --why`` print it."""

from typing import Literal

from msgspec import Struct


class RecordedStopDocument(Struct, frozen=True):
    """One STOP: code and arguments in hexadecimal (``0x7b``), and what recorded it."""

    code: str
    arguments: tuple[str, ...]
    recorded_in: str


class RecordedFailureDocument(Struct, frozen=True):
    """One thing that failed in a start; ``names`` are the services or files that it is about."""

    time: str | None
    kind: Literal["driver", "service", "device", "signature", "disk", "volume", "dump"]
    text: str
    names: tuple[str, ...]
    record: str


class RecordedStartDocument(Struct, frozen=True):
    """One start. Times are UTC, null where nobody recorded them.

    ``resumed`` is when it was last resumed, by fast start-up or from hibernation. ``failed`` is what the next start
    noted of it.
    """

    began: str | None
    resumed: str | None
    ended: str | None
    end: Literal["clean", "stopped", "cut-off", "unrecorded"]
    stop: RecordedStopDocument | None
    failed: bool
    failures: tuple[RecordedFailureDocument, ...]


class CrashDumpDocument(Struct, frozen=True):
    """One crash dump; the time is UTC, ``build`` the Windows' that wrote it."""

    stop: RecordedStopDocument
    build: int
    time: str | None


class BootLogDocument(Struct, frozen=True):
    """The last start in ``ntbtlog.txt``; the time is by the guest's clock."""

    time: str | None
    loaded: int
    not_loaded: tuple[str, ...]


class DeviceInstallDocument(Struct, frozen=True):
    """One installation of a device; the time is by the guest's clock, ``error`` null where it succeeded."""

    time: str
    what: str
    error: str | None


class FirstBootScriptDocument(Struct, frozen=True):
    """The last script in virt-v2v's first-boot log; ``times`` is how often in a row it ended like that."""

    script: str
    exit_code: int
    times: int


class RecordMatchDocument(Struct, frozen=True):
    """What was recorded, on whatever machine this Windows ran then, and the ids of the findings that may explain it."""

    record: str
    findings: tuple[str, ...]


class RecordsDocument(Struct, frozen=True):
    """All of one installation, whose name ``windows`` is.

    ``last_record`` is when the newest record of the event log was written, in UTC. ``matches`` is only there in
    ``check``. ``unreadable`` says of each log that could not be read, or not to its end, why.
    """

    windows: str
    starts: tuple[RecordedStartDocument, ...]
    last_record: str | None
    dumps: tuple[CrashDumpDocument, ...]
    boot_log: BootLogDocument | None
    installs: tuple[DeviceInstallDocument, ...]
    startup_repair: tuple[str, ...]
    first_boot: FirstBootScriptDocument | None
    matches: tuple[RecordMatchDocument, ...]
    unreadable: tuple[str, ...]
