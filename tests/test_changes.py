"""Changes as data: what a plan tells of itself."""

import hashlib

from bootgraft.changes import (
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    Plan,
    RegistryData,
    SetValue,
    WriteFile,
)

HIVE = FileId(0, 1048576, "disk 0 partition 1", "\\WINDOWS\\system32\\config\\SYSTEM")
FILE = FileId(0, 1048576, "disk 0 partition 1", "\\WINDOWS\\system32\\drivers\\symmpi.sys")
DWORD = RegistryData(4, b"\0\0\0\0")
WRITE = WriteFile(FILE, b"MZ", None, "donor.vmdk")
REGISTRY = (
    CreateKey(HIVE, "ControlSet001\\Services\\symmpi"),
    SetValue(HIVE, "ControlSet001\\Services\\symmpi", "Start", DWORD, None),
    DeleteValue(HIVE, "ControlSet001\\Services\\symmpi", "Tag", DWORD),
    DeleteKey(HIVE, "ControlSet001\\Services\\other"),
)


def test_a_file_is_named_for_people() -> None:
    assert str(FILE) == "disk 0 partition 1: \\WINDOWS\\system32\\drivers\\symmpi.sys"


def test_a_written_file_knows_what_it_will_be() -> None:
    assert WRITE.after == hashlib.sha256(b"MZ").hexdigest()


def test_a_plan_parts_files_from_registry_and_keeps_the_order() -> None:
    plan = Plan((REGISTRY[0], WRITE, *REGISTRY[1:]))
    assert plan.files() == (WRITE,)
    assert plan.registry() == REGISTRY


def test_changes_are_values() -> None:
    again = SetValue(HIVE, "ControlSet001\\Services\\symmpi", "Start", RegistryData(4, bytes(4)), None)
    assert again == REGISTRY[1]
    assert len({again, *REGISTRY, WRITE}) == 5


def test_an_empty_plan() -> None:
    assert (Plan(()).files(), Plan(()).registry(), Plan(()).notes) == ((), (), ())
