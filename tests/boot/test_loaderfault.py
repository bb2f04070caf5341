"""What a BCD store has wrong about partitions, on whole disks: proven and mended, or told and left alone."""

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.checks.guests import guest_of
from tests.machines import bcd, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, Hive, MachineSpec
from tests.storage.disks import SparseDisk

from bootgraft.boot.chain import BootChain, follow
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.changes import Change, CreateDirectory, Plan, SetValue, WriteFile
from bootgraft.checks.chain import boot_loader, uefi_fallback
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
Kinds = LoaderFaultKind


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


def chain_findings(chain: BootChain) -> tuple[Finding, ...]:
    return findings_of(guest_of(chain), Stage.CHAIN)


def judged(built: BuiltMachine) -> BootChain:
    with Machine.read([SparseDisk(path) for path in built.disks], writable=False) as machine:
        return follow(machine)


def mended(built: BuiltMachine) -> tuple[BootChain, tuple[Change, ...]]:
    """The chain after what the findings carry was applied to the image, and that."""
    with Machine.read([SparseDisk(path) for path in built.disks], writable=True) as machine:
        found = chain_findings(follow(machine))
        changes = tuple(change for finding in found for change in finding.changes)
        apply(Plan(changes), machine, now=datetime(2026, 1, 1, tzinfo=UTC))
    return judged(built), changes


def assert_boots(chain: BootChain, name: str) -> None:
    assert chain.default is not None, chain.steps[-1]
    assert chain.default.volume.name == name
    assert (chain.loader_faults, chain_findings(chain)) == ((), ())


def fault_of(chain: BootChain, kind: LoaderFaultKind) -> LoaderFault:
    (fault,) = (each for each in chain.loader_faults if each.kind is kind)
    return fault


def test_a_partition_that_moved_on_its_disk(build_machine: Build) -> None:
    left_over = bcd.Entry(vista.RECOVERY_ENTRY, {0x21000001: bcd.ramdisk_device(MOVED, "\\x.wim", vista.SECOND)})
    built = build_machine(vista.system_reserved(store(MOVED, left_over)))
    chain = judged(built)
    fault = fault_of(chain, Kinds.DEVICE)
    assert fault.stops
    assert "its disk is the one that the element names" in fault.evidence[-1]
    assert [(each.kind, len(each.changes)) for each in chain.loader_faults] == [
        (Kinds.DEVICE, 2), (Kinds.RESUME_DEVICE, 2), (Kinds.RECOVERY_DEVICE, 1),
    ]  # fmt: skip
    edits = [change for change in fault.changes if isinstance(change, SetValue)]
    assert {(each.value.data, each.before and each.before.data) for each in edits} == {(RIGHT, MOVED)}
    assert {each.hive.path for each in edits} == {"\\Boot\\BCD"}
    severities = {finding.id: finding.severity for finding in chain_findings(chain)}
    assert severities == {
        boot_loader.DEVICE: Severity.BLOCKER,
        boot_loader.RESUME_DEVICE: Severity.WARNING,
        boot_loader.RECOVERY_DEVICE: Severity.WARNING,
    }
    assert_boots(mended(built)[0], "disk 0 partition 2")


def test_an_entry_of_a_windows_that_was_removed_is_not_pointed_at_the_other_one(build_machine: Build) -> None:
    """Both lay on one disk, and the one that is left has an entry of its own: only the disk speaks for it."""
    manager = bcd.bootmgr(
        bcd.mbr_device(vista.SIGNATURE, vista.RESERVED.offset), vista.DEFAULT, (vista.DEFAULT, vista.SECOND)
    )
    removed = bcd.loader(vista.SECOND, MOVED)
    built = build_machine(vista.system_reserved(bcd.store(manager, bcd.loader(vista.DEFAULT, RIGHT), removed)))
    fault = fault_of(judged(built), Kinds.OTHER_DEVICE)
    assert (fault.changes, fault.stops) == ((), False)
    assert "another entry names that" in fault.evidence[-1]


