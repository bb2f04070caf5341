"""The one table of image formats; it imports nothing of ours, because the command line has it too."""

from enum import StrEnum
from typing import Self


class ImageFormat(StrEnum):
    """The container a disk's bytes lie in: the table of all that are known.

    ``NBD`` is not a file but a ``nbd://`` or ``nbd+unix://`` URI. ``qemu_driver`` is qemu's name of the driver that
    reads a format; ``module``, in this package, has its reader; ``magics`` are (offset, bytes) that it alone begins
    with, each sufficient; what has none is told by ``detect``.

    ``not_in_place`` says why a format is not written in place, empty where it is, because it passes the kill test: a
    qemu-nbd that is killed in the middle of writes leaves an image that is sound, that its next writer repairs, or that
    ``container_recovery`` repairs before undo or resume writes to it (tests/storage/test_journal_formats.py).
    """

    qemu_driver: str
    module: str
    magics: tuple[tuple[int, bytes], ...]
    not_in_place: str

    def __new__(
        cls,
        name: str,
        qemu_driver: str = "",
        module: str = "",
        magics: tuple[tuple[int, bytes], ...] = (),
        not_in_place: str = "",
    ) -> Self:
        """A row of the table."""
        row = str.__new__(cls, name)
        row._value_ = name
        row.qemu_driver, row.module, row.magics, row.not_in_place = qemu_driver, module, magics, not_in_place
        return row

    RAW = "raw", "raw"
    VMDK = "vmdk", "vmdk", "vmdkimage", ((0, b"KDMV"), (0, b"COWD"), (0, b"\xbe\xba\xfe\xca\0\0\0\0"))
    VHD = "vhd", "vpc", "vhd", ((0, b"conectix"),)
    VHDX = "vhdx", "vhdx", "vhdx", ((0, b"vhdxfile"),)
    VDI = "vdi", "vdi", "vdi", ((0x40, b"\x7f\x10\xda\xbe"),)
    QCOW2 = "qcow2", "qcow2", "qcow2", ((0, b"QFI\xfb\0\0\0\x02"), (0, b"QFI\xfb\0\0\0\x03"))
    NBD = "nbd"
