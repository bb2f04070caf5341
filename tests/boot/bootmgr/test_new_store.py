"""The store that bootgraft makes, against those that Setup made on real machines, as hivexregedit has both."""

import re
from pathlib import Path

import pytest
from msgspec import Struct
from tests.boot.bootmgr.test_bcd import Bytes, Exported, export, store_of
from tests.machines import bcd
from tests.registry.support import FILETIME, real_file
from tests.windows.hives import spec_bytes

from bootgraft.boot.bootmgr.bcd import BOOTMGR, BcdStore
from bootgraft.boot.bootmgr.new_store import DESCRIPTOR, MEMORY_TESTER, ROOT_KEY, StoreEntry, fill, store_objects
from bootgraft.machine import Firmware
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.survey import verify
from bootgraft.registry.newhive import new_hive

DEVICE, SYSTEM = bcd.mbr_device(0x3B7A19C4, 1 << 20), bcd.mbr_device(0x3B7A19C4, 1 << 16)
ENTRY = StoreEntry("one", DEVICE, "\\Windows", "Windows 10", (10, 0), is_server=False, resumes=True)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Elements = dict[int, bytes]


class Real(Struct, frozen=True):
    """A store of a real machine, and what its Windows is."""

    path: str
    firmware: Firmware
    title: str
    version: tuple[int, int]


REAL = (
    Real("bcd/uefi/w10-regipy/BCD", Firmware.UEFI, "Windows 10", (10, 0)),
    Real("bcd/bios/w10-mbr-en-a/BCD", Firmware.BIOS, "Windows 10", (10, 0)),
    Real("bcd/bios/w7-mbr-en/BCD", Firmware.BIOS, "Windows 7", (6, 1)),
)
NOT_OURS = {
    0x14000008, 0x16000009,  # the recovery environment, which `reagentc` registers
    0x15000065, 0x15000066,  # what the menu said at the last start
    0x15000013, 0x15000014, 0x15000011, 0x16000020,  # how a debugger was set up
    0x25000061, 0x26000070, 0x26000004, 0x250000F0,  # what was set by hand
}  # fmt: skip


def made(firmware: Firmware, *entries: StoreEntry, template: BcdStore | None = None) -> bytes:
    objects = store_objects(firmware, SYSTEM, entries, template)
    return new_hive(ROOT_KEY, DESCRIPTOR, lambda hive: fill(hive, objects), filetime=FILETIME, name="BCD")


def objects_of(data: bytes, folder: Path) -> dict[str, Elements]:
    path = folder / "store"
    path.write_bytes(data)
    return _objects(export(path))


def _objects(keys: Exported) -> dict[str, Elements]:
    found: dict[str, Elements] = {}
    for key, values in keys.items():
        match = re.fullmatch(r"Objects\\\{([^\\]*)\}(?:\\Elements\\([0-9a-f]{8}))?", key, re.IGNORECASE)
        if match:
            elements = found.setdefault(match[1].lower(), {})
            if match[2]:
                elements[int(match[2], 16)] = values["Element"][1]
    return found


def named(store: dict[str, Elements], guid: str, number: int) -> str:
    return store[guid][number].decode("utf-16-le").strip("{}\0").lower()


@pytest.mark.parametrize("real", REAL, ids=lambda each: each.path.split("/")[-2])
def test_it_says_what_setup_says(real: Real, tmp_path: Path) -> None:
    theirs = _objects(export(real_file(real.path)))
    default = named(theirs, BOOTMGR, 0x23000003)
    resume = named(theirs, default, 0x23000003)
    entry = StoreEntry("x", theirs[default][0x21000001], "\\Windows", real.title, real.version, False, True)
    objects = store_objects(real.firmware, theirs[BOOTMGR][0x11000001], [entry], None)
    data = new_hive(ROOT_KEY, DESCRIPTOR, lambda hive: fill(hive, objects), filetime=FILETIME, name="BCD")
    ours = objects_of(data, tmp_path)
    renamed = {entry.guid: default, entry.resume_guid: resume}
    assert {renamed.get(guid, guid) for guid in ours} <= set(theirs)
    for guid, elements in ours.items():
        real_elements = theirs[renamed.get(guid, guid)]
        for number, value in elements.items():
            if number not in NOT_OURS:
                assert _same(number, value, renamed) == _same(number, real_elements[number], {}), f"{guid} {number:08x}"
        assert set(real_elements) - set(elements) <= NOT_OURS, guid