def test_every_element_of_a_realigned_disk_with_a_new_signature(build_machine: Build) -> None:
    """System Reserved began at sector 63 of a disk with another signature, Windows behind it: nothing matches."""
    system, windows = (bcd.mbr_device(OLD_SIGNATURE, sector * 512) for sector in (63, 63 + 204800))
    spec = vista.system_reserved(
        vista.full_store(system, windows, windows), files=(*vista.with_resume(), *vista.recovery_files())
    )
    built = build_machine(spec)
    chain = judged(built)
    assert [(each.kind, len(each.changes)) for each in chain.loader_faults] == [
        (Kinds.DEVICE, 2), (Kinds.MANAGER_DEVICE, 1), (Kinds.RESUME_DEVICE, 3), (Kinds.RECOVERY_DEVICE, 3),
        (Kinds.OTHER_DEVICE, 1),
    ]  # fmt: skip
    assert (
        "the partition that this store and its boot manager lie on"
        in fault_of(chain, Kinds.MANAGER_DEVICE).evidence[-1]
    )
    assert "another partition that the store names on that disk" in fault_of(chain, Kinds.DEVICE).evidence[-1]
    after, changes = mended(built)
    assert_boots(after, "disk 0 partition 2")
    new = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)
    nested = [each for each in changes if isinstance(each, SetValue) and len(each.value.data) > 0x58]
    assert {each.value.data for each in nested} == {bcd.ramdisk_device(new, vista.WIM, vista.OPTIONS)}
    assert len(nested) == 2


def test_every_element_of_a_disk_with_new_guids(build_machine: Build) -> None:
    devices = [bcd.gpt_device(OLD_DISK, own) for own in (OLD_ESP, OLD_WINDOWS, OLD_RECOVERY)]
    hive = vista.full_store(*devices, uefi=True)
    built = build_machine(vista.uefi(hive, files=vista.with_resume("efi"), recovery=vista.recovery_files()))
    chain = judged(built)
    assert [(each.kind, len(each.changes)) for each in chain.loader_faults] == [
        (Kinds.DEVICE, 2), (Kinds.MANAGER_DEVICE, 1), (Kinds.RESUME_DEVICE, 3), (Kinds.RECOVERY_DEVICE, 3),
        (Kinds.OTHER_DEVICE, 1),
    ]  # fmt: skip
    assert "only disk 0 partition 4 has \\Recovery" in fault_of(chain, Kinds.RECOVERY_DEVICE).evidence[-1]
    assert_boots(mended(built)[0], "disk 0 partition 3")


def test_a_disk_with_a_new_guid_whose_partitions_kept_theirs(build_machine: Build) -> None:
    device = bcd.gpt_device(OLD_DISK, vista.WINDOWS_GUID)
    built = build_machine(vista.uefi(vista.uefi_store(device=device)))
    chain = judged(built)
    fault = fault_of(chain, Kinds.DEVICE)
    assert (fault.stops, chain.understood) == (False, False)
    assert "it has the very GUID that the element names" in fault.evidence[-1]
    assert_boots(mended(built)[0], "disk 0 partition 3")


def test_a_healthy_machine_with_all_that_setup_makes(build_machine: Build) -> None:
    devices = [
        bcd.gpt_device(vista.DISK_GUID, own) for own in (vista.ESP_GUID, vista.WINDOWS_GUID, vista.RECOVERY_GUID)
    ]
    hive = vista.full_store(*devices, uefi=True)
    spec = vista.uefi(hive, files=vista.with_resume("efi"), recovery=vista.recovery_files(), name="full")
    assert_boots(judged(build_machine(spec)), "disk 0 partition 3")


def test_a_new_signature_that_the_windows_itself_does_not_know_yet(build_machine: Build) -> None:
    files = knowing(vista.installation(), OTHER_SIGNATURE)
    built = build_machine(vista.system_reserved(store(OTHER_SIGNATURE), files=files))
    assert "knows itself as C: by that very name" in fault_of(judged(built), Kinds.DEVICE).evidence[-1]
    assert_boots(mended(built)[0], "disk 0 partition 2")


