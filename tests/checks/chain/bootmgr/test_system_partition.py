"""What is said of a system partition that was left behind, and when nothing is said or put back."""

import re
from collections.abc import Callable

import pytest
from tests.boot.bootmgr.test_chain import at, uefi_machine
from tests.checks.chain.bootmgr.left_behind import BOOT_SECTOR, bios, esp, guest, put, system, uefi, windows
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.vista import DATA_TYPE, ESP_GUID, ESP_TYPE, WINDOWS_GUID
from tests.machines.windows_hives import WINDOWS_7
from tests.windows.hives import spec_bytes

from bootgraft.boot.bootmgr.bcd import BOOTMGR, read_store
from bootgraft.changes import CreateDirectory, CreateKey, SetValue, WriteFile, WriteSectors
from bootgraft.checks.chain.bootmgr import system_faults
from bootgraft.checks.chain.bootmgr.system_partition import LEFT_BEHIND, MANAGER_LOST, STORE_LOST, find
from bootgraft.checks.finding import Finding, Remedy
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine

BCD, EFI_BCD = "\\Boot\\BCD", "\\EFI\\Microsoft\\Boot\\BCD"


def found(machine: Machine, name: str | None = None) -> Finding:
    (finding,) = find(guest(machine, name))
    return finding


def files(finding: Finding) -> dict[str, WriteFile]:
    return {each.file.path: each for each in finding.changes if isinstance(each, WriteFile)}


def test_the_partition_of_windows_becomes_the_active_one_and_has_it_all() -> None:
    finding = found(bios(system({}), system(windows()), active=None))
    assert (finding.id, finding.remedy) == (LEFT_BEHIND, Remedy.CHANGES)
    assert set(files(finding)) == {"\\bootmgr", BCD, "\\Boot\\memtest.exe", "\\Boot\\Fonts\\wgl4_boot.ttf"}
    made = [each.file.path for each in finding.changes if isinstance(each, CreateDirectory)]
    assert made == ["\\Boot", "\\Boot\\Fonts"]
    flags = [each for each in finding.changes if isinstance(each, WriteSectors)]
    assert [(each.offset, each.data) for each in flags] == [(0x1CE, b"\x80")]
    said = finding.explanation.partition("`repair` ")[2].partition(". ")[0]
    assert re.fullmatch(
        r"copies the boot files of .+ to disk 0 partition 2, makes a new BCD store that starts .+"
        r" and makes disk 0 partition 2 the active partition of disk 0",
        said,
    )
    assert all("disk 0 partition 2" in str(each.file) for each in files(finding).values())


def test_a_partition_that_was_made_and_never_filled_is_none() -> None:
    finding = found(bios(None, system(windows())))
    assert finding.id == LEFT_BEHIND
    flags = [(each.offset, each.data) for each in finding.changes if isinstance(each, WriteSectors)]
    assert flags == [(0x1CE, b"\x80")]  # of the first, memory has no flag to be cleared


def test_texts_are_copied_in_the_languages_that_windows_has() -> None:
    texts = [f"\\Windows\\Boot\\PCAT\\{name}\\bootmgr.exe.mui" for name in ("en-US", "de-DE", "fr-FR")]
    own = windows(*texts, "\\Windows\\System32\\de-DE\\winload.exe.mui")
    copied = files(found(bios(system(own), active=None)))
    assert {"\\Boot\\en-US\\bootmgr.exe.mui", "\\Boot\\de-DE\\bootmgr.exe.mui"} < set(copied)
    assert "\\Boot\\fr-FR\\bootmgr.exe.mui" not in copied


def test_what_lies_on_the_system_partition_stays() -> None:
    kept = {"\\Boot\\memtest.exe": b"another", "\\Boot\\BCD": spec_bytes(vista.full_store(at(1), at(2), at(2)))}
    finding = found(bios(system(kept), system(windows())))
    assert finding.id == MANAGER_LOST
    assert set(files(finding)) == {"\\bootmgr", "\\Boot\\Fonts\\wgl4_boot.ttf"}
    assert "recovery" not in finding.explanation


@pytest.mark.parametrize("content", [b"", b"regf" + bytes(8188), spec_bytes(bcd.store())])
def test_a_store_beyond_reading_is_replaced(content: bytes) -> None:
    finding = found(bios(system({"\\bootmgr": b"x", BCD: content}), system(windows())))
    (change,) = finding.changes
    assert isinstance(change, WriteFile)
    assert (finding.id, change.before is not None) == (STORE_LOST, True)
    assert "damaged beyond reading" in finding.title
    assert "what else its menu listed is not known" in finding.explanation


def test_a_store_without_an_entry_gets_one_and_keeps_the_rest() -> None:
    manager = bcd.bootmgr(at(1), None, ())
    tester = bcd.Entry(vista.MEMTEST, {0x12000004: "Speichertest"}, 0x10200005)
    hive = system({"\\bootmgr": b"x", BCD: spec_bytes(bcd.store(manager, tester))})
    machine = bios(hive, system(windows()))
    finding = found(machine)
    assert (finding.id, "no entry" in finding.title) == (STORE_LOST, True)
    assert {type(each) for each in finding.changes} == {CreateKey, SetValue}
    assert not any(vista.MEMTEST in each.key for each in finding.changes if isinstance(each, CreateKey | SetValue))
    (volume, _) = machine.volumes()
    opened = volume.hive(BCD)
    for each in finding.changes:
        if isinstance(each, CreateKey):
            opened.create_key(each.key)
        elif isinstance(each, SetValue):
            opened.set_value(each.key, each.name, each.value.type, each.value.data)
    opened.commit(filetime=1)
    again = guest(bios(hive, system(windows())))
    assert again.chain.default is not None, again.chain.steps[-1]
    store = read_store(volume.hive(BCD))
    assert store.bootmgr is not None
    assert store.guids(store.bootmgr, 0x24000001) == (store.text(store.bootmgr, 0x23000003),)


