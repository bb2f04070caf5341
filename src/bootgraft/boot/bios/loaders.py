r"""Which loader a BIOS comes to: the boot code of the active partition decides, else what is there.

The boot code of Windows spells the file that it loads, NTFS code in UTF-16, FAT's in ASCII as a directory has it; that
of ReactOS spells ``FREELDR SYS`` or, on NTFS, ``FREELDR.SYS``. The code of Vista and later spells NTLDR too, but looks
for BOOTMGR first.
"""

from enum import StrEnum

from bootgraft.boot.steps import broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.filesystems.base import Entry, FileSystemKind
from bootgraft.machine import Volume

BOOT_CODE_SIZE = 8192
"""Bytes at the start of a volume that hold boot code: 16 sectors on NTFS, fewer on FAT."""


class Loader(StrEnum):
    """The loaders of NT, named as their files in the root of the system partition."""

    BOOTMGR = "bootmgr"
    NTLDR = "ntldr"
    FREELDR = "freeldr.sys"


_SPELT = {Loader.BOOTMGR: ("BOOTMGR", ""), Loader.NTLDR: ("NTLDR", ""), Loader.FREELDR: ("FREELDR", "SYS")}


def named_in(code: bytes) -> Loader | None:
    """The loader that this boot code (from the first byte of a volume on) looks for first."""
    for loader, (stem, extension) in _SPELT.items():
        short = stem.ljust(8).encode() + extension.ljust(3).encode()
        if short in code or stem.encode("utf-16-le") in code:
            return loader
    return None


def is_compressed(volume: Volume, file: Entry) -> bool:
    """Whether NTFS or WOF compressed a file of the volume: its boot code does not read it then."""
    return volume.kind is FileSystemKind.NTFS and (file.is_ntfs_compressed or file.is_wof_compressed)


def require_plain(system: Volume, file: Entry) -> None:
    """Raise BrokenLinkError for a loader that the boot sector cannot read."""
    if is_compressed(system, file):
        name = file.name
        evidence = f"the boot sector stops there with '{name.upper()} is compressed'"
        raise broken(f"{name.lower()} is compressed", f"{system.name}: \\{name}", evidence)


def which_starts(walk: ChainWalk, system: Volume) -> Loader:
    """Follow the chain to the loader that the boot sector of the mounted ``system`` partition starts."""
    wanted = named_in(system.device.read(0, min(BOOT_CODE_SIZE, system.device.size)))
    there = [each for each in Loader if walk.file(system, f"\\{each}") is not None]
    if wanted is None:
        if len(there) > 1:
            names = " and ".join(there)
            what = f"the active partition has {names}, and its boot sector does not say which one it starts"
            raise unknown(what, system.name, "no such name is in its boot code", *walk.fitting())
        return there[0] if there else Loader.NTLDR
    if wanted in there:
        return wanted
    where = f"{system.name}: \\{wanted}"
    if not there:
        if wanted is not Loader.BOOTMGR:
            return wanted  # its own link says that it is missing
        hints = (*walk.other_loaders(), *walk.fitting())
        raise broken("there is no bootmgr on the active partition", where, "the boot sector looks for it", *hints)
    names = " and ".join(there)
    if wanted is Loader.BOOTMGR and there == [Loader.NTLDR]:
        what = "the boot sector starts bootmgr, which is not there; ntldr is, but it may not start that"
        raise unknown(what, where, "the boot sector was written by Windows Vista or later")
    raise broken(
        f"there is no {wanted} on the active partition", where, f"{names} is, but the boot sector starts {wanted}"
    )
