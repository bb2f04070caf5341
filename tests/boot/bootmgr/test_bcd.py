"""BCD stores: those of real machines against what hivexregedit says is in them, and hostile ones."""

import contextlib
import re
import struct
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.machines import bcd
from tests.machines.build import content
from tests.machines.spec import File
from tests.machines.spec import Hive as HiveSpec
from tests.machines.tools import run
from tests.registry.support import real_bcds, real_file

from bootgraft.boot.bootmgr import bcd as reader
from bootgraft.boot.bootmgr.bcd import BcdStore, ElementFormat, ElementType, ObjectType, read_store
from bootgraft.boot.bootmgr.bcd_device import Device, FileDevice, LocateDevice, PartitionDevice
from bootgraft.errors import BootConfigError, HiveError
from bootgraft.machine import GptPartition, MbrPartition
from bootgraft.registry.hive import Hive

GUID_A, GUID_B, GUID_C = (f"5189b25d-0000-4bf2-bca4-289b11bd290{digit}" for digit in "abc")
Exported = dict[str, dict[str, tuple[int, bytes]]]


class Bytes:
    """A hive file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        raise AssertionError("a reader wrote")


def store_of(data: bytes) -> BcdStore:
    return read_store(Hive.open(Bytes(data), name="BCD"))


def made(spec: HiveSpec, cache: Path) -> BcdStore:
    return store_of(content(File("\\BCD", spec), cache))


def export(path: Path) -> Exported:
    """Every key with its values, by hivexregedit."""
    said = run("hivexregedit", "--export", path, "\\").decode()
    keys: Exported = {}
    key = ""
    for line in said.splitlines():
        if line.startswith("["):
            key = line[2:-1]
            keys[key] = {}
        elif line.startswith('"'):
            name, _, value = line[1:].partition('"=')
            keys[key][name] = _value(value)
    return keys


def _value(text: str) -> tuple[int, bytes]:
    if text.startswith("dword:"):
        return 4, struct.pack("<I", int(text[6:], 16))
    found = re.fullmatch(r"hex\((\w+)\):([0-9a-f,]*)", text)
    assert found, text
    return int(found[1], 16), bytes.fromhex(found[2].replace(",", ""))


def expected(number: int, data: bytes) -> object:
    """What an element means, decoded a second time; devices by their own function."""
    text = data.decode("utf-16-le", "replace") if len(data) % 2 == 0 else ""
    match number >> 24 & 0xF:
        case 1:
            return device_facts(data)
        case 2:
            return text.split("\0")[0]
        case 3:
            return text.split("\0")[0].strip("{}").lower()
        case 4:
            return tuple(each.strip("{}").lower() for each in text.split("\0") if each)
        case 5:
            return sum(byte << 8 * place for place, byte in enumerate(data))
        case 6:
            return data[0] != 0
        case 7:
            return struct.unpack(f"<{len(data) // 8}Q", data)
    return data


def device_facts(data: bytes, at: int = 0x10) -> tuple[object, ...]:
    """What kind of device it is and which partition or file it names, read at the places where real stores have it."""
    (kind,) = struct.unpack_from("<I", data, at)
    if kind == 6:
        if data[at + 0x24] == 0:
            own, disk = data[at + 0x10 : at + 0x20], data[at + 0x28 : at + 0x38]
            return "gpt", str(uuid.UUID(bytes_le=disk)).upper(), str(uuid.UUID(bytes_le=own)).upper()
        offset, signature = struct.unpack_from("<Q", data, at + 0x10), struct.unpack_from("<I", data, at + 0x28)
        return "mbr", *signature, *offset
    if kind == 0 and data[at + 0x10] == 3:
        nested = at + 0x34
        (length,) = struct.unpack_from("<I", data, nested + 8)
        return "ram", device_facts(data, nested), data[nested + length :].decode("utf-16-le").split("\0")[0]
    if kind == 8:
        return "locate", *struct.unpack_from("<I", data, at + 0x14)
    return ("boot",) if kind == 5 else (kind,)


def facts_of(device: Device) -> tuple[object, ...]:
    match device:
        case PartitionDevice(MbrPartition(signature, offset)):
            return "mbr", signature, offset
        case PartitionDevice(GptPartition(disk, own)):
            return "gpt", disk, own
        case FileDevice("RAM disk", parent, path):
            return "ram", facts_of(parent), path
        case LocateDevice(element):
            return "locate", element
    return ("boot",)


@pytest.mark.parametrize("name", real_bcds())
def test_a_real_store(name: str) -> None:
    path = real_file(name)
    keys = export(path)
    store = store_of(path.read_bytes())
    assert store.problems == ()
    guids = {match[1].lower() for key in keys if (match := re.fullmatch(r"Objects\\\{([^\\]*)\}", key, re.IGNORECASE))}
    assert {each.guid for each in store.objects} == guids
    count = 0
    for each in store.objects:
        described = next(key for key in keys if key.lower() == rf"objects\{{{each.guid}}}\description")
        assert each.type == int.from_bytes(keys[described]["Type"][1], "little")
        for element in each.elements:
            kind = f"{element.type:08x}"
            where = next(key for key in keys if key.lower() == rf"objects\{{{each.guid}}}\elements\{kind}")
            data = keys[where]["Element"][1]
            assert element.data == data
            value = element.value
            facts = facts_of(value) if isinstance(value, Device) else value
            assert facts == expected(element.type, data), where
            count += 1
    assert count == sum(1 for key in keys if re.fullmatch(r"Objects\\[^\\]*\\Elements\\[^\\]*", key, re.IGNORECASE))


def test_the_store_of_a_real_windows_7() -> None:
    store = store_of(real_file("bcd/bios/w7-mbr-en/BCD").read_bytes())
    manager = store.bootmgr
    assert manager is not None
    default = store.text(manager, ElementType.DEFAULT)
    assert default == "499cab97-cce8-11e5-b7bf-b8cf04c6390b"
    assert store.guids(manager, ElementType.DISPLAY_ORDER) == (default,)
    entry = store.object(default)
    assert entry is not None
    assert (entry.type, store.text(entry, ElementType.DESCRIPTION)) == (ObjectType.OS_LOADER, "Windows 7")
    assert store.text(entry, ElementType.PATH) == "\\Windows\\system32\\winload.exe"
    (recovery,) = store.guids(entry, ElementType.RECOVERY_SEQUENCE)
    assert store.object(recovery) is not None
    resume = store.object(store.text(entry, ElementType.DEFAULT) or "")
    assert resume is not None
    assert resume.type == ObjectType.RESUME


def test_what_is_inherited_and_what_hides_it(machine_cache: Path) -> None:
    child = bcd.Entry(GUID_A, {0x14000006: (GUID_B, GUID_C), 0x12000004: "own"})
    parents = (
        bcd.Entry(GUID_B, {0x14000006: (GUID_A,), 0x12000004: "first", 0x12000005: "first"}),  # inherits from its child
        bcd.Entry(GUID_C, {0x12000005: "second", 0x22000002: "second"}),
    )
    store = made(bcd.store(child, *parents), machine_cache)
    owner = store.object(GUID_A.upper())
    assert owner is not None
    assert [store.text(owner, each) for each in (0x12000004, 0x12000005, 0x22000002, 0x12000030)] == [
        "own",
        "first",
        "second",
        None,
    ]


def test_values_that_do_not_fit_their_number(machine_cache: Path) -> None:
    wrong = bcd.Entry(
        GUID_A,
        {0x11000001: b"\x06", 0x12000002: b"\x01\x02", 0x25000004: b"\x1e\x00\x00", 0x26000022: b"", 0x24000001: "{x}"},
    )
    store = made(bcd.store(wrong), machine_cache)
    owner = store.object(GUID_A)
    assert owner is not None
    assert str(store.device(owner, 0x11000001)) == "a damaged element"
    assert (store.text(owner, 0x12000002), store.number(owner, 0x25000004)) == (None, 30)
    assert (store.number(owner, 0x26000022), store.guids(owner, 0x24000001)) == (None, ())
    assert [problem.partition(":")[0].rpartition("\\")[2] for problem in store.problems] == ["11000001"]


def test_names_that_are_no_guid_and_no_number(machine_cache: Path) -> None:
    names = ("bootmgr", f"{{{GUID_A}}}", f"{{{GUID_A}}}\\Elements", f"{{{GUID_A}}}\\Elements\\path")
    text = bcd.store().text + "".join(f"\n[\\Objects\\{name}]\n" for name in names)
    store = made(HiveSpec(text, 3), machine_cache)
    assert sorted(problem.partition(": ")[2] for problem in store.problems) == [
        "it has no element's number, or no value Element",
        "the name is no GUID",
    ]
    assert store.object(GUID_A) is not None


def test_a_hive_that_is_no_store(machine_cache: Path) -> None:
    with pytest.raises(BootConfigError, match="without the key Objects"):
        made(HiveSpec("[\\Select]\n", 3), machine_cache)


def test_more_than_any_store_needs(machine_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_OBJECTS", 1)
    with pytest.raises(BootConfigError, match="more than 1 objects"):
        made(bcd.store(), machine_cache)
    monkeypatch.undo()
    monkeypatch.setattr(reader, "MAX_ELEMENTS", 1)
    with pytest.raises(BootConfigError, match="more than 1 elements"):
        made(bcd.store(bcd.loader(GUID_A, bcd.boot_device())), machine_cache)


def test_the_forms_have_the_numbers_that_microsoft_gives_them() -> None:
    assert [each.value for each in ElementFormat] == list(range(1, 8))


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_stores_give_a_store_or_one_clear_error(machine_cache: Path, data: st.DataObject) -> None:
    spec = bcd.store(bcd.bootmgr(bcd.boot_device(), GUID_A, (GUID_A,)), bcd.loader(GUID_A, bcd.boot_device()))
    hive = bytearray(content(File("\\BCD", spec), machine_cache))
    for _ in range(data.draw(st.integers(1, 6))):
        hive[data.draw(st.integers(4096, len(hive) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BootConfigError, HiveError):
        store = store_of(bytes(hive))
        for each in store.objects:
            store.device(each, ElementType.DEVICE)
            store.text(each, ElementType.PATH)
            store.guids(each, ElementType.DISPLAY_ORDER)