def test_a_windows_that_knows_itself_by_two_letters_proves_nothing(build_machine: Build) -> None:
    def changed(file: File) -> File:
        if not isinstance(file.content, Hive) or not file.path.endswith("config\\software"):
            return file
        text = file.content.text.replace('"PathName"="C:', '"PathName"="D:')
        assert text != file.content.text
        return replace(file, content=replace(file.content, text=text))

    files = tuple(map(changed, knowing(vista.installation(), OTHER_SIGNATURE)))
    built = build_machine(vista.system_reserved(store(OTHER_SIGNATURE), files=files))
    assert "nothing proves that it is meant" in fault_of(judged(built), Kinds.DEVICE).evidence[-1]


def test_new_guids(build_machine: Build) -> None:
    files = knowing(vista.installation(loader="winload.efi"), OTHER_GUIDS)
    built = build_machine(vista.uefi(vista.uefi_store(device=OTHER_GUIDS), files=files))
    assert_boots(mended(built)[0], "disk 0 partition 3")


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
    chain = judged(build_machine(spec))
    assert all(fault.changes == () for fault in chain.loader_faults)
    assert reason in fault_of(chain, Kinds.DEVICE).evidence[-1]
    finding = chain_findings(chain)[0]
    assert (finding.id, finding.fixable) == (boot_loader.DEVICE, False)
    assert "does not guess" in finding.explanation


def test_a_damaged_element_is_made_anew_from_the_entrys_other_device(build_machine: Build) -> None:
    built = build_machine(vista.system_reserved(vista.bios_store(vista.WINDOWS, osdevice=RIGHT[:0x30])))
    fault = fault_of(judged(built), Kinds.DEVICE)
    assert "the entry's other device is disk 0 partition 2, which alone has" in fault.evidence[-1]
    after, changes = mended(built)
    assert_boots(after, "disk 0 partition 2")
    assert [(each.value.data, each.key[-8:]) for each in changes if isinstance(each, SetValue)] == [(RIGHT, "21000001")]


def test_a_damaged_element_that_nothing_proves(build_machine: Build) -> None:
    hive = vista.bios_store(vista.WINDOWS, device=RIGHT[:0x30], osdevice=struct.pack("<I", 6))
    fault = fault_of(judged(build_machine(vista.system_reserved(hive))), Kinds.DEVICE)
    assert fault.changes == ()
    assert "no sound device proves which" in fault.evidence[-1]


def test_the_fallback_loader_is_copied(build_machine: Build) -> None:
    loader = (*vista.uefi_loader(vista.uefi_store(), has_fallback=False), File("\\EFI\\Boot\\readme.txt", b"kept"))
    built = build_machine(vista.uefi(loader=loader))
    (change,) = fault_of(judged(built), Kinds.FALLBACK).changes
    assert isinstance(change, WriteFile)
    assert (change.file.path, change.before) == ("\\EFI\\Boot\\bootx64.efi", None)
    assert_boots(mended(built)[0], "disk 0 partition 3")


def test_a_fallback_loader_without_its_directory(build_machine: Build) -> None:
    built = build_machine(vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), has_fallback=False)))
    (finding,) = chain_findings(judged(built))
    assert finding.id == uefi_fallback.MISSING
    made, copied = finding.changes
    assert isinstance(made, CreateDirectory)
    assert isinstance(copied, WriteFile)
    assert (made.file.path, copied.file.path) == ("\\EFI\\Boot", "\\EFI\\Boot\\bootx64.efi")
    assert_boots(mended(built)[0], "disk 0 partition 3")


def test_a_broken_chain_of_another_kind_has_no_such_fault(build_machine: Build) -> None:
    assert judged(build_machine(vista.system_reserved(loader=vista.bios_loader(None)))).loader_faults == ()
    assert judged(build_machine(vista.system_reserved(files=vista.installation(loader=None)))).loader_faults == ()
