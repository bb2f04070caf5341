"""Changes as data: what a plan tells of itself."""

import hashlib

from msgspec.structs import replace

from bootgraft.changes import (
    CreateKey,
    DeleteKey,
    DeleteValue,
    FileId,
    Plan,
    RegistryData,
    SetValue,
    WriteFile,
    WriteSectors,
    describe_place,
    place_of,
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


def test_what_a_change_is_about_has_no_case_and_no_content() -> None:
    key, value = REGISTRY[0], REGISTRY[1]
    assert isinstance(key, CreateKey)
    assert isinstance(value, SetValue)
    upper = replace(HIVE, path=HIVE.path.upper(), volume="another name")
    assert place_of(SetValue(upper, value.key.upper(), "START", RegistryData(1, b""), DWORD)) == place_of(value)
    assert place_of(DeleteValue(HIVE, value.key, "start", DWORD)) == place_of(value)
    assert place_of(WriteFile(replace(FILE, path=FILE.path.upper()), b"", "x", "y")) == place_of(WRITE)
    assert place_of(DeleteKey(HIVE, key.key)) != place_of(key)
    sharp, double = (WriteFile(replace(FILE, path=f"\\Stra{each}e"), b"", None, "x") for each in ("ß", "ss"))
    others = (WriteSectors(0, 512, bytes(2), bytes(2), "x"), WriteSectors(0, 512, bytes(4), bytes(4), "x"))
    assert len({place_of(each) for each in (*REGISTRY, WRITE, sharp, double, *others)}) == 9


def test_where_a_change_is_made() -> None:
    assert [describe_place(each) for each in (WRITE, REGISTRY[1], WriteSectors(1, 512, b"", b"", "x"))] == [
        "disk 0 partition 1: \\WINDOWS\\system32\\drivers\\symmpi.sys",
        "disk 0 partition 1: \\WINDOWS\\system32\\config\\SYSTEM: ControlSet001\\Services\\symmpi",
        "disk 1, byte 512",
    ]


def test_an_empty_plan() -> None:
    assert (Plan(()).files(), Plan(()).registry(), Plan(()).notes) == ((), (), ())