def test_of_several_windows_one_must_be_named_and_the_others_are_listed() -> None:
    def machine() -> Machine:
        return bios(system({}), system(windows()), system(windows()), active=None)

    assert (found(machine()).remedy, found(machine()).changes) == (Remedy.NONE, ())
    assert "--windows with one of disk0-partition2-Windows, disk0-partition3-Windows" in found(machine()).explanation
    built = machine()
    finding = found(built, "disk 0 partition 3")
    put(finding, built)
    store = read_store(list(built.volumes())[2].hive(BCD))
    assert store.bootmgr is not None
    shown = store.guids(store.bootmgr, 0x24000001)
    assert len(shown) == 2
    assert store.text(store.bootmgr, 0x23000003) == shown[0]
    devices = [str(store.device(entry, 0x21000001)) for each in shown if (entry := store.object(each))]
    assert ["24576" in devices[0], "16384" in devices[1]] == [True, True]


def test_windows_without_a_loader_that_resumes_has_no_entry_for_it() -> None:
    machine = bios(system(windows(without=("winresume.exe",))), active=None)
    put(found(machine), machine)
    store = read_store(next(iter(machine.volumes())).hive(BCD))
    assert not [each for each in store.objects if each.type == 0x10200004]
    assert store.bootmgr is not None
    assert store.bootmgr.element(0x23000006) is None


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: bios(system(windows(without=("PCAT\\bootmgr",))), active=None),
            "has no \\Windows\\Boot\\PCAT\\bootmgr",
        ),
        (lambda: bios(system(windows(without=("winload.exe",))), active=None), "has no winload.exe"),
        (lambda: bios(system({}), system(windows()), active=None, logical=1), "is a logical partition"),
        (lambda: bios(system(windows() | {"\\Windows\\System32\\config\\SYSTEM": b"regf"}), active=None), "cannot"),
        (lambda: uefi(None, system(windows())), "There is no place for a new one: disk 0 has no GPT that can be read"),
        (
            lambda: uefi_machine((None, ESP_TYPE, ESP_GUID), (system(windows()), DATA_TYPE, WINDOWS_GUID)),
            "too small for",
        ),
        (lambda: uefi(esp(), system(windows(without=("EFI\\bootmgfw.efi",)))), "has no \\Windows\\Boot\\EFI"),
    ],
)
def test_what_cannot_be_put_back_is_said(make: Callable[[], Machine], said: str) -> None:
    finding = found(make())
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert said in finding.explanation


def test_a_windows_that_is_encrypted_is_named_as_the_reason() -> None:
    locked = system({})
    locked.kind = FileSystemKind.BITLOCKER
    for machine in (bios(locked, active=None), uefi(None, locked)):
        finding = found(machine)
        assert (finding.id, finding.remedy) == (LEFT_BEHIND, Remedy.NONE)
        assert "is encrypted with BitLocker" in finding.explanation


def test_windows_on_another_disk_than_the_first() -> None:
    first = [FakePartition(volume_of("\\data.txt"))]
    machine = machine_of(first, [FakePartition(system(windows()), boot_sector=BOOT_SECTOR)])
    assert "give the image that starts first" in found(machine).explanation


@pytest.mark.parametrize(
    "machine",
    [
        bios(system({"\\ntldr": b""}), system(windows())),  # of an older Windows
        bios(system({"\\ntldr": b""}), system(windows()), active=None),
        bios(system({}), system(windows()), sector=b"\xeb\x52\x90NTFS    ".ljust(8192, b"\x07")),  # somebody else's
        machine_of([FakePartition(volume_of("\\data.txt"), active=True, boot_sector=BOOT_SECTOR)]),  # no Windows
    ],
)
def test_what_starts_something_else_is_left_alone(machine: Machine) -> None:
    assert list(find(guest(machine))) == []


def test_a_store_of_a_size_that_no_store_has_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_faults, "_LARGEST_STORE", 4096)
    assert list(find(guest(bios(system({"\\bootmgr": b"x", BCD: bytes(4097)}), system(windows()))))) == []


def test_a_boot_sector_without_code_for_it_is_named() -> None:
    finding = found(bios(system(windows()), active=None, sector=bytes(8192)))
    assert "--boot-code IMAGE" in finding.explanation


def test_the_menu_says_which_windows_it_is() -> None:
    machine = uefi(esp(), system(windows(release=WINDOWS_7)))
    put(found(machine), machine)
    volume = next(iter(machine.volumes()))
    store = read_store(volume.hive(EFI_BCD))
    assert volume.filesystem().read("\\EFI\\Boot\\bootx64.efi") == volume.filesystem().read(
        "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
    )
    manager = store.object(BOOTMGR)
    assert manager is not None
    entry = store.object(store.text(manager, 0x23000003) or "")
    assert entry is not None
    assert store.text(entry, 0x12000004) == "Windows 7"
