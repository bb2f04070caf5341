"""The chain through bootmgr on whole disks, made by sfdisk, sgdisk, mkntfs, mkfs.fat and hivexregedit."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines import bcd, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem, MachineSpec
from tests.machines.tools import run
from tests.registry.support import real_file
from tests.storage.sample_disks import SparseDisk

from bootgraft.boot.chain import BootChain, follow
from bootgraft.machine import Machine
from bootgraft.windows.installation import read_installation

Build = Callable[[MachineSpec], BuiltMachine]


@contextmanager
def followed(built: BuiltMachine) -> Iterator[BootChain]:
    with Machine.read([SparseDisk(path) for path in built.disks], writable=False) as machine:
        yield follow(machine)


def summary(chain: BootChain) -> tuple[str, str, list[str]]:
    """Where the chain arrives, or the broken link; and the others."""
    if chain.default is None:
        end = ("broken" if chain.understood else "unknown", chain.steps[-1].what)
    else:
        assert all(step.holds for step in chain.steps)
        end = ("boots", f"{chain.default.volume.name}{chain.default.directory}")
    return (*end, [f"{each.volume.name}{each.directory}" for each in chain.others])


TWO = bcd.store(
    bcd.bootmgr(bcd.mbr_device(vista.SIGNATURE, vista.RESERVED.offset), vista.SECOND, (vista.DEFAULT, vista.SECOND)),
    bcd.loader(vista.DEFAULT, bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)),
    bcd.loader(vista.SECOND, bcd.mbr_device(vista.SIGNATURE, vista.SECOND_WINDOWS.offset)),
)
LOCATE = vista.bios_store(vista.WINDOWS, device=bcd.locate_device(0x12000002), osdevice=bcd.locate_device(0x22000002))
WINLOAD = "\\Windows\\system32\\winload.exe"
NO_DEVICE = "the default entry's device is no partition of the given disks"
P1, P2, P3 = (f"disk 0 partition {number}\\Windows" for number in (1, 2, 3))

CASES: dict[str, tuple[MachineSpec, tuple[str, str, list[str]]]] = {
    "one partition": (vista.one_partition(), ("boots", P1, [])),
    "one partition, boot device": (
        vista.one_partition(vista.bios_store(vista.ALONE, system=vista.ALONE, device=bcd.boot_device())),
        ("boots", P1, []),
    ),
    "system reserved": (vista.system_reserved(), ("boots", P2, [])),
    "system reserved on FAT": (vista.system_reserved(filesystem=FileSystem.FAT16), ("boots", P2, [])),
    "two loaders, the second default": (
        vista.system_reserved(TWO, second=vista.installation()),
        ("boots", P3, [P2]),
    ),
    "located": (vista.system_reserved(LOCATE), ("boots", P2, [])),
    "located, twins": (
        vista.system_reserved(LOCATE, second=vista.installation()),
        (
            "unknown",
            f"more than one volume has {WINLOAD}, by which bootmgr locates the default entry's device",
            [P2, P3],
        ),
    ),
    "wrong offset": (
        vista.system_reserved(vista.bios_store(replace(vista.WINDOWS, start=63))),
        ("broken", NO_DEVICE, [P2]),
    ),
    "wrong signature": (
        vista.system_reserved(
            vista.bios_store(vista.WINDOWS, device=bcd.mbr_device(vista.SECOND_SIGNATURE, vista.WINDOWS.offset))
        ),
        ("broken", NO_DEVICE, [P2]),
    ),
    "no winload": (
        vista.system_reserved(files=vista.installation(loader=None)),
        ("broken", "the loader that the default entry names is not there", [P2]),
    ),
    "no SYSTEM": (
        vista.system_reserved(files=vista.installation(without=("config\\system",))),
        ("broken", "the Windows that the default entry names has no SYSTEM", []),
    ),
    "no store": (vista.system_reserved(loader=vista.bios_loader(None)), ("broken", "there is no BCD store", [P2])),
    "no bootmgr": (
        vista.system_reserved(loader=()),
        ("broken", "there is no bootmgr on the active partition", [P2]),
    ),
    "a store that is none": (
        vista.system_reserved(b"regf" + bytes(8000)),
        ("broken", "the BCD store cannot be read", [P2]),
    ),
    "UEFI": (vista.uefi(), ("boots", P3, [])),
    "UEFI, no fallback": (
        vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), has_fallback=False)),
        ("broken", "the EFI system partition has no fallback loader", [P3]),
    ),
    "UEFI, another system's fallback": (
        vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), fallback=b"MZ GRUB" * 900)),
        ("unknown", "the fallback loader is not Windows' boot manager", [P3]),
    ),
    "UEFI, no store": (vista.uefi(loader=vista.uefi_loader(None)), ("broken", "there is no BCD store", [P3])),
    "UEFI, wrong GUID": (
        vista.uefi(vista.uefi_store(device=bcd.gpt_device(vista.DISK_GUID, vista.RECOVERY_GUID[:-1] + "9"))),
        ("broken", NO_DEVICE, [P3]),
    ),
    "UEFI, no winload": (
        vista.uefi(files=vista.installation(loader=None)),
        ("broken", "the loader that the default entry names is not there", [P3]),
    ),
    "UEFI, no ESP": (
        vista.uefi(types={vista.ESP_GUID: vista.DATA_TYPE}),
        ("unknown", "disk 0 has no EFI system partition", [P3]),
    ),
    "UEFI, the loader of a BIOS": (
        vista.uefi(vista.uefi_store(path="\\Windows\\system32\\winload.exe")),
        ("broken", "the default entry names a loader for BIOS firmware, but the disk starts through UEFI", [P3]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_layout(name: str, build_machine: Build) -> None:
    spec, expected = CASES[name]
    with followed(build_machine(spec)) as chain:
        assert summary(chain) == expected


def test_the_windows_behind_the_default_entry(build_machine: Build) -> None:
    with followed(build_machine(vista.uefi())) as chain:
        assert chain.default is not None
        found = read_installation(chain.default.volume, chain.default.directory, default_boot=True)
        assert (found.id, found.version, found.build) == ("disk0-partition3-Windows", (6, 1), "7601")


def _retargeted(name: str, folder: Path, devices: dict[str, bytes]) -> bytes:
    """A real store whose elements of these objects (by path below Objects) are replaced, by hivexregedit."""
    store, text = folder / "BCD", folder / "change.reg"
    store.write_bytes(real_file(name).read_bytes())
    keys = [f'[\\Objects\\{key}]\n"Element"=hex:{data.hex(",")}\n' for key, data in devices.items()]
    text.write_text("\n".join(["Windows Registry Editor Version 5.00", "", *keys]))
    run("hivexregedit", "--merge", store, text)
    return store.read_bytes()


def _default_guid(name: str) -> str:
    said = run("hivexregedit", "--export", "--unsafe-printable-strings", real_file(name), "\\").decode(errors="replace")
    found = re.search(rf"{bcd.BOOTMGR}}}\\Elements\\23000003\]\n\"Element\"=str\(1\):\"(\{{[^}}]*\}})", said)
    assert found
    return found[1]


def _devices(name: str, device: bytes) -> dict[str, bytes]:
    guid = _default_guid(name)
    return {f"{guid}\\Elements\\{number}": device for number in ("11000001", "21000001")}


@pytest.mark.parametrize("name", ["bcd/bios/w7-mbr-en/BCD", "bcd/bios/w10-mbr-en-a/BCD"])
def test_a_real_bios_store(name: str, build_machine: Build, tmp_path: Path) -> None:
    as_it_is = real_file(name).read_bytes()
    with followed(build_machine(vista.system_reserved(as_it_is))) as chain:
        assert summary(chain) == ("broken", NO_DEVICE, [P2])
    device = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)
    store = _retargeted(name, tmp_path, _devices(name, device))
    with followed(build_machine(vista.system_reserved(store, name="retargeted"))) as chain:
        assert summary(chain) == ("boots", P2, [])


def test_a_real_store_with_locate_devices(build_machine: Build) -> None:
    store = real_file("bcd/bios/w81-locate-devices/BCD").read_bytes()
    with followed(build_machine(vista.system_reserved(store))) as chain:
        assert summary(chain) == ("boots", P2, [])


@pytest.mark.parametrize("name", ["bcd/uefi/w10-a/BCD", "bcd/uefi/w10-zh-two-winre/BCD", "bcd/uefi/w11-pt-refind/BCD"])
def test_a_real_uefi_store(name: str, build_machine: Build, tmp_path: Path) -> None:
    with followed(build_machine(vista.uefi(real_file(name).read_bytes()))) as chain:
        assert summary(chain) == ("broken", NO_DEVICE, [P3])
    store = _retargeted(name, tmp_path, _devices(name, bcd.gpt_device(vista.DISK_GUID, vista.WINDOWS_GUID)))
    with followed(build_machine(vista.uefi(store, name="retargeted"))) as chain:
        assert summary(chain) == ("boots", P3, [])


def test_a_setup_medium_is_no_installed_windows(build_machine: Build) -> None:
    store = real_file("bcd/media/w10-22h2-bios/BCD").read_bytes()
    with followed(build_machine(vista.system_reserved(store))) as chain:
        assert summary(chain)[:2] == ("unknown", "the default entry starts Windows PE, no installed Windows")


def test_the_gpt_of_the_fixture_is_sound_to_sgdisk(build_machine: Build) -> None:
    assert "No problems found" in run("sgdisk", "--verify", build_machine(vista.uefi()).disk).decode()
