"""Formatted volumes with their files: mkntfs and ntfs-3g, mkfs.fat and mtools."""

import json
import os
import struct
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path, PureWindowsPath

from tests.machines import fill_ntfs
from tests.machines.hives import security_descriptor
from tests.machines.ntfs_log import write_log
from tests.machines.spec import SECTOR, File, FileAttributes, FileSystem, Loader, Partition, Volume, VolumeState
from tests.machines.tools import ToolError, run

_FULL_ACCESS, _READ_AND_EXECUTE = 0x001F01FF, 0x001200A9
_FAT_BITS = {"FAT12": "12", "FAT16": "16", "FAT32": "32"}

# It halts the processor. It stands for Microsoft's boot code, which is not ours to ship.
BOOT_CODE = bytes.fromhex("fa33c08ed0bc007cf4ebfd")


def make_volume(partition: Partition, volume: Volume, path: Path, materialise: Callable[[File], bytes]) -> None:
    """Write the image of one volume; ``materialise`` gives a file's bytes."""
    with path.open("wb") as image:
        image.truncate(partition.sectors * SECTOR)
    with tempfile.TemporaryDirectory() as folder:
        stage = _stage(volume, Path(folder), materialise)
        if volume.filesystem is FileSystem.NTFS:
            _make_ntfs(partition, volume, path, stage)
        else:
            _make_fat(partition, volume, path, stage)


def _stage(volume: Volume, folder: Path, materialise: Callable[[File], bytes]) -> Path:
    tree = folder / "tree"
    tree.mkdir()
    attributes = {}
    for file in volume.files:
        name = PureWindowsPath(file.path).relative_to("\\").as_posix()
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(materialise(file))
        attributes[name] = int(file.attributes)
    signatures = {VolumeState.HIBERNATED: b"hibr", VolumeState.HIBERNATED_LOG_2_0: b"HIBR"}
    if volume.state in signatures:
        (tree / "hiberfil.sys").write_bytes(signatures[volume.state] + b"session " * 8192)
        attributes["hiberfil.sys"] = int(FileAttributes.HIDDEN | FileAttributes.SYSTEM)
    (folder / "attributes.json").write_text(json.dumps(attributes))
    return folder


def _make_ntfs(partition: Partition, volume: Volume, path: Path, stage: Path) -> None:
    geometry = ("-s", str(SECTOR), "-p", str(partition.start), "-H", "255", "-S", "63")
    run("mkntfs", "-q", "-Q", "-F", *geometry, "-L", volume.label, path)
    administrators, system, users = (5, 32, 544), (5, 18), (5, 32, 545)
    descriptor = security_descriptor(
        (_FULL_ACCESS, administrators), (_FULL_ACCESS, system), (_READ_AND_EXECUTE, users), inheritance=0x03
    )
    (stage / "descriptor.bin").write_bytes(descriptor)
    mount_point = stage / "volume"
    mount_point.mkdir()
    # -I -S: it needs the standard library alone, and starts in half of the time without what is installed.
    run(*_in_private_namespace(), sys.executable, "-IS", fill_ntfs.__file__, path, stage, mount_point)
    write_code = _write_nt6_boot_sector if volume.loader is Loader.BOOTMGR else _write_nt5_boot_sector
    write_code(path)
    if volume.state in (VolumeState.UNCLEAN, VolumeState.LOG_2_0, VolumeState.HIBERNATED_LOG_2_0):
        is_new = volume.state is not VolumeState.UNCLEAN
        write_log(path, clean=is_new, major=2 if is_new else 1)


@cache
def _in_private_namespace() -> tuple[str, ...]:
    """How to get a mount namespace of our own, with FUSE, here: as root, as a user, or by sudo where users may not."""
    # A user as himself, with capabilities: mapped to root, ntfs-3g would drop groups, which is refused to users.
    as_user = ("unshare", "--map-current-user", "--keep-caps", "--mount")
    ways = [("unshare", "--mount")] if os.geteuid() == 0 else [("sudo", "-n", "unshare", "--mount"), as_user]
    for way in ways:
        try:
            run(*way, "test", "-w", "/dev/fuse")
        except ToolError:
            continue
        return way
    message = "cannot mount through FUSE in a namespace of our own here: run as root, or let users have both"
    raise ToolError(message)


