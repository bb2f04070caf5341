"""The table of controllers against what qemu itself presents: read from the configuration space, no guest is run."""

import re
import shutil

import pytest
from msgspec import Struct
from tests.machines.tools import run

from bootgraft.targets.controllers import CONTROLLERS, PciId, find_controller

QEMU = "qemu-system-x86_64"
FUNCTIONS = 256
"""Devices of bus 0 with eight functions each."""
_READ = re.compile(rb"portl\[0x0cfc\] = 0x([0-9a-f]+)")


class Presented(Struct, frozen=True):
    """How qemu is asked for a controller, and where it then sits: device and function of bus 0."""

    option: str
    slot: int
    function: int = 0


PC = {
    "kvm:ide": Presented("", 1, 1),
    "kvm:ahci": Presented("ich9-ahci", 4),
    "kvm:virtio-blk": Presented("virtio-blk-pci,drive=blk", 5),
    "kvm:virtio-blk-modern": Presented("virtio-blk-pci,drive=modern,disable-legacy=on", 6),
    "kvm:virtio-scsi": Presented("virtio-scsi-pci", 7),
    "kvm:virtio-scsi-modern": Presented("virtio-scsi-pci,disable-legacy=on", 8),
    "kvm:lsi": Presented("lsi53c895a", 9),
    "kvm:lsisas1068": Presented("mptsas1068", 10),
    "kvm:megasas": Presented("megasas", 11),
    "kvm:megasas-gen2": Presented("megasas-gen2", 12),
    "kvm:nvme": Presented("nvme,serial=1,drive=nvme", 13),
    "kvm:pvscsi": Presented("pvscsi", 14),
}
Q35 = {"kvm:ahci": Presented("", 31, 2)}


def expected(target: str) -> PciId:
    """The row of the table."""
    pci = find_controller(target).pci
    assert pci is not None
    return pci


def functions(machine: str, devices: dict[str, Presented]) -> dict[tuple[int, int], PciId]:
    """Every function on bus 0 of a machine that never runs, by device and function."""
    command = [QEMU, "-S", "-nodefaults", "-display", "none", "-monitor", "stdio", "-machine", machine]
    for drive in ("blk", "modern", "nvme"):
        command += ["-blockdev", f"null-co,node-name={drive}"]
    for each in devices.values():
        command += ["-device", f"{each.option},addr={each.slot:#x}"] if each.option else []
    registers = (0x00, 0x08, 0x2C)
    asked = [
        f"o/w 0xcf8 {1 << 31 | at << 8 | register:#x}\ni/w 0xcfc\n" for at in range(FUNCTIONS) for register in registers
    ]
    said = run(*command, stdin="".join([*asked, "quit\n"]).encode())
    read = [int(value, 16) for value in _READ.findall(said)]
    assert len(read) == FUNCTIONS * len(registers)
    found = {}
    for at, (ids, kind, subsystem) in enumerate(zip(read[::3], read[1::3], read[2::3], strict=True)):
        if ids & 0xFFFF != 0xFFFF:
            found[at >> 3, at & 7] = PciId(ids & 0xFFFF, ids >> 16, kind >> 8, subsystem, kind & 0xFF)
    return found


@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
@pytest.mark.parametrize(("machine", "devices"), [("pc", PC), ("q35", Q35)], ids=["pc", "q35"])
def test_the_table_says_what_qemu_presents(machine: str, devices: dict[str, Presented]) -> None:
    found = functions(machine, devices)
    presented = {target: found.get((each.slot, each.function)) for target, each in devices.items()}
    assert presented == {target: expected(target) for target in devices}


def test_every_controller_of_qemus_is_compared() -> None:
    assert {each.target for each in CONTROLLERS if each.hypervisor == "kvm"} <= PC.keys()
