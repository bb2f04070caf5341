"""What a BCD store has wrong besides partitions, in memory; and what is added to a real one, read by hivexregedit."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.boot.bootmgr.test_bcd import Bytes, export, store_of
from tests.boot.bootmgr.test_chain import at, bios, windows
from tests.machines import bcd, vista
from tests.machines.build import content
from tests.machines.spec import File, Hive
from tests.registry.support import FILETIME, Memory, real_file

from bootgraft.boot.bootmgr.bcd import BOOTMGR
from bootgraft.boot.chain import BootChain
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.changes import CreateKey, SetValue
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.registry import integrity
from bootgraft.registry.hive import Hive as RegistryHive

DEFAULT, SECOND, GONE = vista.DEFAULT, vista.SECOND, "5189b25d-0000-4bf2-bca4-289b11bd29ff"
RECOVERY_FILES = (vista.WIM, r"\Recovery\WindowsRE\boot.sdi")
Make = Callable[[Hive], bytes]


@pytest.fixture
def make(machine_cache: Path) -> Make:
    """A function that gives a hive's bytes."""
    return lambda hive: content(File("\\BCD", hive), machine_cache)


def only(chain: BootChain) -> LoaderFault:
    (fault,) = chain.loader_faults
    return fault


def values(fault: LoaderFault) -> list[tuple[str, int, bytes]]:
    """What the changes set: the element's number, the type, the data."""
    return [(each.key[-8:], each.value.type, each.value.data) for each in fault.changes if isinstance(each, SetValue)]


def lists_of(hive: bytes) -> set[bytes]:
    """The signatures of the subkey lists in use, found as cells and not through the keys."""
    cells = (at for at in range(4096, len(hive) - 8, 8) if int.from_bytes(hive[at : at + 4], "little", signed=True) < 0)
    return {hive[at + 4 : at + 6] for at in cells} & {b"lf", b"lh", b"li", b"ri"}


def named(default: str | None, order: tuple[str, ...], *entries: bcd.Entry) -> Hive:
    return bcd.store(bcd.bootmgr(at(1), default, order), *entries)


def test_the_only_entry_shown_becomes_the_default(make: Make) -> None:
    chain = bios(make(named(GONE, (GONE, DEFAULT), bcd.loader(DEFAULT, at(2)))))
    assert chain.default is not None
    fault, order = chain.loader_faults
    assert (fault.kind, fault.stops) == (LoaderFaultKind.DEFAULT_ENTRY, False)
    assert values(fault) == [("23000003", 1, f"{{{DEFAULT}}}\0".encode("utf-16-le"))]
    assert f"the default is {{{GONE}}}, which is not in the store" in fault.evidence[0]
    assert (order.kind, order.changes) == (LoaderFaultKind.DISPLAY_ORDER, ())
    assert GONE in order.evidence[0]


def test_a_menu_of_thousands_of_names(make: Make) -> None:
    """Neither slow nor long to read: duplicates count once, and only the first few are listed."""
    names = [f"5189b25d-0000-4bf2-bca4-{number:012x}" for number in range(3000)]
    chain = bios(make(named(DEFAULT, (DEFAULT, *names * 3), bcd.loader(DEFAULT, at(2)))))
    assert chain.default is not None
    (evidence,) = only(chain).evidence
    assert "and 2992 more" in evidence
    assert len(evidence) < 600


def test_the_only_windows_of_a_store_that_names_nothing(make: Make) -> None:
    pe = bcd.loader(SECOND, at(2), title="Windows PE")
    pe.elements[0x26000022] = b"\x01"
    chain = bios(make(named(None, (), bcd.loader(DEFAULT, at(2)), pe)))
    assert chain.default is None
    fault = only(chain)
    assert (fault.kind, fault.stops) == (LoaderFaultKind.DEFAULT_ENTRY, True)
    assert values(fault) == [("23000003", 1, f"{{{DEFAULT}}}\0".encode("utf-16-le"))]
    assert isinstance(fault.changes[0], CreateKey)
    dead = bios(make(named(GONE, (GONE,), bcd.loader(DEFAULT, at(2)))))
    data = f"{{{DEFAULT}}}\0".encode("utf-16-le")
    assert values(dead.loader_faults[0]) == [("23000003", 1, data), ("24000001", 7, data + b"\0\0")]
    assert dead.loader_faults[0].stops


