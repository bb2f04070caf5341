r"""Which Windows it is: ``SOFTWARE\Microsoft\Windows NT\CurrentVersion``.

Version numbers and names: Microsoft, "Operating System Version"
(https://learn.microsoft.com/windows/win32/sysinfo/operating-system-version). NT 4 writes no ProductName; Windows 11
still writes "Windows 10" there.
"""

import re

from msgspec import Struct

from bootgraft.errors import FileSystemError, HiveError
from bootgraft.machine import Volume
from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.hives import CURRENT_VERSION, hive_path
from bootgraft.windows.versions import (
    NT4,
    SERVER_2003,
    UNKNOWN,
    VISTA,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_2000,
    XP,
)

_WORKSTATION = "winnt"
"""ProductType of a workstation; servers have ServerNT, domain controllers LanmanNT."""

_FIRST_WINDOWS_11 = 22000

# NT version → (name of the workstation, name of the server), for hives without ProductName.
_NAMES = {
    NT4: ("Windows NT Workstation 4.0", "Windows NT Server 4.0"),
    WINDOWS_2000: ("Windows 2000 Professional", "Windows 2000 Server"),
    XP: ("Windows XP", "Windows XP"),
    SERVER_2003: ("Windows XP x64 Edition", "Windows Server 2003"),
    VISTA: ("Windows Vista", "Windows Server 2008"),
    WINDOWS_7: ("Windows 7", "Windows Server 2008 R2"),
    WINDOWS_8: ("Windows 8", "Windows Server 2012"),
    WINDOWS_8_1: ("Windows 8.1", "Windows Server 2012 R2"),
    WINDOWS_10: ("Windows 10", "Windows Server 2016 or later"),
}


_REACTOS = "reactos"


class Product(Struct, frozen=True):
    """What CurrentVersion says; texts are empty where it says nothing."""

    name: str
    version: tuple[int, int]  # NT version, (0, 0) where unknown
    build: str
    service_pack: str
    written_name: str = ""  # ProductName itself; NT 4 has none

    @property
    def starts_by_ntldr(self) -> bool:
        """Whether ntldr is its loader: that of NT 3.1 to 5.2, but ReactOS, which says 5.2 too, has its own."""
        return (3, 1) <= self.version < VISTA and _REACTOS not in self.written_name.casefold()


def unknown_product() -> Product:
    """The product of a Windows whose SOFTWARE hive cannot be read."""
    return Product("Windows (unknown version)", UNKNOWN, "", "")


def read_product(software: Hive, product_type: str) -> Product:
    r"""Read the product; ``product_type`` is SYSTEM's ``Control\ProductOptions\ProductType``, empty where unknown.

    Raises:
        HiveError: the SOFTWARE hive is damaged there.
    """
    key = software.key(CURRENT_VERSION)
    if key is None:
        return unknown_product()
    version = _version(key)
    build = _build(key)
    written = _text(key, "ProductName")
    name = written or _name(version, product_type)
    if version == WINDOWS_10 and build.isdecimal() and int(build) >= _FIRST_WINDOWS_11:
        name = name.replace("Windows 10", "Windows 11", 1)
    return Product(name, version, build, _text(key, "CSDVersion"), written)


def find_product(volume: Volume, directory: str) -> Product | None:
    """The product of the Windows in ``directory``; None where its SOFTWARE hive does not tell the version."""
    try:
        product = read_product(volume.hive(hive_path(directory, "SOFTWARE")), "")
    except (HiveError, FileSystemError):  # what cannot be read proves nothing
        return None
    return None if product.version == unknown_product().version else product


def _version(key: Key) -> tuple[int, int]:
    """Windows 10 and later write 6.3 into CurrentVersion and the truth into two numbers beside it."""
    major, minor = key.value("CurrentMajorVersionNumber"), key.value("CurrentMinorVersionNumber")
    numbers = (major.dword(), minor.dword()) if major is not None and minor is not None else (None, None)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0], numbers[1]
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", _text(key, "CurrentVersion"), re.ASCII)
    return (int(match[1]), int(match[2])) if match else UNKNOWN


def _build(key: Key) -> str:
    """NT 5 keeps an obsolete text of several words in CurrentBuild, so CurrentBuildNumber comes first."""
    build = _text(key, "CurrentBuildNumber") or _text(key, "CurrentBuild")
    return build if build.isascii() and build.isdecimal() else ""


def _name(version: tuple[int, int], product_type: str) -> str:
    if version == UNKNOWN:
        return unknown_product().name
    workstation, server = _NAMES.get(version, ("", ""))
    if not workstation or (not product_type and workstation != server):
        return f"Windows (NT {version[0]}.{version[1]})"
    return workstation if product_type.casefold() == _WORKSTATION else server


def _text(key: Key, name: str) -> str:
    value = key.value(name)
    return "" if value is None else (value.text() or "").strip()
