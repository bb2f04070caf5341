r"""Boot sectors in files, which ntldr starts in place of a Windows: ``C:\BOOTSECT.DOS``, ``C:\CMDCONS\BOOTSECT.DAT``.

What such a sector starts is told by the name of the file that it looks for: FAT boot code spells it as in a directory
(eight and three letters), NTFS code in UTF-16, boot loaders of other systems put their own name in.
"""

from msgspec import Struct

MAX_SIZE = 8192
"""Bytes of boot code at the start of an NTFS volume; that of FAT is shorter. ntldr reads no more of such a file."""

_DOS, _SETUP, _CONSOLE = "MS-DOS or Windows 9x", "Windows Setup", "the recovery console"
_WIDE = (  # most telling first: the code of Vista and later knows NTLDR too
    ("CMLDR", "", _CONSOLE),
    ("$LDR$", "", _SETUP),
    ("BOOTMGR", "", "bootmgr, the loader of Windows Vista and later"),
    ("FREELDR", "SYS", "FreeLoader, the loader of ReactOS"),
    ("NTLDR", "", "ntldr itself"),
)
_SHORT = (
    ("WINBOOT", "SYS", _DOS),
    ("IO", "SYS", _DOS),
    ("JO", "SYS", _DOS),
    ("IBMBIO", "COM", "PC DOS"),
    ("KERNEL", "SYS", "FreeDOS"),
    ("GRLDR", "", "GRUB for DOS"),
)
_MARKS = ((b"GRUB", "GRUB"), (b"WUBILDR", "GRUB for DOS (Wubi)"), (b"LILO", "LILO"))


class Started(Struct, frozen=True):
    """What a boot sector starts, in words, and the name that tells so; both empty where nothing is known."""

    system: str
    name: str


def file_of(path: str) -> str:
    r"""The file that a path of boot.ini means, from the root of the system partition: ``C:\`` is ``\BOOTSECT.DOS``."""
    rest = path.strip(" \t")[2:].rstrip("\\")
    return rest or "\\BOOTSECT.DOS"


def what_starts(data: bytes) -> Started:
    """What the boot sector at the start of ``data`` starts."""
    code = data[:MAX_SIZE].upper()
    for stem, extension, system in (*_WIDE, *_SHORT):
        spelt = [stem.ljust(8).encode() + extension.ljust(3).encode()]
        if (stem, extension, system) in _WIDE:
            spelt.append(stem.encode("utf-16-le"))
        if any(each in code for each in spelt):
            return Started(system, f"{stem}.{extension}" if extension else stem)
    return next((Started(system, mark.decode()) for mark, system in _MARKS if mark in code), Started("", ""))
