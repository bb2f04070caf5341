"""What a BCD store has wrong about partitions, on whole disks: proven and repaired, or told and left alone."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.boot.bootmgr.test_chain import at
from tests.checks.chain.bootmgr.stores import with_devices
from tests.checks.guests import chain_findings, followed
from tests.fakes import SIGNATURE
from tests.machines import bcd, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, Hive, MachineSpec
from tests.storage.sample_disks import SparseDisk

from bootgraft.boot.chain import BootChain
from bootgraft.changes import Change, CreateDirectory, Plan, SetValue, WriteFile
from bootgraft.checks.chain import boot_chain
from bootgraft.checks.chain.bootmgr import boot_loader, uefi_fallback
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Severity, Stage
from bootgraft.machine import Machine
from bootgraft.repair.apply import apply

Build = Callable[[MachineSpec], BuiltMachine]
OLD_DISK = "11111111-2222-3333-4444-555555555555"
OLD_ESP, OLD_WINDOWS, OLD_RECOVERY = (f"66666666-7777-8888-9999-AAAAAAAAAA{number:02}" for number in (1, 3, 4))
OLD_SIGNATURE = 0xA33B6C03
MOVED = bcd.mbr_device(vista.SIGNATURE, 63 * 512)
OTHER_SIGNATURE = bcd.mbr_device(OLD_SIGNATURE, vista.WINDOWS.offset)
OTHER_GUIDS = bcd.gpt_device(OLD_DISK, OLD_WINDOWS)
RIGHT = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)


def store(device: bytes, *more: bcd.Entry) -> Hive:
    """A store whose loader and resume object name this device."""
    resume = bcd.Entry(vista.SECOND, {0x11000001: device, 0x21000001: device}, bcd.RESUME)
    manager = bcd.bootmgr(bcd.mbr_device(vista.SIGNATURE, vista.RESERVED.offset), vista.DEFAULT, (vista.DEFAULT,))
    return bcd.store(manager, bcd.loader(vista.DEFAULT, device), resume, *more)


def knowing(files: tuple[File, ...], device: bytes) -> tuple[File, ...]:
    """The same Windows, whose MountedDevices calls C: what this device element says."""
    is_gpt = device[0x34:0x38] == bytes(4)
    name = b"DMIO:ID:" + device[0x20:0x30] if is_gpt else device[0x38:0x3C] + device[0x20:0x28]
    text = f'\n[\\MountedDevices]\n"\\\\DosDevices\\\\C:"=hex:{name.hex(",")}\n'

    def changed(file: File) -> File:
        if not isinstance(file.content, Hive) or not file.path.endswith("config\\system"):
            return file
        return replace(file, content=replace(file.content, text=file.content.text + text))

    return tuple(map(changed, files))


def look(built: BuiltMachine) -> tuple[BootChain, tuple[Finding, ...]]:
    """The chain, and what is said about it."""
    with Machine.read([SparseDisk(path) for path in built.disks], writable=False) as machine:
        guest = followed(machine)
        return guest.chain, findings_of(guest, Stage.CHAIN)


def judged(built: BuiltMachine) -> tuple[Finding, ...]:
    return look(built)[1]


def fixed(built: BuiltMachine) -> tuple[tuple[BootChain, tuple[Finding, ...]], tuple[Change, ...]]:
    """Chain and findings after what the findings carry was applied to the image, and that."""
    with Machine.read([SparseDisk(path) for path in built.disks], writable=True) as machine:
        found = chain_findings(machine)
        changes = tuple(change for finding in found for change in finding.changes)
        apply(Plan(changes), machine, now=datetime(2026, 1, 1, tzinfo=UTC))
    return look(built), changes


def assert_boots(after: tuple[BootChain, tuple[Finding, ...]], name: str) -> None:
    chain, found = after
    assert chain.default is not None, chain.steps[-1]
    assert chain.default.volume.name == name
    assert found == ()


def fault_of(found: tuple[Finding, ...], finding_id: str) -> Finding:
    (fault,) = (each for each in found if each.id == finding_id)
    return fault


def test_a_partition_that_moved_on_its_disk(build_machine: Build) -> None:
    left_over = bcd.Entry(vista.RECOVERY_ENTRY, {0x21000001: bcd.ramdisk_device(MOVED, "\\x.wim", vista.SECOND)})
    built = build_machine(vista.system_reserved(store(MOVED, left_over)))
    found = judged(built)
    fault = fault_of(found, boot_loader.DEVICE)
    assert fault.severity is Severity.BLOCKER
    assert "its disk is the one that the element names" in fault.evidence[-1]
    assert [(each.id, len(each.changes)) for each in found] == [
        (boot_loader.DEVICE, 2), (boot_loader.RESUME_DEVICE, 2), (boot_loader.RECOVERY_DEVICE, 1),
    ]  # fmt: skip
    edits = [change for change in fault.changes if isinstance(change, SetValue)]
    assert {(each.value.data, each.before and each.before.data) for each in edits} == {(RIGHT, MOVED)}
    assert {each.hive.path for each in edits} == {"\\Boot\\BCD"}
    severities = {finding.id: finding.severity for finding in found}
    assert severities == {
        boot_loader.DEVICE: Severity.BLOCKER,
        boot_loader.RESUME_DEVICE: Severity.WARNING,
        boot_loader.RECOVERY_DEVICE: Severity.WARNING,
    }
    assert_boots(fixed(built)[0], "disk 0 partition 2")


def test_an_entry_of_a_windows_that_was_removed_is_not_pointed_at_the_other_one(build_machine: Build) -> None:
    """Both lay on one disk, and the one that is left has an entry of its own: only the disk speaks for it."""
    manager = bcd.bootmgr(
        bcd.mbr_device(vista.SIGNATURE, vista.RESERVED.offset), vista.DEFAULT, (vista.DEFAULT, vista.SECOND)
    )
    removed = bcd.loader(vista.SECOND, MOVED)
    built = build_machine(vista.system_reserved(bcd.store(manager, bcd.loader(vista.DEFAULT, RIGHT), removed)))
    fault = fault_of(judged(built), boot_loader.OTHER_DEVICE)
    assert (fault.changes, fault.severity) == ((), Severity.WARNING)
    assert "another entry names that" in fault.evidence[-1]


def test_every_element_of_a_realigned_disk_with_a_new_signature(build_machine: Build) -> None:
    """System Reserved began at sector 63 of a disk with another signature, Windows behind it: nothing matches."""
    system, windows = (bcd.mbr_device(OLD_SIGNATURE, sector * 512) for sector in (63, 63 + 204800))
    spec = vista.system_reserved(
        vista.full_store(system, windows, windows), files=(*vista.with_resume(), *vista.recovery_files())
    )
    built = build_machine(spec)
    found = judged(built)
    assert [(each.id, len(each.changes)) for each in found] == [
        (boot_loader.DEVICE, 2),
        (boot_loader.MANAGER_DEVICE, 1),
        (boot_loader.RESUME_DEVICE, 3),
        (boot_loader.RECOVERY_DEVICE, 3),
        (boot_loader.OTHER_DEVICE, 1),
    ]
    assert (
        "the partition that this store and its boot manager lie on"
        in fault_of(found, boot_loader.MANAGER_DEVICE).evidence[-1]
    )
    assert "another partition that the store names on that disk" in fault_of(found, boot_loader.DEVICE).evidence[-1]
    after, changes = fixed(built)
    assert_boots(after, "disk 0 partition 2")
    new = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)
    nested = [each for each in changes if isinstance(each, SetValue) and len(each.value.data) > 0x58]
    assert {each.value.data for each in nested} == {bcd.ramdisk_device(new, vista.WIM, vista.OPTIONS)}
    assert len(nested) == 2


def test_every_element_of_a_disk_with_new_guids(build_machine: Build) -> None:
    devices = [bcd.gpt_device(OLD_DISK, own) for own in (OLD_ESP, OLD_WINDOWS, OLD_RECOVERY)]
    hive = vista.full_store(*devices, uefi=True)
    built = build_machine(vista.uefi(hive, files=vista.with_resume("efi"), recovery=vista.recovery_files()))
    found = judged(built)
    assert [(each.id, len(each.changes)) for each in found] == [
        (boot_loader.DEVICE, 2),
        (boot_loader.MANAGER_DEVICE, 1),
        (boot_loader.RESUME_DEVICE, 3),
        (boot_loader.RECOVERY_DEVICE, 3),
        (boot_loader.OTHER_DEVICE, 1),
    ]
    assert "only disk 0 partition 4 has \\Recovery" in fault_of(found, boot_loader.RECOVERY_DEVICE).evidence[-1]
    assert_boots(fixed(built)[0], "disk 0 partition 3")


def test_a_disk_with_a_new_guid_whose_partitions_kept_theirs(build_machine: Build) -> None:
    device = bcd.gpt_device(OLD_DISK, vista.WINDOWS_GUID)
    built = build_machine(vista.uefi(vista.uefi_store(device=device)))
    found = judged(built)
    fault = fault_of(found, boot_loader.DEVICE)
    assert (fault.severity, look(built)[0].understood) == (Severity.WARNING, False)
    assert "it has the very GUID that the element names" in fault.evidence[-1]
    assert_boots(fixed(built)[0], "disk 0 partition 3")


def test_a_healthy_machine_with_all_that_setup_makes(build_machine: Build) -> None:
    devices = [
        bcd.gpt_device(vista.DISK_GUID, own) for own in (vista.ESP_GUID, vista.WINDOWS_GUID, vista.RECOVERY_GUID)
    ]
    hive = vista.full_store(*devices, uefi=True)
    spec = vista.uefi(hive, files=vista.with_resume("efi"), recovery=vista.recovery_files(), name="full")
    assert_boots(look(build_machine(spec)), "disk 0 partition 3")


def test_a_new_signature_that_the_windows_itself_does_not_know_yet(build_machine: Build) -> None:
    files = knowing(vista.installation(), OTHER_SIGNATURE)
    built = build_machine(vista.system_reserved(store(OTHER_SIGNATURE), files=files))
    assert "knows itself as C: by that very name" in fault_of(judged(built), boot_loader.DEVICE).evidence[-1]
    assert_boots(fixed(built)[0], "disk 0 partition 2")


def test_a_windows_that_knows_itself_by_two_letters_proves_nothing(build_machine: Build) -> None:
    def changed(file: File) -> File:
        if not isinstance(file.content, Hive) or not file.path.endswith("config\\software"):
            return file
        text = file.content.text.replace('"PathName"="C:', '"PathName"="D:')
        assert text != file.content.text
        return replace(file, content=replace(file.content, text=text))

    files = tuple(map(changed, knowing(vista.installation(), OTHER_SIGNATURE)))
    built = build_machine(vista.system_reserved(store(OTHER_SIGNATURE), files=files))
    assert "nothing proves that it is meant" in fault_of(judged(built), boot_loader.DEVICE).evidence[-1]


def test_new_guids(build_machine: Build) -> None:
    files = knowing(vista.installation(loader="winload.efi"), OTHER_GUIDS)
    built = build_machine(vista.uefi(vista.uefi_store(device=OTHER_GUIDS), files=files))
    assert_boots(fixed(built)[0], "disk 0 partition 3")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (vista.system_reserved(store(OTHER_SIGNATURE)), "nothing proves that it is meant"),
        (
            vista.system_reserved(store(MOVED), second=vista.installation()),
            "disk 0 partition 2 and disk 0 partition 3 have it",
        ),
        (vista.system_reserved(store(MOVED), files=vista.installation(loader=None)), "no volume has it"),
        (
            vista.system_reserved(store(OTHER_GUIDS), files=knowing(vista.installation(), OTHER_GUIDS)),
            "knows itself as C:",
        ),
    ],
)
def test_what_is_not_proven_is_told_and_left_alone(spec: MachineSpec, reason: str, build_machine: Build) -> None:
    found = judged(build_machine(spec))
    assert all(fault.changes == () for fault in found)
    assert reason in fault_of(found, boot_loader.DEVICE).evidence[-1]
    finding = found[0]
    assert (finding.id, finding.fixable) == (boot_loader.DEVICE, False)
    assert "does not guess" in finding.explanation


def test_a_damaged_element_is_made_anew_from_the_entrys_other_device(build_machine: Build) -> None:
    built = build_machine(vista.system_reserved(vista.bios_store(vista.WINDOWS, osdevice=RIGHT[:0x30])))
    fault = fault_of(judged(built), boot_loader.DEVICE)
    assert "the entry's other device is disk 0 partition 2, which alone has" in fault.evidence[-1]
    after, changes = fixed(built)
    assert_boots(after, "disk 0 partition 2")
    assert [(each.value.data, each.key[-8:]) for each in changes if isinstance(each, SetValue)] == [(RIGHT, "21000001")]


def test_a_damaged_element_that_nothing_proves(build_machine: Build) -> None:
    hive = vista.bios_store(vista.WINDOWS, device=RIGHT[:0x30], osdevice=struct.pack("<I", 6))
    fault = fault_of(judged(build_machine(vista.system_reserved(hive))), boot_loader.DEVICE)
    assert fault.changes == ()
    assert "no sound device proves which" in fault.evidence[-1]


def test_the_fallback_loader_is_copied(build_machine: Build) -> None:
    loader = (*vista.uefi_loader(vista.uefi_store(), has_fallback=False), File("\\EFI\\Boot\\readme.txt", b"kept"))
    built = build_machine(vista.uefi(loader=loader))
    (change,) = fault_of(judged(built), uefi_fallback.MISSING).changes
    assert isinstance(change, WriteFile)
    assert (change.file.path, change.before) == ("\\EFI\\Boot\\bootx64.efi", None)
    assert_boots(fixed(built)[0], "disk 0 partition 3")


def test_a_fallback_loader_without_its_directory(build_machine: Build) -> None:
    built = build_machine(vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), has_fallback=False)))
    (finding,) = judged(built)
    assert finding.id == uefi_fallback.MISSING
    made, copied = finding.changes
    assert isinstance(made, CreateDirectory)
    assert isinstance(copied, WriteFile)
    assert (made.file.path, copied.file.path) == ("\\EFI\\Boot", "\\EFI\\Boot\\bootx64.efi")
    assert_boots(fixed(built)[0], "disk 0 partition 3")


def test_a_broken_chain_of_another_kind_has_no_such_fault(build_machine: Build) -> None:
    machine = build_machine(vista.system_reserved(vista.bios_store(vista.WINDOWS, root=r"\Nowhere")))
    assert [each.id for each in judged(machine)] == [boot_chain.BROKEN]


def test_the_user_may_say_that_the_disk_which_is_named_exists_no_more() -> None:
    gone = bcd.mbr_device(OLD_SIGNATURE, 1 << 20)
    guest = with_devices(windows=gone, recovery=gone)
    found = {each.id: each for each in boot_loader.CHECK.find(guest)}  # type: ignore[misc]
    default = found[boot_loader.DEVICE]
    assert default.changes == ()
    assert any("if there is no such disk any more, give --these-are-all-disks" in each for each in default.evidence)
    guest.machine.is_complete = True
    found = {each.id: each for each in boot_loader.CHECK.find(guest)}  # type: ignore[misc]
    default = found[boot_loader.DEVICE]
    assert any("these are said to be all disks" in each for each in default.evidence)
    values = {each.value.data for each in default.changes if isinstance(each, SetValue)}
    assert values == {at(2)}
    assert found[boot_loader.RECOVERY_DEVICE].changes


def test_the_users_word_says_nothing_of_a_partition_that_a_given_disk_should_have() -> None:
    guest = with_devices(windows=bcd.mbr_device(SIGNATURE, 1 << 20))
    before = boot_loader.CHECK.find(guest)  # type: ignore[misc]
    guest.machine.is_complete = True
    assert tuple(boot_loader.CHECK.find(guest)) == tuple(before)  # type: ignore[misc]
