"""Files changed offline on a built machine's NTFS volume, as Windows does it: WOF- or NTFS-compressed, encrypted."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.filesystems.ntfs.images import attribute, file, fill, record_offset
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import SECTOR
from tests.machines.tools import run

WINDOWS = 1
"""The partition of Windows, on the dead server and on the donor."""
_STANDARD_INFORMATION, _DATA, _ENCRYPTED = 0x10, 0x80, 0x4000
_WOF_TAG = 0x80000017


def compress_with_wof(machine: BuiltMachine, path: str) -> None:
    """Give the file the reparse point of `compact /exe` (MS-FSCC 2.1.2; provider FILE, XPRESS4K). Needs root."""
    data = struct.pack("<IIII", 1, 2, 1, 0)
    point = struct.pack("<IHH", _WOF_TAG, len(data), 0) + data
    job = attribute(path.strip("\\").replace("\\", "/"), "system.ntfs_reparse_data", point)
    _change(machine, lambda volume: fill(volume, job))


def compress(machine: BuiltMachine, partition: int, name: str) -> None:
    """Let NTFS compress a file in the root of a partition (counted from 0). Needs root."""
    content = oracles.read_file(machine.disk, machine.span(partition), f"\\{name}")
    bits = "system.ntfs_attrib_be"
    jobs = (
        attribute(".", bits, (0x800).to_bytes(4, "big")),
        ("delete", name),
        file(name, content),
        attribute(name, bits, (0x827).to_bytes(4, "big")),
        attribute(".", bits, bytes(4)),
    )
    _change(machine, lambda volume: fill(volume, *jobs, options="compression"), partition)


def encrypt(machine: BuiltMachine, path: str) -> None:
    """Mark the file and its data as encrypted, which no tool does without EFS's keys.

    The MFT record is the one that sleuthkit names; its layout is that of the Linux kernel's documentation of NTFS.
    """
    start, _ = machine.span(WINDOWS)
    found = run("ifind", "-o", str(start // SECTOR), "-n", path.replace("\\", "/"), machine.disk).decode()
    _change(machine, lambda volume: _set_encrypted(volume, int(found.split("-")[0])))


def _set_encrypted(volume: Path, number: int) -> None:
    at = record_offset(volume, number)
    with volume.open("r+b") as image:
        image.seek(at)
        record = bytearray(image.read(1024))
        here = int.from_bytes(record[0x14:0x16], "little")
        assert record[here] == _STANDARD_INFORMATION
        value = here + int.from_bytes(record[here + 0x14 : here + 0x16], "little")
        record[value + 0x21] |= _ENCRYPTED >> 8
        while record[here] != _DATA:
            here += int.from_bytes(record[here + 4 : here + 8], "little")
        record[here + 0x0D] |= _ENCRYPTED >> 8
        image.seek(at)
        image.write(record)


def _change(machine: BuiltMachine, change: Callable[[Path], object], partition: int = WINDOWS) -> None:
    """Take the volume out of the disk, change it, put it back."""
    span = machine.span(partition)
    volume = oracles.extract_volume(machine.disk, span, machine.disk.with_suffix(".volume"))
    try:
        change(volume)
        run("dd", f"if={volume}", f"of={machine.disk}", "bs=512", f"seek={span[0] // SECTOR}", "conv=notrunc,sparse")
    finally:
        volume.unlink()
