"""What records of failures are about."""

import pytest
from tests.machines.event_logs import Entry, entry

from bootgraft.windows.events.failures import Failure, FailureKind, is_failure, read_failure
from bootgraft.windows.events.record import EventRecord

PNP = "Microsoft-Windows-Kernel-PnP"
DISK, PORT = "\\Device\\Harddisk0\\DR0", "\\Device\\RaidPort0"
INTEGRITY = "Microsoft-Windows-CodeIntegrity"


def read(each: Entry) -> Failure | None:
    record = EventRecord(1, each.time, each.source, each.id, each.data)
    assert is_failure(*record.kind)
    return read_failure(record)


@pytest.mark.parametrize(
    ("record", "kind", "names", "text"),
    [
        (
            entry("Service Control Manager", 7026, "\r\ncdrom\r\nsptd"),
            FailureKind.DRIVER,
            ("cdrom", "sptd"),
            "did not load: cdrom, sptd",
        ),
        (
            entry("Service Control Manager", 7000, param1="symmpi", param2="%%2"),
            FailureKind.SERVICE,
            ("symmpi",),
            "service symmpi did not start (error 2)",
        ),
        (
            entry("Service Control Manager", 7001, "Browser", "Server", "%%1068"),
            FailureKind.SERVICE,
            ("Browser",),
            "service Browser did not start as it depends on Server",
        ),
        (
            entry("Service Control Manager", 7023, "Netlogon", "%%1355"),
            FailureKind.SERVICE,
            ("Netlogon",),
            "service Netlogon ended (error 1355)",
        ),
        (
            entry(PNP, 219, DriverName="ROOT\\VMBus\\0000", Status="3221226341", FailureName="\\Driver\\vmbusr"),
            FailureKind.DRIVER,
            ("vmbusr",),
            "\\Driver\\vmbusr did not load for ROOT\\VMBus\\0000",
        ),
        (
            entry(
                PNP, 411, DeviceInstanceId="PCI\\VEN_1AF4", ServiceName="viostor", Problem="0x27", Status="0xc0000428"
            ),
            FailureKind.DEVICE,
            ("viostor",),
            "PCI\\VEN_1AF4 did not start (problem 0x27, status 0xc0000428)",
        ),
        (
            entry(INTEGRITY, 3004, FileNameBuffer="\\Device\\HarddiskVolume2\\Windows\\viostor.sys"),
            FailureKind.SIGNATURE,
            ("viostor.sys",),
            "\\Device\\HarddiskVolume2\\Windows\\viostor.sys was refused: its hash is in no signature or catalog",
        ),
        (
            entry("disk", 51, "\\Device\\Harddisk0\\DR0"),
            FailureKind.DISK,
            ("disk",),
            "\\Device\\Harddisk0\\DR0: error during paging",
        ),
        (
            entry("LSI_SAS", 129, "\\Device\\RaidPort0"),
            FailureKind.DISK,
            ("LSI_SAS",),
            "\\Device\\RaidPort0: reset after no answer",
        ),
        (entry("Ntfs", 55, "", "C:"), FailureKind.VOLUME, (), "the file system of C: is damaged"),
        (entry("volmgr", 161), FailureKind.DUMP, (), "no crash dump could be written"),
    ],
    ids=lambda value: f"{value.source}-{value.id}" if isinstance(value, Entry) else "",
)
def test_what_failed(record: Entry, kind: FailureKind, names: tuple[str, ...], text: str) -> None:
    found = read(record)
    assert found is not None
    assert (found.kind, found.names, found.text) == (kind, names, text)


@pytest.mark.parametrize(
    "record",
    [
        entry(INTEGRITY, 3033, FileNameBuffer="\\Windows\\System32\\a.dll"),
        entry("Service Control Manager", 7026),
        entry("Service Control Manager", 7000),
        entry(PNP, 411),
    ],
    ids=lambda record: f"{record.source}-{record.id}",
)
def test_what_is_no_matter_of_the_start(record: Entry) -> None:
    assert read(record) is None


def test_records_of_other_kinds() -> None:
    assert not is_failure("service control manager", 7036)
    assert not is_failure("application", 11)
    assert read_failure(EventRecord(1, None, "outlook", 55)) is None


def test_names_are_made_fit_for_a_terminal() -> None:
    found = read(entry("Service Control Manager", 7000, "evil\x1b[31m\nname" + "x" * 900, "%%2"))
    assert found is not None
    assert "\x1b" not in found.text + "".join(found.names)
    assert len(found.text) <= 160
