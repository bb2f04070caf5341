"""The plans of several rounds become one: what both write is written once, for what was there before the first."""

import pytest
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.changes import Change, CreateKey, DeleteValue, FileId, Plan, RegistryData, SetValue, WriteFile
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.errors import BootgraftError
from bootgraft.repair.chainplan import join, plan_chain, volumes_written

BOOT_INI = FileId(0, 8192, "disk 0 partition 1", "\\boot.ini")
DRIVER = FileId(0, 16384, "disk 0 partition 2", "\\WINDOWS\\system32\\drivers\\symmpi.sys")
HIVE = FileId(0, 16384, "disk 0 partition 2", "\\WINDOWS\\system32\\config\\SYSTEM")
FIRST = WriteFile(BOOT_INI, b"first", "0" * 64, "boot.ini", old=b"old")
SECOND = WriteFile(BOOT_INI, b"second", FIRST.after, "boot.ini", old=b"first")
DWORD = [RegistryData(4, bytes([number, 0, 0, 0])) for number in range(3)]


def finding(*changes: Change) -> Finding:
    return Finding("x", Severity.BLOCKER, "x", "x.", ("x",), Remedy.CHANGES, changes)


def value(number: int, before: RegistryData | None) -> SetValue:
    return SetValue(HIVE, "Select", "Default", DWORD[number], before)


def test_a_plan_of_findings_has_each_change_once() -> None:
    assert plan_chain((finding(FIRST), finding(), finding(FIRST, value(1, None)))) == Plan((FIRST, value(1, None)))


def test_rounds_follow_each_other() -> None:
    driver = WriteFile(DRIVER, b"MZ", None, "donor")
    joined = join(Plan((FIRST,), ("one", "both")), Plan((driver, CreateKey(HIVE, "a")), ("both", "two")))
    assert joined == Plan((FIRST, driver, CreateKey(HIVE, "a")), ("one", "both", "two"))


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        (FIRST, SECOND, WriteFile(BOOT_INI, b"second", "0" * 64, "boot.ini", old=b"old")),
        (value(1, DWORD[0]), value(2, DWORD[1]), value(2, DWORD[0])),
        (value(1, None), value(2, DWORD[1]), value(2, None)),
        (
            value(1, DWORD[0]),
            DeleteValue(HIVE, "SELECT", "default", DWORD[1]),
            DeleteValue(HIVE, "SELECT", "default", DWORD[0]),
        ),
    ],
)
def test_what_both_write_is_written_once(first: Change, second: Change, joined: Change) -> None:
    assert join(Plan((first,)), Plan((second,))).changes == (joined,)


def test_the_volumes_that_are_written() -> None:
    machine = machine_of([FakePartition(volume_of()), FakePartition(volume_of())])
    one, two = machine.volumes()
    assert volumes_written(Plan((FIRST, value(1, None), CreateKey(HIVE, "a"))), machine) == (one, two)
    gone = FileId(0, 512, "disk 0 partition 1", "\\boot.ini")
    with pytest.raises(BootgraftError, match="its partition is gone"):
        volumes_written(Plan((WriteFile(gone, b"", None, ""),)), machine)


def test_of_two_findings_about_one_place_the_second_waits_for_the_next_round() -> None:
    other = finding(WriteFile(BOOT_INI, b"other", "0" * 64, "boot.ini", old=b"old"), value(1, None))
    assert plan_chain((finding(FIRST), other)) == Plan((FIRST,))
