r"""How the last start of a Windows from Vista on ended, as its loader remembers it: ``bootstat.dat`` beside the system.

Version and product (4 bytes each), then one byte each: whether the menu is shown after a failure and for how long,
whether the last start succeeded, whether it ended with a shutdown (ReactOS, ``sdk/include/ndk/rtltypes.h``:
RTL_BSD_DATA; ``sdk/lib/rtl/bootdata.c``).
"""

import struct

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import FileSystem

NAME = "bootstat.dat"
_HEAD = struct.Struct("<IIBBBB")
_PRODUCTS = (1, 2, 3)
"""NT_PRODUCT_TYPE: workstation, domain controller, server."""


class BootStatus(Struct, frozen=True):
    """Whether the last start succeeded, and whether the Windows that it started was shut down."""

    succeeded: bool
    shut_down: bool


def read_boot_status(filesystem: FileSystem, directory: str) -> BootStatus | None:
    r"""What the Windows in ``directory`` (``\Windows``) remembers; None where there is no such file, or another one."""
    try:
        head = filesystem.read(f"{directory}\\{NAME}", 0, _HEAD.size)
    except FileSystemError:
        return None
    if len(head) != _HEAD.size:
        return None
    version, product, _, _, succeeded, shut_down = _HEAD.unpack(head)
    if not version or product not in _PRODUCTS or succeeded > 1 or shut_down > 1:
        return None
    return BootStatus(bool(succeeded), bool(shut_down))
