"""The free MBR code: byte for byte the package's, and started by SeaBIOS it reaches the active partition's code."""

import shutil
from pathlib import Path

import pytest
from tests.machines.tools import run

from bootgraft.boot.bios import syslinux_mbr

PACKAGED = Path("/usr/lib/syslinux/mbr/mbr.bin")
SECTOR = 512
SAID = b"the boot sector was reached, drive "
# It writes the text at 0x7C40 to port 0xE9, then DL, and ends the machine through port 0xF4.
BOOT_SECTOR = bytes.fromhex("31c08ed888d3be407cac84c07404e6e9ebf788d8e6e9b010e6f4f4ebfd").ljust(0x40, b"\x90") + SAID
EXIT = (0x10 << 1) | 1
"""What qemu ends with where 0x10 was written to isa-debug-exit."""


def test_it_is_the_packages_own() -> None:
    assert len(syslinux_mbr.CODE) == 440
    if not PACKAGED.exists():
        pytest.skip("syslinux-common is not installed")
    assert PACKAGED.read_bytes() == syslinux_mbr.CODE


def test_the_licence_goes_along() -> None:
    assert "The above copyright notice and this permission notice shall be included" in (syslinux_mbr.__doc__ or "")


@pytest.mark.parametrize("active", [1, 3])
def test_a_bios_reaches_the_boot_sector_of_the_active_partition(active: int, tmp_path: Path) -> None:
    qemu = shutil.which("qemu-system-x86_64") or shutil.which("qemu-system-i386")
    if qemu is None:
        pytest.skip("qemu-system-x86 is not installed: nothing starts the MBR code")
    disk, told = tmp_path / "disk", tmp_path / "told"
    with disk.open("wb") as image:
        image.truncate(8 << 20)
    lines = [f"start={2048 * slot}, size=2048, type=7{', bootable' if slot == active else ''}" for slot in (1, 2, 3)]
    run("sfdisk", "--quiet", disk, stdin="\n".join(["label: dos", "label-id: 0x12345678", *lines, ""]).encode())
    with disk.open("r+b") as image:
        table = image.read(SECTOR)[440:]
        image.seek(0)
        image.write(syslinux_mbr.CODE + table)
        image.seek(active * 2048 * SECTOR)
        image.write(BOOT_SECTOR.ljust(510, b"\0") + b"\x55\xaa")
    devices = ("-debugcon", f"file:{told}", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
    drive = f"file={disk},format=raw,if=ide,snapshot=on"
    machine = ("-machine", "pc,accel=tcg", "-m", "16", "-nodefaults", "-display", "none", "-no-reboot")
    run("timeout", "60", qemu, *machine, "-drive", drive, *devices, expect=(EXIT,))
    assert SAID + b"\x80" in told.read_bytes()
