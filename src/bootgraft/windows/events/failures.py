r"""Records of something that failed in a start: services and drivers, devices, disks, signatures.

Which record says what: Microsoft, "Service Control Manager events" (7000 to 7026), "Event ID 7, 11, 15, 51, 129, 153"
of disks and storage drivers, "Event ID 55" of NTFS, "Code Integrity event log messages" and "Understanding Application
Control event IDs" (3002 to 3077), "Event ID 219" of Kernel-PnP. Their texts lie in the guest's own message files and
language; what is said here is said in our words, with their numbers.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bootgraft.text import printable
from bootgraft.windows.events.record import EventRecord

_MAX_NAMES = 32
_SHOWN = 160
_CODE_INTEGRITY = "microsoft-windows-codeintegrity"
_PLUG_AND_PLAY = "microsoft-windows-kernel-pnp"
_SERVICES = "service control manager"
_REFUSED = {
    3002: "its page hashes are in no catalog",
    3003: "its page hashes are in no catalog",
    3004: "its hash is in no signature or catalog",
    3023: "it was revoked",
    3033: "its signature is not of the level that is demanded",
    3036: "its certificate was revoked",
    3077: "a Code Integrity policy forbids it",
}
_DISK = {
    7: "bad block",
    9: "no answer in time",
    11: "controller error",
    15: "device not ready",
    51: "error during paging",
    129: "reset after no answer",
    153: "the operation was retried",
}
_DISK_SOURCES = frozenset(
    (
        "atapi",
        "cdrom",
        "disk",
        "iastor",
        "iastora",
        "iastorv",
        "lsi_sas",
        "lsi_scsi",
        "megasas",
        "msahci",
        "pvscsi",
        "storahci",
        "stornvme",
        "storvsc",
        "symmpi",
        "vioscsi",
        "viostor",
        "vmscsi",
    )
)


class FailureKind(StrEnum):
    """What failed."""

    DRIVER = "driver"
    SERVICE = "service"
    DEVICE = "device"
    SIGNATURE = "signature"
    DISK = "disk"
    VOLUME = "volume"
    DUMP = "dump"


class Failure(Struct, frozen=True):
    """One thing that failed. ``names`` are the services or file names that it is about, ``record`` is who says so."""

    time: datetime | None
    kind: FailureKind
    text: str
    names: tuple[str, ...]
    record: str


def is_failure(source: str, identifier: int) -> bool:
    """Whether records of that source and number say that something failed."""
    return _reader(source, identifier) is not None


def read_failure(record: EventRecord) -> Failure | None:
    """What failed by that record; None where it says nothing of the kind, or nothing of a driver."""
    reader = _reader(*record.kind)
    found = None if reader is None else reader(record)
    if found is None:
        return None
    kind, text, names = found
    label = f"{printable(record.source)} {record.id}"
    return Failure(record.time, kind, printable(text)[:_SHOWN], tuple(map(printable, names[:_MAX_NAMES])), label)


_Found = tuple[FailureKind, str, list[str]]


def _reader(source: str, identifier: int) -> Callable[[EventRecord], _Found | None] | None:
    if (source, identifier) in _READERS:
        return _READERS[source, identifier]
    if source == _CODE_INTEGRITY and identifier in _REFUSED:
        return _signature
    if identifier in _DISK and source in _DISK_SOURCES:
        return _disk
    return None


def _not_loaded(record: EventRecord) -> _Found | None:
    names = " ".join(record.texts[:1]).split()
    return (FailureKind.DRIVER, f"did not load: {', '.join(names)}", names) if names else None


def _service(record: EventRecord) -> _Found | None:
    name, reason = (*record.texts, "", "")[:2]
    why = _error(reason) if record.id != 7001 or not reason else f" as it depends on {reason}"
    return (FailureKind.SERVICE, f"service {name} did not start{why}", [name]) if name else None


def _ended(record: EventRecord) -> _Found | None:
    name, reason = (*record.texts, "", "")[:2]
    return (FailureKind.SERVICE, f"service {name} ended{_error(reason)}", [name]) if name else None


def _error(text: str) -> str:
    """``%%1053`` is a number of Windows' own error messages."""
    return f" (error {text.removeprefix('%%')})" if text else ""


def _plug_and_play(record: EventRecord) -> _Found | None:
    driver, device = record.text("FailureName"), record.text("DriverName")
    name = driver.rpartition("\\")[2]
    return (FailureKind.DRIVER, f"{driver or 'a driver'} did not load for {device}", [name] if name else [])


def _device(record: EventRecord) -> _Found | None:
    driver, device = record.text("DriverName"), record.text("DeviceInstanceId")
    if not device:
        return None
    problem, status = record.text("Problem"), record.text("Status")
    names = [record.text("ServiceName") or driver]
    return (FailureKind.DEVICE, f"{device} did not start (problem {problem}, status {status})", names)


def _signature(record: EventRecord) -> _Found | None:
    """Of a driver: programs that some process may not load are no matter of the start."""
    path = record.text("FileNameBuffer") or record.text("File Name") or next(iter(record.texts), "")
    name = path.rpartition("\\")[2]
    if not name.casefold().endswith(".sys"):
        return None
    return (FailureKind.SIGNATURE, f"{path} was refused: {_REFUSED[record.id]}", [name])


def _disk(record: EventRecord) -> _Found | None:
    device = next((each for each in record.texts if each.startswith("\\Device\\")), "")
    return (FailureKind.DISK, f"{device or record.source}: {_DISK[record.id]}", [record.source])


def _corrupt(record: EventRecord) -> _Found | None:
    volume = record.text("DriveName") or next((each for each in record.texts if each), "a volume")
    return (FailureKind.VOLUME, f"the file system of {volume} is damaged", [])


def _no_dump(_: EventRecord) -> _Found | None:
    return (FailureKind.DUMP, "no crash dump could be written", [])


_READERS: dict[tuple[str, int], Callable[[EventRecord], _Found | None]] = {
    (_SERVICES, 7000): _service,
    (_SERVICES, 7001): _service,
    (_SERVICES, 7023): _ended,
    (_SERVICES, 7024): _ended,
    (_SERVICES, 7026): _not_loaded,
    (_PLUG_AND_PLAY, 219): _plug_and_play,
    (_PLUG_AND_PLAY, 411): _device,
    ("ntfs", 55): _corrupt,
    ("microsoft-windows-ntfs", 55): _corrupt,
    ("volmgr", 46): _no_dump,
    ("volmgr", 161): _no_dump,
}