def _same(number: int, value: bytes, renamed: dict[str, str]) -> bytes | str:
    """A value without what may differ: case of paths, the names of the Windows' own objects."""
    if number >> 24 & 0xF not in (2, 3, 4):
        return value
    text = value.decode("utf-16-le").rstrip("\0").lower()
    return _GUID.sub(lambda each: renamed.get(each[0], each[0]), text)


def test_the_hive_is_sound_and_whose_it_is(tmp_path: Path) -> None:
    data = made(Firmware.UEFI, ENTRY)
    assert verify(Hive.open(Bytes(data), name="BCD")) == ()
    assert made(Firmware.UEFI, ENTRY) == data, "a plan that is made twice is the same"
    path = tmp_path / "BCD"
    path.write_bytes(data)
    keys = export(path)
    assert {name: value[1] for name, value in keys["Description"].items() if name != "KeyName"} == {
        "System": b"\1\0\0\0",
        "TreatAsSystem": b"\1\0\0\0",
    }


def test_its_keys_belong_to_whom_they_belong_in_real_stores() -> None:
    assert DESCRIPTOR in real_file("bcd/uefi/w10-a/BCD").read_bytes()


def test_a_template_goes_before_what_is_built_in(tmp_path: Path) -> None:
    loader: dict[int, str | bytes | tuple[str, ...]] = {
        0x12000005: "de-DE",
        0x25000020: b"\x03",
        0x26000022: b"\x01",  # Windows PE: never of an installed one
        0x42000002: "\\system32\\winload.exe",
    }
    ram_disk = loader | {0x42000003: "\\boot.wim", 0x25000020: b"\x02"}
    settings = bcd.Entry("4636856e-540f-4170-a130-a84776f4c654", {0x15000011: b"\x00", 0x15000013: b"\x02"}, 0x20100000)
    template = store_of(
        spec_bytes(
            bcd.store(
                bcd.Entry(BOOTMGR, {0x25000004: b"\x05", 0x24000001: (BOOTMGR,)}, bcd.BOOT_MANAGER),
                bcd.Entry("5189b25c-0000-0000-0000-000000000001", ram_disk),
                bcd.Entry("5189b25c-0000-0000-0000-000000000002", loader),
                settings,
            )
        )
    )
    ours = objects_of(made(Firmware.BIOS, ENTRY, template=template), tmp_path)
    assert ours[ENTRY.guid][0x25000020] == b"\x03".ljust(8, b"\0")
    assert named(ours, ENTRY.guid, 0x12000005) == "de-de"
    assert 0x26000022 not in ours[ENTRY.guid]
    assert ours[BOOTMGR][0x25000004] == b"\x05".ljust(8, b"\0")
    assert named(ours, BOOTMGR, 0x24000001) == ENTRY.guid
    assert ours[settings.guid] == {0x15000011: bytes(8), 0x15000013: b"\x02".ljust(8, b"\0")}
    assert named(ours, MEMORY_TESTER, 0x12000002) == "\\boot\\memtest.exe"


def test_a_real_template_is_taken(tmp_path: Path) -> None:
    template = store_of(real_file("bcd/templates/BCD-Template/BCD-Template").read_bytes())
    ours = objects_of(made(Firmware.UEFI, ENTRY, template=template), tmp_path)
    assert ours[ENTRY.guid][0x25000020] == b"\x01".ljust(8, b"\0")
    assert not any(number >> 28 == 4 for elements in ours.values() for number in elements)
    assert not any(0x26000022 in elements for elements in ours.values())
    assert named(ours, ENTRY.guid, 0x12000002) == "\\windows\\system32\\winload.efi"
