"""What a BCD store has wrong besides partitions, in memory; and what is added to a real one, read by hivexregedit."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.boot.bootmgr.test_bcd import Bytes, export, store_of
from tests.boot.bootmgr.test_chain import at, bios, bios_machine, windows
from tests.checks.guests import followed
from tests.fakes import FakeFileSystem
from tests.machines import bcd, vista
from tests.machines.build import content
from tests.machines.spec import File, Hive
from tests.registry.support import FILETIME, Memory, real_file

from bootgraft.boot.bootmgr.bcd import BOOTMGR
from bootgraft.changes import CreateKey, SetValue
from bootgraft.checks.chain.bootmgr import boot_loader, boot_store
from bootgraft.checks.chain.bootmgr.boot_store import DEFAULT as DEFAULT_ENTRY
from bootgraft.checks.chain.bootmgr.boot_store import DISPLAY_ORDER, RECOVERY_MISSING, RESUME_MISSING
from bootgraft.checks.finding import Finding, Severity
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.registry.hive import Hive as RegistryHive
from bootgraft.registry.integrity.survey import verify

DEFAULT, SECOND, GONE = vista.DEFAULT, vista.SECOND, "5189b25d-0000-4bf2-bca4-289b11bd29ff"
RECOVERY_FILES = (vista.WIM, r"\Recovery\WindowsRE\boot.sdi")
Make = Callable[[Hive], bytes]


@pytest.fixture
def make(machine_cache: Path) -> Make:
    """A function that gives a hive's bytes."""
    return lambda hive: content(File("\\BCD", hive), machine_cache)


def findings(hive: bytes | None, *volumes: FakeFileSystem) -> tuple[Finding, ...]:
    """What is wrong with the store of a BIOS machine."""
    guest = followed(bios_machine(hive, *volumes))
    return (*boot_loader.find(guest), *boot_store.find(guest))


def only(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    return finding


def values(finding: Finding) -> list[tuple[str, int, bytes]]:
    """What the changes set: the element's number, the type, the data."""
    return [(each.key[-8:], each.value.type, each.value.data) for each in finding.changes if isinstance(each, SetValue)]


def lists_of(hive: bytes) -> set[bytes]:
    """The signatures of the subkey lists in use, found as cells and not through the keys."""
    cells = (at for at in range(4096, len(hive) - 8, 8) if int.from_bytes(hive[at : at + 4], "little", signed=True) < 0)
    return {hive[at + 4 : at + 6] for at in cells} & {b"lf", b"lh", b"li", b"ri"}


def named(default: str | None, order: tuple[str, ...], *entries: bcd.Entry) -> Hive:
    return bcd.store(bcd.bootmgr(at(1), default, order), *entries)


def test_the_only_entry_shown_becomes_the_default(make: Make) -> None:
    hive = make(named(GONE, (GONE, DEFAULT), bcd.loader(DEFAULT, at(2))))
    assert bios(hive).default is not None
    fault, order = findings(hive)
    assert (fault.id, fault.severity) == (DEFAULT_ENTRY, Severity.WARNING)
    assert values(fault) == [("23000003", 1, f"{{{DEFAULT}}}\0".encode("utf-16-le"))]
    assert f"the default is {{{GONE}}}, which is not in the store" in fault.evidence[0]
    assert (order.id, order.changes) == (DISPLAY_ORDER, ())
    assert GONE in order.evidence[0]


def test_a_menu_of_thousands_of_names(make: Make) -> None:
    """Neither slow nor long to read: duplicates count once, and only the first few are listed."""
    names = [f"5189b25d-0000-4bf2-bca4-{number:012x}" for number in range(3000)]
    hive = make(named(DEFAULT, (DEFAULT, *names * 3), bcd.loader(DEFAULT, at(2))))
    assert bios(hive).default is not None
    (evidence,) = only(findings(hive)).evidence
    assert "and 2992 more" in evidence
    assert len(evidence) < 600


def test_the_only_windows_of_a_store_that_names_nothing(make: Make) -> None:
    pe = bcd.loader(SECOND, at(2), title="Windows PE")
    pe.elements[0x26000022] = b"\x01"
    hive = make(named(None, (), bcd.loader(DEFAULT, at(2)), pe))
    assert bios(hive).default is None
    fault = only(findings(hive))
    assert (fault.id, fault.severity, fault.explains) == (DEFAULT_ENTRY, Severity.BLOCKER, True)
    assert values(fault) == [("23000003", 1, f"{{{DEFAULT}}}\0".encode("utf-16-le"))]
    assert isinstance(fault.changes[0], CreateKey)
    dead, _ = findings(make(named(GONE, (GONE,), bcd.loader(DEFAULT, at(2)))))
    data = f"{{{DEFAULT}}}\0".encode("utf-16-le")
    assert values(dead) == [("23000003", 1, data), ("24000001", 7, data + b"\0\0")]
    assert dead.severity is Severity.BLOCKER


def test_two_windows_and_no_default_are_left_alone(make: Make) -> None:
    hive = named(GONE, (), bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(2)))
    fault = only(findings(make(hive)))
    assert (fault.severity, fault.changes) == (Severity.BLOCKER, ())
    assert DEFAULT in fault.evidence[-1]
    assert SECOND in fault.evidence[-1]
    shown = named(None, (DEFAULT, SECOND), bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(2)))
    told = only(findings(make(shown)))
    assert (told.id, told.severity, told.changes, told.explains) == (DEFAULT_ENTRY, Severity.WARNING, (), False)


def test_the_image_of_the_recovery_environment(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(2)))
    both = ("\\Windows\\System32\\winresume.exe", "\\Boot\\memtest.exe")
    assert findings(hive, windows("\\Windows", "winload.exe", *both, *RECOVERY_FILES)) == ()
    fault = only(findings(hive, windows("\\Windows", "winload.exe", *both)))
    assert (fault.id, fault.severity, fault.changes) == (RECOVERY_MISSING, Severity.WARNING, ())
    assert f"no volume has {vista.WIM}" in fault.evidence[0]
    elsewhere = findings(hive, windows("\\Windows", "winload.exe", *both), windows("\\x", None, *RECOVERY_FILES))
    assert f"{vista.WIM} lies on disk 0 partition 3 instead" in only(elsewhere).evidence[0]
    locked = windows("\\x", None)
    locked.kind = FileSystemKind.BITLOCKER
    assert findings(hive, windows("\\Windows", "winload.exe", *both), locked) == ()


def test_a_recovery_partition_that_was_not_converted(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(3)))
    device, image = findings(hive, windows("\\Windows", "winload.exe", "\\Windows\\System32\\winresume.exe"))
    assert (device.id, device.changes) == (boot_loader.RECOVERY_DEVICE, ())
    assert image.id == RECOVERY_MISSING
    assert "which is no given disk" in image.evidence[0]


def test_the_loader_that_resumes(make: Make) -> None:
    hive = make(vista.full_store(at(1), at(2), at(2)))
    fault = only(findings(hive, windows("\\Windows", "winload.exe", *RECOVERY_FILES)))
    assert fault.id == RESUME_MISSING
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
    assert verify(RegistryHive.open(Bytes(bytes(memory.data)), name="BCD")) == ()
    after = export(edited)
    elements = {key: found for key, found in after.items() if before.get(key) != found}
    assert {key[-8:] for key in elements} == {"23000003", "26000005", "21000022"}
    manager = store_of(bytes(memory.data)).bootmgr
    assert manager is not None
    for key, found in elements.items():
        element = manager.element(int(key[-8:], 16))
        assert element is not None
        assert found == {"Element": (element.kind, element.data)}
