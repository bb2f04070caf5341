"""Rebuilt system partitions in a machine that starts: SeaBIOS and OVMF come to the boot manager that was put there.

Microsoft's code is not ours to ship. A boot manager of our own stands for it, which says so to qemu's debug console and
ends the machine; and, on BIOS, boot code that loads the first sectors of ``\\bootmgr`` from where sleuthkit says it
lies.
"""

import re
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.story import Bootgraft
from tests.endtoend.test_system_partition import TARGET, only_windows, without_esp
from tests.machines import vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import SECTOR, MachineSpec
from tests.machines.tools import run

Build = Callable[[MachineSpec], BuiltMachine]
SAID = b"the boot manager was reached"
EXIT = (0x10 << 1) | 1
"""What qemu ends with where 0x10 was written to isa-debug-exit."""
OVMF = Path("/usr/share/ovmf/OVMF.fd")
# push cs; pop ds; from 0x20 on to port 0xE9, until a zero; then 0x10 to port 0xF4
BIOS_MANAGER = (bytes.fromhex("0e1fbe2000fcac84c07404e6e9ebf7b010e6f4f4ebfd").ljust(0x20, b"\x90") + SAID).ljust(
    8192, b"\0"
)
# ds = 0, ss:sp = 0:7c00; int 13h, function 42h with the packet at 7DE0; to 2000:0000 as Windows' boot code does
BOOT_CODE = bytes.fromhex("31c08ed88ed0bc007cbee07db442cd13ea00000020")
CODE_AT, PACKET_AT = 0x54, 0x1E0


def started(disk: Path, folder: Path, *machine: str | Path) -> bytes:
    """What the machine with this disk said until it ended itself; the disk stays as it is."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        pytest.skip("qemu-system-x86 is not installed: nothing starts the machine")
    told = folder / "told"
    drive = f"file={disk},format=raw,if=ide,snapshot=on"
    devices = ("-debugcon", f"file:{told}", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
    quiet = ("-nodefaults", "-display", "none", "-no-reboot", "-net", "none")
    run("timeout", "90", qemu, *machine, *quiet, "-drive", drive, *devices, expect=(EXIT,))
    return told.read_bytes()


def first_sector(disk: Path, start: int, name: str) -> int:
    """Where a file in the root of an NTFS volume begins, in sectors of the disk, as sleuthkit has it."""
    where = ("-o", str(start // SECTOR))
    node = run("ifind", *where, "-n", name, disk).decode().strip()
    said = run("istat", *where, disk, node).decode()
    clusters = re.findall(r"Type: \$DATA .*?Non-Resident.*?\n([0-9]+)", said)
    return start // SECTOR + int(clusters[0]) * 4096 // SECTOR


def efi_program() -> bytes:
    """A boot manager for UEFI, by GNU as and ld."""
    lines = [
        ".text",
        ".globl efi_main",
        "efi_main: lea said(%rip), %rsi",
        "1: lodsb; test %al, %al; jz 2f; outb %al, $0xe9; jmp 1b",
        "2: mov $0x10, %al; outb %al, $0xf4; hlt; jmp 2b",
        '.section .rdata,"dr"',
        f'said: .asciz "{SAID.decode()}"',
        f".byte {', '.join(map(str, 'bootmgfw.efi'.encode('utf-16-le')))}",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code.s").write_text("\n".join(lines) + "\n")
        run("x86_64-w64-mingw32-as", folder / "code.s", "-o", folder / "code.o")
        command = ("x86_64-w64-mingw32-ld", "--subsystem", "10", "--no-insert-timestamp", "-s", "-e", "efi_main")
        run(*command, "-o", folder / "bootmgfw.efi", folder / "code.o")
        return (folder / "bootmgfw.efi").read_bytes()


def test_a_bios_comes_to_the_boot_manager_on_the_partition_of_windows(
    build_machine: Build, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_machine(only_windows(manager=BIOS_MANAGER))
    start, _ = machine.span(0)
    with machine.disk.open("r+b") as image:
        image.write(bytes(440))  # a converter of volumes leaves none
        image.seek(start + CODE_AT)
        image.write(BOOT_CODE)
    assert bootgraft("repair", machine.disk, *TARGET).status == 0
    packet = struct.pack("<BBHHHQ", 16, 0, 16, 0, 0x2000, first_sector(machine.disk, start, "bootmgr"))
    with machine.disk.open("r+b") as image:
        image.seek(start + PACKET_AT)
        image.write(packet)
    assert SAID in started(machine.disk, tmp_path, "-machine", "pc,accel=tcg", "-m", "16")


def test_uefi_firmware_comes_to_the_boot_manager_on_a_system_partition_that_was_added(
    build_machine: Build, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    if not OVMF.exists():
        pytest.skip("ovmf is not installed: there is no UEFI firmware")
    machine = build_machine(without_esp(120, carried=vista.carried(efi_manager=efi_program())))
    assert bootgraft("repair", machine.disk, *TARGET, "--add-system-partition").status == 0
    firmware = ("-machine", "pc,accel=tcg", "-m", "128", "-bios", OVMF)
    assert SAID in started(machine.disk, tmp_path, *firmware)
