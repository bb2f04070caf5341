"""What keeps bootmgr from starting Windows, on whole disks: proven and mended, or told and left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.machines import bcd, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, Hive, MachineSpec
from tests.storage.disks import SparseDisk

from bootgraft.boot.chain import BootChain, follow
from bootgraft.boot.loaderfault import LoaderFaultKind
from bootgraft.changes import Plan, SetValue, WriteFile
from bootgraft.checks import boot_loader
from bootgraft.checks.diagnosis import chain_findings
from bootgraft.machine import Machine
from bootgraft.repair.apply import apply

Build = Callable[[MachineSpec], BuiltMachine]
MOVED = bcd.mbr_device(vista.SIGNATURE, 63 * 512)
OTHER_SIGNATURE = bcd.mbr_device(0xA33B6C03, vista.WINDOWS.offset)
OTHER_GUIDS = bcd.gpt_device("11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-AAAAAAAAAAAA")


def store(device: bytes, *more: bcd.Entry) -> Hive:
    """A store whose loader, resume object and recovery name this device."""
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


def judged(built: BuiltMachine) -> BootChain:
    with Machine.read([SparseDisk(path) for path in built.disks], writable=False) as machine:
        return follow(machine)


def mended(built: BuiltMachine) -> BootChain:
    """The chain after what the findings carry was applied to the image."""
    with Machine.read([SparseDisk(path) for path in built.disks], writable=True) as machine:
        found = chain_findings(follow(machine))
        changes = tuple(change for finding in found for change in finding.changes)
        apply(Plan(changes), machine, now=datetime(2026, 1, 1, tzinfo=UTC))
    return judged(built)


def assert_boots(chain: BootChain, name: str) -> None:
    assert chain.default is not None, chain.steps[-1]
    assert chain.default.volume.name == name
    assert (chain.loader_fault, chain_findings(chain)) == (None, ())


def test_a_partition_that_moved_on_its_disk(build_machine: Build) -> None:
    wim = bcd.Entry(
        "5189b25d-0000-4bf2-bca4-289b11bd2903", {0x21000001: bcd.ramdisk_device(MOVED, "\\x.wim", vista.SECOND)}
    )
    built = build_machine(vista.system_reserved(store(MOVED, wim)))
    fault = judged(built).loader_fault
    assert fault is not None
    assert fault.kind is LoaderFaultKind.DEVICE
    assert "its disk is the one that the element names" in fault.evidence[0]
    right = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)
    edits = [change for change in fault.changes if isinstance(change, SetValue)]
    assert len(edits) == len(fault.changes) == 4, (
        "the loader's and the resume object's two elements each, no RAM disk's"
    )
    assert {(each.value.data, each.before and each.before.data) for each in edits} == {(right, MOVED)}
    assert {each.hive.path for each in edits} == {"\\Boot\\BCD"}
    assert_boots(mended(built), "disk 0 partition 2")


def test_a_new_signature_that_the_windows_itself_does_not_know_yet(build_machine: Build) -> None:
    files = knowing(vista.installation(), OTHER_SIGNATURE)
    built = build_machine(vista.system_reserved(store(OTHER_SIGNATURE), files=files))
    fault = judged(built).loader_fault
    assert fault is not None
    assert "knows itself as C: by that very name" in fault.evidence[0]
    assert_boots(mended(built), "disk 0 partition 2")


def test_new_guids(build_machine: Build) -> None:
    files = knowing(vista.installation(loader="winload.efi"), OTHER_GUIDS)
    built = build_machine(vista.uefi(vista.uefi_store(device=OTHER_GUIDS), files=files))
    assert_boots(mended(built), "disk 0 partition 3")


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
    assert chain.loader_fault is not None
    assert chain.loader_fault.changes == ()
    assert reason in chain.loader_fault.evidence[-1]
    (finding,) = chain_findings(chain)
    assert (finding.id, finding.fixable) == (boot_loader.DEVICE, False)
    assert "does not guess" in finding.explanation


def test_the_fallback_loader_is_copied(build_machine: Build) -> None:
    loader = (*vista.uefi_loader(vista.uefi_store(), has_fallback=False), File("\\EFI\\Boot\\readme.txt", b"kept"))
    built = build_machine(vista.uefi(loader=loader))
    fault = judged(built).loader_fault
    assert fault is not None
    (change,) = fault.changes
    assert isinstance(change, WriteFile)
    assert (change.file.path, change.before) == ("\\EFI\\Boot\\bootx64.efi", None)
    assert_boots(mended(built), "disk 0 partition 3")


def test_a_fallback_loader_without_its_directory(build_machine: Build) -> None:
    chain = judged(build_machine(vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), has_fallback=False))))
    assert chain.loader_fault is not None
    assert (chain.loader_fault.kind, chain.loader_fault.changes) == (LoaderFaultKind.FALLBACK, ())
    (finding,) = chain_findings(chain)
    assert (finding.id, finding.fixable) == (boot_loader.FALLBACK, False)


def test_a_broken_chain_of_another_kind_has_no_such_fault(build_machine: Build) -> None:
    assert judged(build_machine(vista.system_reserved(loader=vista.bios_loader(None)))).loader_fault is None
    assert judged(build_machine(vista.system_reserved(files=vista.installation(loader=None)))).loader_fault is None