def test_two_windows_and_no_default_are_left_alone(make: Make) -> None:
    hive = named(GONE, (), bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(2)))
    fault = only(bios(make(hive)))
    assert (fault.stops, fault.changes) == (True, ())
    assert DEFAULT in fault.evidence[1]
    assert SECOND in fault.evidence[1]


def test_the_image_of_the_recovery_environment(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(2)))
    both = ("\\Windows\\System32\\winresume.exe", "\\Boot\\memtest.exe")
    whole = bios(hive, windows("\\Windows", "winload.exe", *both, *RECOVERY_FILES))
    assert whole.loader_faults == ()
    fault = only(bios(hive, windows("\\Windows", "winload.exe", *both)))
    assert (fault.kind, fault.stops, fault.changes) == (LoaderFaultKind.RECOVERY_IMAGE, False, ())
    assert f"no volume has {vista.WIM}" in fault.evidence[0]
    elsewhere = bios(hive, windows("\\Windows", "winload.exe", *both), windows("\\x", None, *RECOVERY_FILES))
    assert f"{vista.WIM} lies on disk 0 partition 3 instead" in only(elsewhere).evidence[0]
    locked = windows("\\x", None)
    locked.kind = FileSystemKind.BITLOCKER
    assert bios(hive, windows("\\Windows", "winload.exe", *both), locked).loader_faults == ()


def test_a_recovery_partition_that_was_not_converted(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(3)))
    chain = bios(hive, windows("\\Windows", "winload.exe", "\\Windows\\System32\\winresume.exe"))
    device, image = chain.loader_faults
    assert (device.kind, device.changes) == (LoaderFaultKind.RECOVERY_DEVICE, ())
    assert image.kind is LoaderFaultKind.RECOVERY_IMAGE
    assert "which is no given disk" in image.evidence[0]


def test_the_loader_that_resumes(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(2)))
    fault = only(bios(hive, windows("\\Windows", "winload.exe", *RECOVERY_FILES)))
    assert fault.kind is LoaderFaultKind.RESUME_LOADER
    assert "no \\Windows\\system32\\winresume.exe" in fault.evidence[0]


@pytest.mark.parametrize("name", ["bcd/bios/w7-mbr-en/BCD", "bcd/uefi/w10-a/BCD", "bcd/media/w8-bios-x86/BCD"])
def test_new_keys_and_values_in_a_real_store(name: str, tmp_path: Path) -> None:
    """A hive of version 1.3 has lf lists only: what is added is read back by hivexregedit, and the rest as it was."""
    path = real_file(name)
    before = export(path)
    memory = Memory(path.read_bytes())
    hive = RegistryHive.open(memory, name="BCD")
    objects = rf"Objects\{{{BOOTMGR}}}\Elements"
    for number in (0x23000003, 0x26000005, 0x21000022):
        hive.create_key(rf"{objects}\{number:08x}")
    hive.set_value(rf"{objects}\23000003", "Element", 1, f"{{{DEFAULT}}}\0".encode("utf-16-le"))
    hive.set_value(rf"{objects}\26000005", "Element", 3, b"\0")
    hive.set_value(rf"{objects}\21000022", "Element", 3, bcd.ramdisk_device(bcd.boot_device(), "\\x" * 900, DEFAULT))
    hive.commit(filetime=FILETIME)
    edited = tmp_path / "BCD"
    edited.write_bytes(bytes(memory.data))
    assert lists_of(bytes(memory.data)) == {b"lf"}
    assert integrity.verify(RegistryHive.open(Bytes(bytes(memory.data)), name="BCD")) == ()
    after = export(edited)
    elements = {key: found for key, found in after.items() if before.get(key) != found}
    assert {key[-8:] for key in elements} == {"23000003", "26000005", "21000022"}
    manager = store_of(bytes(memory.data)).bootmgr
    assert manager is not None
    for key, found in elements.items():
        element = manager.element(int(key[-8:], 16))
        assert element is not None
        assert found == {"Element": (element.kind, element.data)}
