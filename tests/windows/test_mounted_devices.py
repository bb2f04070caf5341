"""Drive letters."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.machines import oracles
from tests.windows.hives import MemoryFile, hive_of, real_bytes, real_system

from bootgraft.machine import MbrPartition
from bootgraft.registry.hive import Hive
from bootgraft.windows import mounted_devices
from bootgraft.windows.mounted_devices import (
    MountedDevice,
    gpt_identity,
    letter_of,
    mbr_identity,
    read_mounted_devices,
)

GUID = "01020304-0506-0708-090A-0B0C0D0E0F10"
HIVE = r"""
[\MountedDevices]
"\\DosDevices\\D:"=hex:78,56,34,12,00,7e,00,00,00,00,00,00
"\\DosDevices\\C:"=hex:78,56,34,12,00,00,10,00,00,00,00,00
"\\dosdevices\\e:"=hex:44,4d,49,4f,3a,49,44,3a,04,03,02,01,06,05,08,07,09,0a,0b,0c,0d,0e,0f,10
"\\??\\Volume{0ad3e0a2-0000-0000-0000-000000000000}"=hex:78,56,34,12,00,00,20,00,00,00,00,00
"""

INTERFACES = r"""
"\\DosDevices\\A:"=hex:5c,00,3f,00,3f,00,5c,00,46,00,44,00,43,00,23,00
"\\DosDevices\\S:"=hex:5f,00,3f,00,3f,00,5f,00,55,00,53,00,42,00
"\\DosDevices\\X:"=hex:01,02,03
"""
NAMED = {
    "\\DosDevices\\D:": "mbr", "\\dosdevices\\e:": "gpt", "\\DosDevices\\A:": "interface",
    "\\DosDevices\\S:": "interface", "\\DosDevices\\X:": "unknown",
}  # fmt: skip


def test_letters() -> None:
    hive = hive_of(HIVE)
    assert letter_of(hive, mbr_identity(0x12345678, 63 * 512)) == "D:"
    assert letter_of(hive, mbr_identity(0x12345678, 1 << 20)) == "C:"
    assert letter_of(hive, mbr_identity(0x12345678, 2 << 20)) is None
    assert letter_of(hive, mbr_identity(0x12345679, 1 << 20)) is None
    assert letter_of(hive, gpt_identity(GUID)) == "E:"


def test_no_mounted_devices() -> None:
    assert letter_of(hive_of(r"[\Select]"), mbr_identity(1, 2)) is None
    assert letter_of(real_system("nt4-sp3-server-dc-vmware-buslogic"), mbr_identity(1, 2)) is None


def test_a_real_machine() -> None:
    hive = real_system("xp-sp3-x86-virtualpc-iecompat")
    key = hive.key("MountedDevices")
    assert key is not None
    value = key.value("\\DosDevices\\C:")
    assert value is not None
    signature, offset = int.from_bytes(value.data[:4], "little"), int.from_bytes(value.data[4:], "little")
    assert offset == 63 * 512
    assert mbr_identity(signature, offset) == value.data
    assert letter_of(hive, mbr_identity(signature, offset)) == "C:"


def test_the_kinds_of_names() -> None:
    found = {each.name: each for each in read_mounted_devices(hive_of(HIVE.rstrip() + INTERFACES)) or ()}
    assert {name: each.kind.value for name, each in found.items() if name in NAMED} == NAMED
    assert found["\\DosDevices\\D:"].place == MbrPartition(0x12345678, 63 * 512)
    assert (found["\\dosdevices\\e:"].letter, found["\\dosdevices\\e:"].guid) == ("E:", GUID)
    assert str(found["\\DosDevices\\A:"]) == "the drive \\??\\FDC#"
    assert str(found["\\DosDevices\\X:"]) == "3 bytes that name nothing known"
    assert found["\\??\\Volume{0ad3e0a2-0000-0000-0000-000000000000}"].letter is None
    assert found["\\DosDevices\\A:"].place is None
    assert found["\\DosDevices\\A:"].guid is None


def test_only_so_many_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounted_devices, "MAX_VALUES", 2)
    assert len(read_mounted_devices(hive_of(HIVE)) or ()) == 2


def test_a_key_that_is_missing_is_not_one_that_is_empty() -> None:
    assert read_mounted_devices(hive_of(r"[\Select]")) is None
    assert read_mounted_devices(hive_of(r"[\MountedDevices]")) == ()


@pytest.mark.parametrize(
    ("machine", "letters"),
    [
        ("xp-sp3-x86-virtualpc-iecompat", {"A:": "interface", "D:": "interface", "C:": "mbr"}),
        ("xp-sp3-x86-vmware-buslogic-vmscsi", {"A:": "interface", "D:": "interface", "C:": "mbr"}),
        ("win7-sp1-x86-vmware-lsisas", {"A:": "interface", "D:": "interface", "E:": "interface", "C:": "mbr"}),
        ("win10-21h2-x64-vmware-nvme-clean", {"A:": "interface", "D:": "interface", "C:": "gpt"}),
    ],
)
def test_real_machines_as_hivexregedit_reads_them(machine: str, letters: dict[str, str], tmp_path: Path) -> None:
    data = real_bytes("hives-system", machine, "SYSTEM")
    (tmp_path / "SYSTEM").write_bytes(data)
    theirs = oracles.export_hive(tmp_path / "SYSTEM", "MountedDevices")["MountedDevices"]
    ours = read_mounted_devices(Hive.open(MemoryFile(data), name="SYSTEM")) or ()
    assert {each.name: f"hex({each.type}):" + each.data.hex(",") for each in ours} == theirs
    assert {each.letter: each.kind.value for each in ours if each.letter} == letters


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_a_place_is_read_as_it_is_written(signature: int, offset: int) -> None:
    assert MountedDevice("x", mbr_identity(signature, offset)).place == MbrPartition(signature, offset)


@given(st.uuids())
def test_a_guid_is_read_as_it_is_written(guid: UUID) -> None:
    assert MountedDevice("x", gpt_identity(str(guid))).guid == str(guid).upper()


@given(st.binary(max_size=64) | st.binary(min_size=12, max_size=12))
def test_any_bytes_can_be_shown(data: bytes) -> None:
    assert str(MountedDevice("x", data)).isprintable()