def _write_nt5_boot_sector(path: Path) -> None:
    """Make the boot code's place look like Windows 2000 to 2003: its messages, and the name of the loader."""
    with path.open("r+b") as image:
        sector = bytearray(image.read(SECTOR))
        sector[0x54 : 0x54 + len(BOOT_CODE)] = BOOT_CODE
        sector[0x54 + len(BOOT_CODE) : 0x1FE] = bytes(0x1FE - 0x54 - len(BOOT_CODE))
        messages = b"\r\nA disk read error occurred\0\r\nNTLDR is missing\0\r\nNTLDR is compressed\0"
        sector[0x183 : 0x183 + len(messages)] = messages
        names = b"".join(struct.pack("<H", len(name)) + name.encode("utf-16-le") for name in ("NTLDR", "$I30"))
        image.seek(0)
        image.write(sector + names.ljust(SECTOR, b"\0"))
        image.seek(-SECTOR, os.SEEK_END)
        image.write(sector)


def _write_nt6_boot_sector(path: Path) -> None:
    """The same for Windows Vista and later, whose boot code knows both loaders and looks for BOOTMGR first."""
    with path.open("r+b") as image:
        sector = bytearray(image.read(SECTOR))
        sector[0x54:0x1FE] = BOOT_CODE.ljust(0x1FE - 0x54, b"\0")
        messages = b"\r\nA disk read error occurred\0\r\nBOOTMGR is missing\0\r\nBOOTMGR is compressed\0"
        sector[0x18C : 0x18C + len(messages)] = messages
        code = bytearray(SECTOR)
        for at, names in ((0, ("BOOTMGR", "$I30")), (0x5A, ("NTLDR",))):
            spelt = b"".join(struct.pack("<H", len(name)) + name.encode("utf-16-le") for name in names)
            code[at : at + len(spelt)] = spelt
        image.seek(0)
        image.write(sector + code)
        image.seek(-SECTOR, os.SEEK_END)
        image.write(sector)


def _make_fat(partition: Partition, volume: Volume, path: Path, stage: Path) -> None:
    bits = _FAT_BITS[volume.filesystem.name]
    geometry = ("-h", str(partition.start), "-g", "255/63", "-D", "0x80")
    run("mkfs.fat", "-F", bits, *geometry, "-n", volume.label or "NO NAME", "-i", "19700101", path)
    _write_fat_boot_sector(path, volume.loader, code_at=0x5A if bits == "32" else 0x3E)
    tree = stage / "tree"
    top = sorted(tree.iterdir())
    if top:
        run("mcopy", "-i", path, "-s", "-p", "-Q", *top, "::")
    _set_fat_attributes(path, json.loads((stage / "attributes.json").read_text()))


def _write_fat_boot_sector(path: Path, loader: Loader, *, code_at: int) -> None:
    with path.open("r+b") as image:
        sector = bytearray(image.read(SECTOR))
        short = "FREELDR SYS" if loader is Loader.FREELDR else loader.name.ljust(11)
        tail = b"\r\nDisk error\0" + short.encode()
        code = BOOT_CODE.ljust(0x1FE - code_at - len(tail), b"\0") + tail
        sector[code_at:0x1FE] = code
        image.seek(0)
        image.write(sector)


def _set_fat_attributes(path: Path, attributes: dict[str, int]) -> None:
    letters = {FileAttributes.READ_ONLY: "r", FileAttributes.HIDDEN: "h", FileAttributes.SYSTEM: "s"}
    for name, bits in attributes.items():
        wanted = [f"+{letter}" for flag, letter in letters.items() if bits & flag]
        if wanted:
            run("mattrib", "-i", path, *wanted, f"::{name}")
